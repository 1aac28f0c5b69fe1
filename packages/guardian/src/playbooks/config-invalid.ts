import type { ConfigFileAdapter } from '../resource/adapters/files.ts';
import { GuardianMisuseError } from '../errors.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** A config file cannot be read, does not fit its schema, or is not taken by its reader: the last good one comes back. */
export const configInvalid = definePlaybook({
  id: 'config_invalid',
  name: 'Config invalid',
  description:
    'Keeps the bad config to be looked at, puts the last known good one in its place, and has its reader load it.',
  category: 'config',
  tier: 2,
  priority: 8,
  needs: { config: 'config_file' },
  triggers: [on(['config.invalid', 'config.not_loaded', 'config.rejected'])],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { config }, signal }) => {
    const isValid = (await config.check(signal)).status === 'HEALTHY';
    const good = await config.lastKnownGood(signal);
    if (!isValid && good === undefined) {
      throw new GuardianMisuseError(
        'There is no copy of this config from good times: somebody has to mend it.',
      );
    }
    return { isValid, hasGood: good !== undefined };
  },
  steps: (step) => [
    step({
      id: 'offer_again',
      description: 'Has its reader load what is there, which is valid: perhaps it was only missed.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['config.reload'],
      when: ({ diagnosis }) => diagnosis.isValid,
      run: ({ resources, signal }) => resources.config.reload(signal),
      undo: irreversible('a reader keeps what it took, or what it had before'),
    }),
    step({
      id: 'restore',
      description:
        'Keeps the bad file, and writes the last known good one with its mode and owner.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['config.keepCopy', 'config.restoreLastKnownGood'],
      when: ({ diagnosis }) => diagnosis.hasGood,
      before: async ({ clock }) => ({ copy: `invalid-${clock.now()}` }),
      run: async ({ resources: { config }, before, signal }) => {
        if (await isTaken(config, signal)) return;
        await config.keepCopy(before.copy, signal);
        await config.restoreLastKnownGood(signal);
      },
      undo: {
        description: 'Puts the bad file back.',
        effects: ['config.putBack'],
        run: ({ resources, before, signal }) => resources.config.putBack(before.copy, signal),
      },
    }),
    step({
      id: 'reload',
      description: 'Has its reader load it.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['config.reload'],
      when: ({ diagnosis }) => diagnosis.hasGood,
      run: ({ resources, signal }) => resources.config.reload(signal),
      undo: irreversible('what its reader has loaded is the last known good: it is kept'),
    }),
  ],
  verify: { checks: [probeOf('config')], intervalMs: 20, withinMs: 3_000, stableForMs: 1_000 },
  mttrTargetMs: 10_000,
});

/** Whether what is there is valid, and is what its reader works by. */
async function isTaken(config: ConfigFileAdapter, signal: AbortSignal): Promise<boolean> {
  if ((await config.check(signal)).status !== 'HEALTHY') return false;
  const loaded = await config.consumerGeneration(signal);
  return loaded !== undefined && loaded === (await config.digest(signal));
}
