import type { Engine, Workflow } from '../../../packages/agents/src/index.ts';
import { defineTool } from '../../../packages/core/src/index.ts';
import { z } from 'zod';
import { type Calls, SLOTS, type WaveEngine, type WavePlan } from './wave-plan.ts';

const NOTHING = 'bench.nothing.do';
const LANE = 'bench';

/** The plan as orchestration of ours: the same on every engine. Each task is a workflow of its own. */
export async function runPlanOn(engine: Engine, calls: Calls): Promise<WaveEngine> {
  registerPlan(engine, calls.call);
  await engine.open();
  return {
    run: async (id, plan) => {
      await engine.start(id, 'plan', plan);
      const result = await engine.result(id);
      if (result.kind === 'failed') throw new Error(result.failure.message);
    },
    close: () => engine.close(),
  };
}

/** @param call What each task does; it is given the task's id. */
export function registerPlan(
  engine: Engine,
  call: (taskId: string) => Promise<null>,
  slots = SLOTS,
): void {
  const nothing = defineTool({
    name: NOTHING,
    description: 'Does nothing',
    tier: 1,
    effect: 'pure',
    input: z.unknown(),
    output: z.null(),
    execute: (_input, { taskId = '' }) => call(taskId),
  });
  engine.register({
    workflows: { plan: runWaves, task: runTask },
    tools: [nothing],
    lanes: { [LANE]: slots },
  });
}

const runWaves: Workflow = async (context, { waves, width }: WavePlan) => {
  for (let wave = 0; wave < waves; wave += 1) {
    const tasks = await context.spawnAll(
      Array.from({ length: width }, (_, nth) => ({
        key: `${wave}/${nth}`,
        id: `${context.id}/${wave}/${nth}`,
        workflow: 'task',
        input: nth,
      })),
    );
    for (const result of await context.joinAll(tasks)) {
      if (result.kind === 'failed') throw new Error(result.failure.message);
    }
  }
};

const runTask: Workflow = async (context, nth: number) => {
  const result = await context.activity({
    key: 'call',
    tool: NOTHING,
    input: nth,
    work: context.id,
    taskId: context.id,
    actor: { kind: 'system', id: 'bench' },
    rationale: 'It is measured',
    attempt: 1,
    lane: LANE,
  });
  if (result.kind !== 'succeeded') throw new Error(`A call ended as ${result.kind}`);
};
