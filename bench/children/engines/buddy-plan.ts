import type { Registration, Workflow } from '../../../packages/agents/src/index.ts';
import type { Tool } from '../../../packages/core/src/index.ts';
import { SLOTS, type WavePlan } from './wave-plan.ts';

/**
 * The plan as orchestration of ours: the same on every engine. Each task is a workflow of its own, which calls the tool; all
 * in one lane of so many slots, or in none.
 */
export function planWith(
  tool: Tool,
  { slots = SLOTS, hasLane = true }: { slots?: number; hasLane?: boolean } = {},
): Registration {
  const runTask: Workflow = async (context, nth: number) => {
    const result = await context.activity({
      key: 'call',
      tool: tool.name,
      input: nth,
      work: context.id,
      taskId: context.id,
      actor: { kind: 'system', id: 'bench' },
      rationale: 'It is measured',
      attempt: 1,
      ...(hasLane && { lane: 'bench' }),
    });
    if (result.kind !== 'succeeded') throw new Error(`A call ended as ${result.kind}`);
  };
  return {
    workflows: { plan: runWaves, task: runTask },
    tools: [tool],
    lanes: { bench: slots },
  };
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
