import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

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
      id: 'end',
      description:
        'Ends the service with all its children, by force when it does not end by itself.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['service.stop'],
      when: ({ diagnosis }) => diagnosis.service.is === 'running',
      run: ({ resources, signal }) => resources.service.stop(signal),
      undo: {
        description: 'Starts the service again: what was ended is not revived.',
        effects: ['service.start'],
        run: ({ resources, signal }) => resources.service.start(signal),
      },
    }),
    step({
      id: 'start',
      description: 'Starts the service.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['service.start'],
      run: ({ resources, signal }) => resources.service.start(signal),
      undo: {
        description: 'Stops what was started.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
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
