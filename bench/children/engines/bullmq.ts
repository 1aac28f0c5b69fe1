import { Queue, Worker } from 'bullmq';
import { Calls, type EnginePlace, SLOTS, type WaveEngine } from './wave-plan.ts';

const QUEUE = 'tasks';

/** A job for each task, added a wave at a time. A wave is over when its last job is completed in Redis. */
export async function openBullMq({ redisPort }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  const connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null };
  const queue = new Queue(QUEUE, { connection });
  const worker = new Worker(QUEUE, calls.call, { connection, concurrency: SLOTS });
  const broken = Promise.withResolvers<never>();
  worker.on('error', broken.reject);
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const completed = new Calls();
  worker.on('completed', () => void completed.call());
  return {
    run: async (_id, { waves, width }) => {
      const before = completed.count;
      for (let wave = 1; wave <= waves; wave += 1) {
        await queue.addBulk(
          Array.from({ length: width }, (_, nth) => ({ name: 'task', data: { nth } })),
        );
        await Promise.race([completed.reach(before + wave * width), broken.promise]);
      }
    },
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
}
