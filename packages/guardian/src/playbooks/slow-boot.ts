import { GuardianMisuseError } from '../errors.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { endService, startService } from './service-steps.ts';

/** A service is not ready in its time: it is started in safe mode, without what it can do without. */
export const slowBoot = definePlaybook({
  id: 'slow_boot',
  name: 'Slow boot',
  description: 'Starts a service that is not ready in its time in safe mode.',
  category: 'process',
  tier: 3,
  priority: 6,
  needs: { service: 'service', launch: 'launch' },
  triggers: [on('service.slow_boot')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { service, launch }, signal }) => {
    const { mode } = launch.settings();
    if (!launch.hasSafeMode() || mode === 'safe') {
      throw new GuardianMisuseError(
        `It is slow to start ${mode === 'safe' ? 'in safe mode, too' : 'and has no safe mode'}: somebody has to find out what it waits for.`,
      );
    }
    return { mode, isRunning: (await service.state(signal)).is === 'running' };
  },
  steps: (step) => [
    step({
      ...endService,
      tier: 3,
      description: 'Ends the start that takes so long.',
      when: ({ diagnosis }) => diagnosis.isRunning,
      undo: { ...endService.undo, description: 'Starts it again, in the mode before.' },
    }),
    step({
      id: 'choose_safe_mode',
      description: 'Leaves out what it can start without.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['launch.useMode'],
      before: async ({ diagnosis }) => ({ mode: diagnosis.mode }),
      run: ({ resources, signal }) => resources.launch.useMode('safe', signal),
      undo: {
        description: 'The next start is in the mode before.',
        effects: ['launch.useMode'],
        run: ({ resources, before, signal }) => resources.launch.useMode(before.mode, signal),
      },
    }),
    step({
      ...startService,
      description: 'Starts it in safe mode.',
    }),
  ],
  verify: { checks: [probeOf('service')], intervalMs: 50, withinMs: 15_000 },
  mttrTargetMs: 5_000,
});
