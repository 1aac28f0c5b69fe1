import type { GuardrailsAdapter } from '../resource/adapters/safeguards.ts';
import type { Reading } from '../resource/reading.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** The policy in force, or the file that it is read from, is not the one that was released: the released one is loaded. */
export const policyDrift = definePlaybook({
  id: 'policy_drift',
  name: 'Policy drift',
  description: 'Loads the pinned policy in place of one that nobody released.',
  category: 'governance',
  tier: 2,
  priority: 9,
  needs: { guardrails: 'guardrails' },
  triggers: [on('policy.drifted')],
  contraindicatedBy: [],
  diagnose: ({ resources, signal }) => resources.guardrails.policyDigest(signal),
  steps: (step) => [
    step({
      id: 'load_pinned',
      description: 'Loads the pinned policy.',
      tier: 2,
      timeoutMs: 3_000,
      effects: ['guardrails.reloadPinnedPolicy'],
      run: ({ resources, signal }) => resources.guardrails.reloadPinnedPolicy(signal),
      undo: {
        // Never back to what nobody released.
        description:
          'Loads the policy that was pinned before; denies everything when there is none.',
        effects: ['guardrails.loadPreviousPolicy'],
        run: ({ resources, signal }) => resources.guardrails.loadPreviousPolicy(signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'the policy that is loaded, and the one that is kept, is the pinned one',
        run: ({ resources, signal }) => checkDigest(resources.guardrails, signal),
      },
      {
        name: 'what must be denied is, what must be allowed is',
        run: ({ resources, signal }) => checkCanaries(resources.guardrails, signal),
      },
    ],
    intervalMs: 50,
    withinMs: 3_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 5_000,
});

async function checkDigest(guardrails: GuardrailsAdapter, signal: AbortSignal): Promise<Reading> {
  const { loaded, pinned, kept = loaded } = await guardrails.policyDigest(signal);
  if (loaded === pinned && kept === pinned) return { status: 'HEALTHY' };
  const note = `loaded is ${loaded}, kept is ${kept}, pinned is ${pinned}`;
  return { status: 'FAILED', signal: 'policy.drifted', certainty: 'decisive', note };
}

async function checkCanaries(guardrails: GuardrailsAdapter, signal: AbortSignal): Promise<Reading> {
  const { mustDeny, mustAllow } = await guardrails.canaries(signal);
  if (mustDeny && mustAllow) return { status: 'HEALTHY' };
  const note = `deny canary denied: ${mustDeny}, allow canary allowed: ${mustAllow}`;
  return { status: 'FAILED', signal: 'guardrail.bypassed', certainty: 'decisive', note };
}
