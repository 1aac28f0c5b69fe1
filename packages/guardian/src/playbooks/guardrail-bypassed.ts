import type { GuardrailsAdapter } from '../resource/adapters/safeguards.ts';
import type { Reading } from '../resource/reading.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** Something was done that no guard allowed, or a guard allows what it must not: everything is denied until that is mended. */
export const guardrailBypassed = definePlaybook({
  id: 'guardrail_bypassed',
  name: 'Guardrail bypassed',
  description:
    'Denies everything, sets apart what was done unasked, loads the pinned policy, and opens again only when both canaries say so.',
  category: 'governance',
  tier: 3,
  priority: 10,
  needs: { guardrails: 'guardrails' },
  triggers: [on(['guardrail.bypassed', 'guardrail.broken'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { guardrails }, signal }) => ({
    receipts: await guardrails.receipts(signal),
    digests: await guardrails.policyDigest(signal),
  }),
  steps: (step) => [
    step({
      id: 'freeze',
      description: 'Denies every call.',
      // Of tier 2, so that nothing has to be earned for it: denying is the safe direction.
      tier: 2,
      timeoutMs: 2_000,
      effects: ['guardrails.freeze'],
      run: ({ resources, signal }) => resources.guardrails.freeze(signal),
      undo: irreversible('it stays frozen: that is the safe side, and somebody opens it'),
    }),
    step({
      id: 'repair',
      description: 'Sets unasked effects apart, revokes grants, loads the pinned policy.',
      tier: 3,
      timeoutMs: 10_000,
      effects: [
        'guardrails.quarantineUnreceipted',
        'guardrails.revokeGrants',
        'guardrails.reloadPinnedPolicy',
      ],
      run: async ({ resources: { guardrails }, signal }) => {
        await guardrails.quarantineUnreceipted(signal);
        await guardrails.revokeGrants(signal);
        await guardrails.reloadPinnedPolicy(signal);
      },
      undo: irreversible(
        'a grant that was revoked and a policy that was wrong are not wanted back',
      ),
    }),
    step({
      id: 'unfreeze',
      description: 'Lets calls through again.',
      tier: 3,
      timeoutMs: 2_000,
      effects: ['guardrails.unfreeze'],
      run: ({ resources, signal }) => resources.guardrails.unfreeze(signal),
      undo: {
        description: 'Denies every call again.',
        effects: ['guardrails.freeze'],
        run: ({ resources, signal }) => resources.guardrails.freeze(signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'what must be denied is, what must be allowed is',
        run: ({ resources, signal }) => checkCanaries(resources.guardrails, signal),
      },
      {
        name: 'every effect has a receipt',
        run: ({ resources, signal }) => checkReceipts(resources.guardrails, signal),
      },
    ],
    withinMs: 3_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 5_000,
});

async function checkCanaries(guardrails: GuardrailsAdapter, signal: AbortSignal): Promise<Reading> {
  const { mustDeny, mustAllow } = await guardrails.canaries(signal);
  const isOpen = !(await guardrails.isFrozen(signal));
  if (mustDeny && mustAllow && isOpen) return { status: 'HEALTHY' };
  const note = `deny canary denied: ${mustDeny}, allow canary allowed: ${mustAllow}, open: ${isOpen}`;
  return { status: 'FAILED', signal: 'guardrail.bypassed', certainty: 'decisive', note };
}

async function checkReceipts(guardrails: GuardrailsAdapter, signal: AbortSignal): Promise<Reading> {
  const { effects, withReceipt } = await guardrails.receipts(signal);
  if (effects === withReceipt) return { status: 'HEALTHY' };
  const note = `${effects - withReceipt} effects without a receipt`;
  return { status: 'FAILED', signal: 'guardrail.bypassed', certainty: 'decisive', note };
}
