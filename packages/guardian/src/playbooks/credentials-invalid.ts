import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** So many versions are tried in one healing: each that is refused brings the account nearer to its lock. */
const MOST_TRIED = 2;

/** A secret is refused: what the store has besides is tried, each version once; when nothing is left, nobody calls any more. */
export const credentialsInvalid = definePlaybook({
  id: 'credentials_invalid',
  name: 'Credentials invalid',
  description:
    'Reads the secret anew and tries each version that was not refused, once; when none is left, stops calling, so that the account is not locked.',
  category: 'identity',
  tier: 2,
  priority: 8,
  needs: { credential: 'credential' },
  triggers: [on(['credential.refused', 'credential.stopped', 'http.401', 'http.403'])],
  // Who wants to be left alone is not asked whether another secret would do.
  contraindicatedBy: ['quota_exhausted'],
  diagnose: async ({ resources: { credential }, signal }) => {
    // Its one try, if it had none yet. What is accepted, or not known to be refused, is left alone.
    await credential.probe(signal);
    const inUse = credential.version();
    const isSick = credential.wasRefused(inUse) || !credential.isCalling();
    const versions = isSick ? await credential.versions(signal) : [];
    const untried = versions.filter((version) => !credential.wasRefused(version));
    return { isSick, untried: untried.slice(0, MOST_TRIED) };
  },
  steps: (step) => [
    step({
      id: 'stop_calling',
      description: 'Gives the secret to nobody.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['credential.stopCalling'],
      when: ({ diagnosis: { isSick, untried } }) => isSick && untried.length === 0,
      run: ({ resources, signal }) => resources.credential.stopCalling(signal),
      undo: irreversible(
        'calling again with what was refused locks the account; it begins again with a version that is accepted',
      ),
    }),
    step({
      id: 'next_version',
      description: 'Takes the next version into use that is accepted; each is tried once.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['credential.useVersion', 'credential.resumeCalling'],
      when: ({ diagnosis: { isSick, untried } }) => isSick && untried.length > 0,
      before: async ({ resources: { credential } }) => ({
        version: credential.version(),
        isCalling: credential.isCalling(),
      }),
      run: async ({ resources: { credential }, diagnosis, signal }) => {
        for (const version of diagnosis.untried) {
          await credential.useVersion(version, signal);
          await credential.probe(signal); // a refusal is remembered
          if (!credential.wasRefused(version)) break;
        }
        await credential.resumeCalling(signal);
      },
      undo: {
        description: 'Goes back to the version before; what was refused is not sent again by that.',
        effects: ['credential.useVersion', 'credential.stopCalling'],
        run: async ({ resources: { credential }, before, signal }) => {
          await credential.useVersion(before.version, signal);
          if (!before.isCalling) await credential.stopCalling(signal);
        },
      },
    }),
  ],
  verify: { checks: [probeOf('credential')], withinMs: 3_000, stableForMs: 1_000 },
  mttrTargetMs: 5_000,
});
