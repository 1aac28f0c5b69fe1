import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** A service ended by itself, and nothing says more than that: it is started again. */
export const serviceCrashed = definePlaybook({
  id: 'service_crashed',
  name: 'Service crashed',
  description: 'Starts a service that ended by itself, and sees that it answers and stays.',
  category: 'process',
  tier: 3,
  priority: 9,
  needs: { service: 'service' },
  // What ended for its config is looked at when that is mended: its config is a cause, and causes come first.
  triggers: [on(['process.exited', 'config.rejected'])],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: ({ resources, signal }) => resources.service.state(signal),
  steps: (step) => [
    step({
      id: 'respawn',
      description: 'Starts the service.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['service.start'],
      when: ({ diagnosis }) => diagnosis.is !== 'running',
      run: ({ resources, signal }) => resources.service.start(signal),
      undo: {
        description: 'Stops what was started.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
  ],
  verify: { checks: [probeOf('service')], intervalMs: 20, withinMs: 15_000 },
  mttrTargetMs: 10_000,
});
