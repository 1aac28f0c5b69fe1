import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { startService } from './service-steps.ts';

/** A service ended by itself, and nothing says more than that: it is started again. */
export const serviceCrashed = definePlaybook({
  id: 'service_crashed',
  name: 'Service crashed',
  description: 'Starts a service that ended by itself, and sees that it answers and stays.',
  category: 'process',
  tier: 3,
  priority: 9,
  needs: { service: 'service' },
  // What ended for its config is looked at when that is mended: its config is a cause, and causes come first. What ended
  // for its quota is started when that is there again: until then it is forbidden.
  triggers: [on(['process.exited', 'config.rejected', 'quota.exhausted'])],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: ({ resources, signal }) => resources.service.state(signal),
  steps: (step) => [
    step({
      ...startService,
      tier: 3,
      id: 'respawn',
      when: ({ diagnosis }) => diagnosis.is !== 'running',
    }),
  ],
  verify: { checks: [probeOf('service')], intervalMs: 20, withinMs: 15_000 },
  mttrTargetMs: 10_000,
});
