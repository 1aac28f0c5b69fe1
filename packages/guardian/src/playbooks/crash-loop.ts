import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { startService } from './service-steps.ts';

/** A service ends again and again: it goes back to the last release that was seen to work. */
export const crashLoop = definePlaybook({
  id: 'crash_loop',
  name: 'Crash loop',
  description:
    'Goes back to the last release that was seen to work; where there is none, tries the present one as seldom as the limits say.',
  category: 'process',
  tier: 3,
  priority: 9,
  needs: { service: 'service', launch: 'launch' },
  triggers: [on('process.crash_loop')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { launch } }) => ({
    release: launch.settings().release,
    lastKnownGood: launch.lastKnownGood() ?? null,
  }),
  steps: (step) => [
    step({
      id: 'end',
      description: 'Ends what may still run of it.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['service.stop'],
      run: ({ resources, signal }) => resources.service.stop(signal),
      undo: {
        description: 'It stays ended: a loop that was broken is not begun anew.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
    step({
      id: 'go_back',
      description: 'Chooses the last release that was seen to work, with its configuration.',
      tier: 3,
      timeoutMs: 5_000,
      effects: ['launch.useRelease'],
      when: ({ diagnosis }) => diagnosis.lastKnownGood !== null,
      before: async ({ diagnosis }) => ({ release: diagnosis.release }),
      run: async ({ resources: { launch }, diagnosis, signal }) => {
        if (diagnosis.lastKnownGood === null) return;
        await launch.useRelease(diagnosis.lastKnownGood, signal);
      },
      undo: {
        description: 'Chooses the newer release again; it is not started.',
        effects: ['launch.useRelease'],
        run: ({ resources, before, signal }) => resources.launch.useRelease(before.release, signal),
      },
    }),
    step({
      ...startService,
      description: 'Starts it.',
    }),
  ],
  verify: {
    checks: [probeOf('service')],
    intervalMs: 50,
    withinMs: 30_000,
    // A loop may take its time: it is broken when nothing ended for a minute.
    stableForMs: 60_000,
  },
  mttrTargetMs: 60_000,
});
