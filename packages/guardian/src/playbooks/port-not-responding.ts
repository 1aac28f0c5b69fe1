import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { endService, startService } from './service-steps.ts';

/** A port accepts and does not answer, or refuses although its service runs: the service is replaced. */
export const portNotResponding = definePlaybook({
  id: 'port_not_responding',
  name: 'Port not responding',
  description: 'Replaces a service that hangs: it accepts, or runs, and does not answer.',
  category: 'process',
  tier: 3,
  priority: 8,
  needs: { port: 'port', service: 'service' },
  triggers: [on(['port.silent', 'port.refused', 'connection.reset', 'probe.timeout'])],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources, signal }) => ({
    service: await resources.service.state(signal),
    owner: await resources.port.owner(signal),
  }),
  steps: (step) => [
    step({
      ...endService,
      tier: 3,
      when: ({ diagnosis }) => diagnosis.service.is === 'running',
    }),
    step(startService),
  ],
  verify: {
    checks: [
      {
        name: 'layer 4: the port accepts',
        run: ({ resources, signal }) => resources.port.connect(signal),
      },
      {
        name: 'layer 7: it answers',
        run: ({ resources, signal }) => resources.port.exchange(signal),
      },
    ],
    intervalMs: 20,
    withinMs: 15_000,
  },
  mttrTargetMs: 10_000,
});
