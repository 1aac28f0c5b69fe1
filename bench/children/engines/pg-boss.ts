import { PgBoss } from 'pg-boss';
import { type Calls, type EnginePlace, SLOTS, type WaveEngine } from './wave-plan.ts';

const QUEUE = 'tasks';

/**
 * A job for each task, inserted a wave at a time, taken so many at a time, woken by LISTEN/NOTIFY, each with a result of its
 * own. A wave is over when its last job is completed in Postgres.
 */
export async function openPgBoss({ databaseUrl }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  const boss = new PgBoss({ connectionString: databaseUrl, useListenNotify: true });
  const broken = Promise.withResolvers<never>();
  boss.on('error', broken.reject);
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  let last = '';
  const options = { batchSize: SLOTS, burstWhenBatchFull: true, perJobResults: true } as const;
  await boss.work(QUEUE, options, (jobs) =>
    Promise.all(
      jobs.map(async ({ id }) => {
        last = id;
        await calls.call();
        return { id, status: 'completed' as const };
      }),
    ),
  );
  // It tells nobody when it has completed a job.
  const untilCompleted = async (id: string) => {
    while ((await boss.findJobs(QUEUE, { id }))[0]?.state !== 'completed');
  };
  return {
    run: async (_id, { waves, width }) => {
      const before = calls.count;
      for (let wave = 1; wave <= waves; wave += 1) {
        const jobs = Array.from({ length: width }, (_, nth) => ({ data: { nth } }));
        await boss.insert(QUEUE, jobs);
        await Promise.race([calls.reach(before + wave * width), broken.promise]);
        await untilCompleted(last);
      }
    },
    close: () => boss.stop(),
  };
}
