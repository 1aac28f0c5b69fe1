import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { type Clock, systemClock, type Tool } from '@buddy/core';
import { z } from 'zod';
import type { Workflow } from '../../durable/durable-context.ts';
import type { Engine, Registration } from '../../durable/engine.ts';

/** Steps of each child, and the effect of the tool that each calls. */
export const FAULT_STEPS = ['keyed', 'once', 'keyed'] as const;
export const FAULT_LANES = { ada: 2, bob: 2 };

export interface FaultScenario {
  /** Where the oracle keeps what it saw: the provider's ledger, the client's log of acknowledgements. */
  folder: string;
  clock?: Clock;
  /** How long a call takes, in milliseconds. Default 4. */
  callMs?: number;
}

/**
 * What is to be registered in every process of the scenario: a root with children, each of which makes three calls and then
 * waits for a signal. Every call goes into the provider's ledger, a file, when it begins and when it is done.
 */
export function faultRegistration({
  folder,
  clock = systemClock,
  callMs = 4,
}: FaultScenario): Registration {
  const write = (what: string, input: unknown, tool: string) => {
    const { child, step } = CallInput.parse(input);
    appendFileSync(join(folder, 'ledger'), `${what} ${tool} ${child} ${step} ${pid}\n`);
  };
  const toolOf = (effect: 'keyed' | 'once'): Tool => ({
    name: effect,
    description: effect,
    tier: 1,
    effect,
    input: z.unknown(),
    output: z.unknown(),
    execute: async (input) => {
      write('begun', input, effect);
      await clock.sleep(callMs);
      write('done', input, effect);
      return null;
    },
  });
  return {
    workflows: { root: rootWorkflow, child: childWorkflow },
    tools: [toolOf('keyed'), toolOf('once')],
    lanes: FAULT_LANES,
  };
}

const CallInput = z.object({ child: z.int(), step: z.int() });

const childWorkflow: Workflow = async (ctx, n: number) => {
  for (const [step, tool] of FAULT_STEPS.entries()) {
    const { kind } = await ctx.activity({
      key: `${tool}/${step}`,
      tool,
      input: { child: n, step },
      work: `${ctx.id}/${tool}/${step}`,
      actor: { kind: 'system', id: 'test' },
      rationale: 'a test',
      attempt: 1,
      lane: n % 2 === 0 ? 'ada' : 'bob',
    });
    await ctx.emit(`fact/${step}`, { child: n, step, kind });
  }
  const answer = await ctx.waitFor<number>('go', { key: 'go', timeoutMs: 3_600_000 });
  return { n, answer };
};

const rootWorkflow: Workflow = async (ctx, children: number) =>
  ctx.joinAll(
    await ctx.spawnAll(
      Array.from({ length: children }, (_, n) => ({
        key: `${n}`,
        id: `child/${n}`,
        workflow: 'child',
        input: n,
      })),
    ),
  );

/**
 * Starts the scenario, signals each child twice over and waits for the end, from an engine that is open. May be done again,
 * and by several at once. What was acknowledged, and what it came to, goes into files of the scenario's folder.
 */
export async function driveFaults(
  engine: Engine,
  children: number,
  { folder, clock = systemClock }: FaultScenario,
): Promise<void> {
  const log = join(folder, 'client');
  const acknowledged = new Set(existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []);
  const acknowledge = (what: string) => appendFileSync(log, `${what}\n`);
  // What was acknowledged is not said again: else what an engine has lost would be made good here, and nobody know.
  if (!acknowledged.has('started')) await engine.start('root', 'root', children);
  acknowledge('started');
  for (let n = 0; n < children; n++) {
    if (acknowledged.has(`signalled ${n}`)) continue;
    while (!(await isThere(engine, `child/${n}`))) await clock.sleep(5);
    for (const value of [n, -1]) {
      await engine.signal(`child/${n}`, 'go', value, { key: `go/${n}` });
    }
    acknowledge(`signalled ${n}`);
  }
  const result = await engine.result('root');
  appendFileSync(join(folder, 'result'), `${JSON.stringify(result)}\n`);
  const facts: unknown[] = [];
  for await (const entry of engine.history()) if (entry.kind === 'told') facts.push(entry.value);
  writeFileSync(join(folder, 'facts'), JSON.stringify(facts));
}

async function isThere(engine: Engine, id: string): Promise<boolean> {
  for await (const view of engine.list()) if (view.id === id) return true;
  return false;
}
