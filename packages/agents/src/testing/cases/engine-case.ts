import assert from 'node:assert/strict';
import type { Clock, Tool } from '@buddy/core';
import { z } from 'zod';
import type { ActivityCall, Workflow } from '../../durable/durable-context.ts';
import type { Engine, WorkflowResult } from '../../durable/engine.ts';
import type { EnginePlace } from '../engine-place.ts';

/** Something that every engine does. */
export interface EngineCase {
  /** A sentence of which the engine is the subject. */
  title: string;
  /** Needs more than one process, or what outlives one. */
  isDurable: boolean;
  run: (place: EnginePlace, options: { toleranceMs: number }) => Promise<unknown>;
}

export const NAP_MS = 300;
export const LONG_MS = 3_600_000;

const any = z.unknown();

export function toolOf(
  name: string,
  execute: Tool['execute'],
  effect: Tool['effect'] = 'pure',
): Tool {
  return { name, description: name, tier: 1, effect, input: any, output: any, execute };
}

export function callOf(tool: string, change: Partial<ActivityCall> = {}): ActivityCall {
  return {
    key: tool,
    tool,
    input: null,
    work: `work/${tool}`,
    actor: { kind: 'system', id: 'test' },
    rationale: 'a test',
    attempt: 1,
    ...change,
  };
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the case knows what its workflow returns
export function valueOf<Value>(result: WorkflowResult): Value {
  assert(result.kind === 'completed');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the case knows what its workflow returns
  return result.value as Value;
}

export function completed(value: unknown) {
  return { kind: 'completed', value } as const;
}

/** A call that is under way when its process ends. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

export const waiting: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS });

export async function until(clock: Clock, isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await clock.sleep(20);
}

export const isListed = async (engine: Engine, id: string) =>
  (await all(engine.list())).some((view) => view.id === id);

export const misuse = { code: 'AGENTS_ENGINE_MISUSE' };
