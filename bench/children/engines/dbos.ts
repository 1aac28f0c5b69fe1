import { DBOS } from '@dbos-inc/dbos-sdk';
import {
  type Calls,
  type EnginePlace,
  SLOTS,
  type WaveEngine,
  type WavePlan,
} from './wave-plan.ts';

/** Of tasks. */
const TASKS = 'tasks';
/** Of calls, which wait there for a place. */
const CALLS = 'calls';
/** How often queues and results are looked at; what our adapter does too. DBOS itself would look once a second. */
const POLLING = { pollingIntervalMs: 100 };
const QUEUE = { minPollingIntervalMs: POLLING.pollingIntervalMs };

let calls: Calls | undefined;

async function call(_nth: number): Promise<null> {
  return DBOS.runStep(async () => (await calls?.call()) ?? null, { name: 'call' });
}
const callWorkflow = DBOS.registerWorkflow(call, { name: 'call' });

/** A task that may wait for other things too, and must hold no place meanwhile. */
async function task(nth: number): Promise<null> {
  const handle = await DBOS.startWorkflow(callWorkflow, { queueName: CALLS })(nth);
  return handle.getResult(POLLING);
}
const taskWorkflow = DBOS.registerWorkflow(task, { name: 'task' });

/** As the README of DBOS fans out: a workflow for each task on a queue, then their results. */
async function plan({ waves, width }: WavePlan, hasLane: boolean): Promise<void> {
  const workflow = hasLane ? taskWorkflow : callWorkflow;
  for (let wave = 0; wave < waves; wave += 1) {
    const handles = [];
    for (let nth = 0; nth < width; nth += 1) {
      handles.push(await DBOS.startWorkflow(workflow, { queueName: TASKS })(nth));
    }
    for (const handle of handles) await handle.getResult(POLLING);
  }
}
const planWorkflow = DBOS.registerWorkflow(plan, { name: 'plan' });

/** Each task is a step of a workflow on a queue of so many places, as in the README. */
export function openDbos(place: EnginePlace, counted: Calls): Promise<WaveEngine> {
  return open(place, counted, { hasLane: false });
}

/** Each task is a workflow, whose call is another one on a queue of so many places: what our lanes do. */
export function openDbosLanes(place: EnginePlace, counted: Calls): Promise<WaveEngine> {
  return open(place, counted, { hasLane: true });
}

async function open(
  { databaseUrl }: EnginePlace,
  counted: Calls,
  { hasLane }: { hasLane: boolean },
): Promise<WaveEngine> {
  calls = counted;
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logLevel: 'error' });
  await DBOS.launch();
  await DBOS.registerQueue(TASKS, hasLane ? QUEUE : { ...QUEUE, concurrency: SLOTS });
  await DBOS.registerQueue(CALLS, { ...QUEUE, concurrency: SLOTS });
  return {
    run: async (id, wanted) => {
      const handle = await DBOS.startWorkflow(planWorkflow, { workflowID: id })(wanted, hasLane);
      await handle.getResult(POLLING);
    },
    close: () => DBOS.shutdown(),
  };
}
