import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGuardian,
  definePlaybook,
  HEALTHY,
  on,
  openSqliteStore,
  probeOf,
  type ServiceAdapter,
} from '@buddy/guardian';

// How many whole incident lifecycles, and how many deduplicated symptoms, a guardian persists in a second.
// node --conditions=@buddy/source packages/guardian/bench/engine.ts

const RESOURCES = 500;
const ROUNDS = 40;
const DUPLICATES = 200_000;
const AT_ONCE = 1_000;

const service: ServiceAdapter = {
  kind: 'service',
  probe: async () => HEALTHY,
  state: async () => ({ is: 'stopped' }),
  start: async () => undefined,
  stop: async () => undefined,
};

const restart = definePlaybook({
  id: 'restart',
  name: 'Restart',
  description: 'Starts it.',
  category: 'process',
  tier: 2,
  priority: 5,
  needs: { service: 'service' },
  triggers: [on('process.exited')],
  contraindicatedBy: [],
  diagnose: async () => null,
  steps: (step) => [
    step({
      id: 'start',
      description: 'Starts it.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['service.start'],
      run: ({ resources, signal }) => resources.service.start(signal),
      undo: {
        description: 'Stops it.',
        effects: ['service.stop'],
        run: ({ resources, signal }) => resources.service.stop(signal),
      },
    }),
  ],
  verify: { checks: [probeOf('service')], successes: 1, withinMs: 1_000, stableForMs: 0 },
  mttrTargetMs: 1_000,
});

const unlimited = { most: 10_000_000 };
const store = openSqliteStore(join(mkdtempSync(join(tmpdir(), 'guardian-bench-')), 'guardian.db'));
const guardian = createGuardian(
  {
    probeIntervalMs: 3_600_000,
    limits: { concurrent: RESOURCES, restarts: unlimited, budget: unlimited },
  },
  {
    store,
    playbooks: [restart],
    resources: Array.from({ length: RESOURCES }, (_, index) => ({
      id: `service-${index}`,
      adapter: service,
    })),
  },
);
await guardian.start();

const down = (index: number) =>
  guardian.report({
    resource: `service-${index}`,
    signal: 'process.exited',
    certainty: 'decisive',
  });

/** By the wall, and by the processor: on a machine that others use too, the second says what it costs. */
async function rate(what: string, count: number, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const wall = Math.round((count * 1_000) / (performance.now() - startedAt));
  const cpu = Math.round((count * 1_000_000) / (user + system));
  console.log(`${what}: ${wall} /s, ${cpu} in a second of processor time`);
}

async function lifecycles(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const reports = await Promise.all(Array.from({ length: RESOURCES }, (_, index) => down(index)));
    await Promise.all(reports.map(({ outcome }) => outcome));
  }
}

await lifecycles(5);
await rate('incident lifecycles, persisted', ROUNDS * RESOURCES, () => lifecycles(ROUNDS));

// An incident that stays open: nothing is for it.
const strange = { resource: 'service-0', signal: 'disk.on_fire', certainty: 'decisive' } as const;
await guardian.report(strange);
await rate('deduplicated symptoms, persisted', DUPLICATES, async () => {
  for (let done = 0; done < DUPLICATES; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => guardian.report(strange)));
  }
});
const { symptoms, pending } = store.ledger();
console.log(`ledger: ${symptoms} symptoms, ${pending} pending`);
await guardian.stop();
