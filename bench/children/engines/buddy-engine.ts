import type { Engine } from '../../../packages/agents/src/index.ts';
import { defineTool, type Tool } from '../../../packages/core/src/index.ts';
import { z } from 'zod';
import { planWith } from './buddy-plan.ts';
import type { Calls, WaveEngine } from './wave-plan.ts';

export async function openBuddy(
  engine: Engine,
  calls: Calls,
  { hasLane = true } = {},
): Promise<WaveEngine> {
  engine.register(planWith(toolThat(calls.call), { hasLane }));
  await engine.open();
  return {
    run: (id, plan) => completed(engine, id, 'plan', plan),
    close: () => engine.close(),
  };
}

export function toolThat(execute: () => Promise<null>): Tool {
  return defineTool({
    name: 'bench.call',
    description: 'Does nothing, or takes its time',
    tier: 1,
    effect: 'pure',
    input: z.unknown(),
    output: z.null(),
    execute,
  });
}

/** Starts a workflow and waits for its end. */
export async function completed(
  engine: Engine,
  id: string,
  workflow: string,
  input: unknown,
): Promise<void> {
  await engine.start(id, workflow, input);
  const result = await engine.result(id);
  if (result.kind === 'failed') throw new Error(result.failure.message);
}
