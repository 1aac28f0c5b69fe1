import { GuardianMisuseError } from '../errors.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** A config file is gone: the copy from good times takes its place. */
export const configMissing = definePlaybook({
  id: 'config_missing',
  name: 'Config file missing',
  description: 'Puts the last known good config where it was, and has its reader load it.',
  category: 'config',
  tier: 2,
  priority: 8,
  needs: { config: 'config_file' },
  triggers: [on('config.missing')],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { config }, signal }) => {
    const good = await config.lastKnownGood(signal);
    if (good !== undefined) return { good };
    throw new GuardianMisuseError(
      'There is no copy of this config from good times: somebody has to write it.',
    );
  },
  steps: (step) => [
    step({
      id: 'restore',
      description: 'Writes the last known good config, with its mode and owner, in one move.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['config.keepCopy', 'config.restoreLastKnownGood'],
      before: async ({ clock }) => ({ copy: `missing-${clock.now()}` }),
      run: async ({ resources: { config }, before, signal }) => {
        await config.keepCopy(before.copy, signal);
        await config.restoreLastKnownGood(signal);
      },
      undo: {
        description: 'Takes the restored file away again.',
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
      run: ({ resources, signal }) => resources.config.reload(signal),
      undo: irreversible('what its reader has loaded is the last known good: it is kept'),
    }),
  ],
  verify: { checks: [probeOf('config')], intervalMs: 20, withinMs: 3_000, stableForMs: 1_000 },
  mttrTargetMs: 10_000,
});
