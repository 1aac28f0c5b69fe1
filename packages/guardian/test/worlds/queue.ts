import { join } from 'node:path';
import {
  createProcessService,
  createServiceWorkers,
  openSqliteQueue,
  type QueueWorkers,
  type ServiceAdapter,
  type SqliteQueue,
  type SqliteQueueInput,
} from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { openGround, until } from './ground.ts';

const { signal } = new AbortController();
const program = new URL('../children/queue-worker.ts', import.meta.url).pathname;

export interface QueueWorld extends PlaybookWorld {
  queue: SqliteQueue;
  workers: readonly ServiceAdapter[];
}

/**
 * A queue in a file, and a worker: in a process of its own, or, which is faster, in this one. The fault: a job that always
 * fails is the first in it.
 */
export async function openQueueWorld(
  where: 'here' | 'process',
  options: Partial<SqliteQueueInput> = {},
): Promise<QueueWorld> {
  const ground = await openGround('queue');
  const file = join(ground.folder, 'jobs.sqlite');
  const services: ServiceAdapter[] = [];
  const inProcesses = createServiceWorkers((number) => {
    const service = createProcessService({
      id: `worker-${number}`,
      command: process.execPath,
      args: ['--conditions=@buddy/source', program],
      env: { QUEUE: file },
      stateFolder: join(ground.folder, 'state'),
      stopGraceMs: 100,
    });
    services.push(service);
    return service;
  });
  const workers = where === 'process' ? inProcesses : workHere(() => queue);
  const queue = openSqliteQueue({ file, targetAgeMs: 200, maxWorkers: 2, ...options }, { workers });
  const { adapter } = queue;
  await workers.set(1, signal);
  const poisoned = () => adapter.poisoned(signal);
  return {
    queue,
    workers: services,
    resources: [{ id: 'jobs', adapter }],
    subject: 'jobs',
    fault: {
      name: 'a job that always fails',
      apply: async () => {
        queue.enqueue('poison');
        await until(async () => (await poisoned()).length > 0);
      },
      isPresent: async () => (await poisoned()).length > 0,
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'queue.poison' }),
    state: async () => ({
      poisoned: await poisoned(),
      dead: queue.deadLetters().length,
      isPaused: await adapter.isIntakePaused(signal),
      workers: adapter.workers(),
    }),
    close: () =>
      ground.close(async () => {
        await workers.set(0, signal);
        queue.close();
      }),
  };
}

/** As the program in test/children does it. */
function workHere(queue: () => SqliteQueue): QueueWorkers {
  const timers: NodeJS.Timeout[] = [];
  const work = (): void => {
    const job = queue().claim();
    if (job?.payload === 'poison') queue().fail(job.id, 'this cannot be done');
    else if (job) queue().complete(job.id);
  };
  return {
    count: () => timers.length,
    set: async (count) => {
      while (timers.length < count) timers.push(setInterval(work, 5));
      for (const timer of timers.splice(count)) clearInterval(timer);
    },
  };
}
