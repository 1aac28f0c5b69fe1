import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';

// What waiting for a fault costs: prints its share of a processor, and its heap beyond that of an empty program.
const [port, count, ms] = process.argv.slice(2).map(Number);
globalThis.gc?.();
const empty = process.memoryUsage().heapUsed;
const { createGuardian, createHttpPort } = await import('../../packages/guardian/src/index.ts');
const guardian = createGuardian(
  {},
  {
    resources: Array.from({ length: count ?? 0 }, (_, index) => ({
      id: `port-${index}`,
      adapter: createHttpPort({ port: port ?? 0 }),
    })),
    playbooks: [],
  },
);
await guardian.start();
await wait(5_000);
const before = process.cpuUsage();
const startedAt = performance.now();
await wait(ms);
const { user, system } = process.cpuUsage(before);
const cpuShare = (user + system) / 1_000 / (performance.now() - startedAt);
globalThis.gc?.();
const heapMb = (process.memoryUsage().heapUsed - empty) / 2 ** 20;
await guardian.stop();
process.stdout.write(JSON.stringify({ cpuShare, heapMb }));
