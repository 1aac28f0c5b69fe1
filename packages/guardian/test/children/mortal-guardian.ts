import { join } from 'node:path';
import {
  createGuardian,
  createProcessService,
  definePlaybook,
  on,
  openSqliteStore,
  probeOf,
} from '@buddy/guardian';

// A guardian in a process of its own, so that a test can kill it. It writes a line when it starts, and when all is well.
const folder = process.argv[2] ?? '';
const sleeper = ['-e', 'setInterval(() => undefined, 1_000)'];
const service = createProcessService({
  id: 'api',
  command: process.execPath,
  args: sleeper,
  stateFolder: folder,
  stopGraceMs: 100,
});

const restart = definePlaybook({
  id: 'restart',
  name: 'Restart',
  description: 'Stops what may be left, and starts it.',
  category: 'process',
  tier: 2,
  priority: 9,
  needs: { service: 'service' },
  triggers: [on('process.exited')],
  contraindicatedBy: [],
  diagnose: async ({ resources, signal }) => resources.service.state(signal),
  steps: (step) => [
    step({
      id: 'clear',
      description: 'Ends what is left of it.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['service.stop'],
      run: ({ resources, signal }) => resources.service.stop(signal),
      undo: {
        description: 'Nothing runs that did not run before.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
    step({
      id: 'start',
      description: 'Starts it.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['service.start'],
      run: async ({ resources, clock, signal }) => {
        await resources.service.start(signal);
        await clock.sleep(50, signal); // a step that can be killed in its midst
      },
      undo: {
        description: 'Stops it.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
  ],
  verify: { checks: [probeOf('service')], withinMs: 5_000, stableForMs: 50, intervalMs: 10 },
  mttrTargetMs: 10_000,
});

const guardian = createGuardian(
  {
    probeIntervalMs: 50,
    limits: { restarts: { most: 1_000 }, budget: { most: 1_000 }, futility: { failures: 1_000 } },
  },
  {
    store: openSqliteStore(join(folder, 'guardian.db')),
    resources: [{ id: 'api', adapter: service }],
    playbooks: [restart],
  },
);
guardian.events.on('incidentClosed', () => process.stdout.write('closed\n'));
guardian.events.on('stepChanged', ({ step }) =>
  process.stdout.write(`${step.step} ${step.state}\n`),
);
await guardian.start();
process.stdout.write('started\n');
if (guardian.openIncidents.length === 0) process.stdout.write('quiet\n');
process.once('SIGTERM', () => void guardian.stop().then(() => process.exit(0)));
