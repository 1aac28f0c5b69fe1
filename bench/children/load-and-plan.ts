import { getHeapStatistics } from 'node:v8';
import { createAgentManager } from '../../packages/agents/src/index.ts';
import type { LoadAndPlan } from '../benches/load.ts';

// Started by benches/load.ts with the folder of the predictions.
const [, , folder = ''] = process.argv;
const manager = createAgentManager();
globalThis.gc?.();
const before = getHeapStatistics();
const startedAt = performance.now();
const { taskCount, waves } = await manager.load(folder);
const plans = waves.map((wave) => manager.planWave(wave));
const ms = performance.now() - startedAt;
const grownMb = (getHeapStatistics().total_heap_size - before.total_heap_size) / 2 ** 20;
globalThis.gc?.();
const keptMb = (getHeapStatistics().used_heap_size - before.used_heap_size) / 2 ** 20;
const planned = plans.reduce((sum, { tasks }) => sum + tasks.length, 0);
const measured: LoadAndPlan = { tasks: Math.min(planned, taskCount), ms, grownMb, keptMb };
process.stdout.write(JSON.stringify(measured));
