import { join } from 'node:path';
import { OpenWorkflow } from 'openworkflow';
import { BackendSqlite } from 'openworkflow/sqlite';
import { type Calls, type EnginePlace, SLOTS, type WaveEngine } from './wave-plan.ts';

/**
 * A run for each task, of one step, by a worker. Its SQLite is as it comes: WAL, and synchronous FULL, which is what
 * SQLite does when it is not told otherwise. A wave is over when its last step has been made: `result()` would look but once
 * a second.
 */
export async function openOpenWorkflow({ folder }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  const backend = BackendSqlite.connect(join(folder, 'openworkflow.db'));
  const client = new OpenWorkflow({ backend });
  const task = client.defineWorkflow({ name: 'task' }, ({ step }) =>
    step.run({ name: 'call' }, calls.call),
  );
  const worker = client.newWorker({ concurrency: SLOTS });
  await worker.start();
  return {
    run: async (_id, { waves, width }) => {
      const before = calls.count;
      for (let wave = 1; wave <= waves; wave += 1) {
        await Promise.all(Array.from({ length: width }, (_, nth) => task.run({ nth })));
        await calls.reach(before + wave * width);
      }
    },
    close: async () => {
      await worker.stop();
      await backend.stop();
    },
  };
}
