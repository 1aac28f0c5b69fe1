import { DBOS } from '@dbos-inc/dbos-sdk';
import {
  type Calls,
  type EnginePlace,
  SLOTS,
  type WaveEngine,
  type WavePlan,
} from './wave-plan.ts';

const QUEUE = 'tasks';
/** How often queues and results are looked at; what our adapter does too. DBOS itself would look once a second. */
const POLL_MS = 100;

let calls: Calls | undefined;

async function task(_nth: number): Promise<null> {
  return DBOS.runStep(async () => (await calls?.call()) ?? null, { name: 'call' });
}
const taskWorkflow = DBOS.registerWorkflow(task, { name: 'task' });

/** As the README of DBOS fans out: a workflow for each task on a queue, then their results. */
async function plan({ waves, width }: WavePlan): Promise<void> {
  for (let wave = 0; wave < waves; wave += 1) {
    const handles = [];
    for (let nth = 0; nth < width; nth += 1) {
      handles.push(await DBOS.startWorkflow(taskWorkflow, { queueName: QUEUE })(nth));
    }
    for (const handle of handles) await handle.getResult({ pollingIntervalMs: POLL_MS });
  }
}
const planWorkflow = DBOS.registerWorkflow(plan, { name: 'plan' });

export async function openDbos({ databaseUrl }: EnginePlace, counted: Calls): Promise<WaveEngine> {
  calls = counted;
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logLevel: 'error' });
  await DBOS.launch();
  await DBOS.registerQueue(QUEUE, { concurrency: SLOTS, minPollingIntervalMs: POLL_MS });
  return {
    run: async (id, wanted) => {
      const handle = await DBOS.startWorkflow(planWorkflow, { workflowID: id })(wanted);
      await handle.getResult({ pollingIntervalMs: POLL_MS });
    },
    close: () => DBOS.shutdown(),
  };
}
