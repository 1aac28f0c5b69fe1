import { hash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { type Clock, systemClock, type Tool } from '@buddy/core';
import { z } from 'zod';
import type { Workflow } from '../../durable/durable-context.ts';
import type { Engine, Registration } from '../../durable/engine.ts';
import type { KillSwitch } from './kill-switch.ts';

/** Steps of each child, and the effect of the tool that each calls. */
export const FAULT_STEPS = ['keyed', 'once', 'keyed'] as const;
export const FAULT_LANES = { ada: 2, bob: 2 };
/** Cancelled at once, and when what is below them waits. */
export const HALTED = ['halted/early', 'halted/late'];
const BELOW_HALTED = 2;

export interface FaultScenario {
  /** Where the oracle keeps what it saw: the provider's ledger, the client's log of acknowledgements. */
  folder: string;
  clock?: Clock;
  /** How long a call takes, in milliseconds. Default 4. */
  callMs?: number;
  /** May kill the process in the middle of a call: the points `called`, see `FAULT_POINTS`. */
  killSwitch?: KillSwitch;
}

/** Where a child's calls are made; without a lane nothing holds them up, with a provider its rate limit does. */
export function placeOf(child: number): { lane?: keyof typeof FAULT_LANES; provider?: 'limited' } {
  if (child % 4 === 3) return {};
  const lane = child % 2 === 0 ? 'ada' : 'bob';
  return child % 4 === 2 ? { lane, provider: 'limited' } : { lane };
}

/** What goes with whatever one of the children says and is told; longer than an engine keeps in one piece. */
export function paddingOf(child: number): string {
  return child === 1 ? 'x'.repeat(300_000) : '';
}

/**
 * What is to be registered in every process of the scenario: a root with children, each of which naps, makes three calls and then
 * waits for a signal; and what is cancelled. Every call goes into the provider's ledger, a file, when it begins and when it is done.
 */
export function faultRegistration({
  folder,
  clock = systemClock,
  callMs = 4,
  killSwitch,
}: FaultScenario): Registration {
  const write = (what: string, input: unknown, tool: string) => {
    const { child, step } = CallInput.parse(input);
    appendFileSync(join(folder, 'ledger'), `${what} ${tool} ${child} ${step} ${pid}\n`);
  };
  const toolOf = (name: string, effect: 'keyed' | 'once'): Tool => ({
    name,
    description: effect,
    tier: 1,
    effect,
    input: z.unknown(),
    output: z.unknown(),
    execute: async (input) => {
      killSwitch?.pass('called', 'before');
      write('begun', input, name);
      killSwitch?.pass('called', 'within');
      await clock.sleep(callMs);
      write('done', input, name);
      killSwitch?.pass('called', 'after');
      return null;
    },
  });
  return {
    workflows: {
      root: rootWorkflow,
      child: childWorkflow,
      halted: haltedWorkflow,
      waits: waitsWorkflow,
    },
    tools: [toolOf('keyed', 'keyed'), toolOf('once', 'once'), toolOf('closing', 'keyed')],
    lanes: FAULT_LANES,
    providers: { limited: { starts: 1_000, perMs: 1_000 } },
  };
}

const CallInput = z.object({ child: z.int(), step: z.int() });
const BY_TEST = { actor: { kind: 'system', id: 'test' }, rationale: 'a test', attempt: 1 } as const;

interface Told {
  child: number;
  padding: string;
}

const childWorkflow: Workflow = async (ctx, { child, padding }: Told) => {
  await ctx.sleep('nap', 5);
  for (const [step, tool] of FAULT_STEPS.entries()) {
    const { kind } = await ctx.activity({
      key: `${tool}/${step}`,
      tool,
      input: { child, step, padding },
      work: `${ctx.id}/${tool}/${step}`,
      ...BY_TEST,
      ...placeOf(child),
    });
    await ctx.emit(`fact/${step}`, { child, step, kind, padding });
  }
  const answer = await ctx.waitFor<Signal>('go', { key: 'go', timeoutMs: 3_600_000 });
  return { n: child, answer };
};

interface Signal {
  value: number;
  padding: string;
}

const rootWorkflow: Workflow = async (ctx, children: number) =>
  ctx.joinAll(
    await ctx.spawnAll(
      Array.from({ length: children }, (_, child) => ({
        key: `${child}`,
        id: `child/${child}`,
        workflow: 'child',
        input: { child, padding: paddingOf(child) },
      })),
    ),
  );

const haltedWorkflow: Workflow = async (ctx) =>
  ctx.joinAll(
    await ctx.spawnAll(
      Array.from({ length: BELOW_HALTED }, (_, child) => ({
        key: `${child}`,
        id: `${ctx.id}/${child}`,
        workflow: 'waits',
        input: child,
      })),
    ),
  );

/** Waits for what never comes, and has something to see to when it is cancelled. */
const waitsWorkflow: Workflow = async (ctx, child: number) => {
  const { kind: waited } = await ctx.waitFor('never', { key: 'never', timeoutMs: 3_600_000 });
  const { kind: closed } = await ctx.activity({
    key: 'closing',
    tool: 'closing',
    input: { child, step: HALTED.findIndex((id) => ctx.id.startsWith(`${id}/`)) },
    work: `${ctx.id}/closing`,
    evenIfCancelled: true,
    lane: 'bob',
    ...BY_TEST,
  });
  return { waited, closed };
};

/** What each that is cancelled comes to. */
export const HALTED_RESULT = {
  kind: 'completed',
  value: Array.from({ length: BELOW_HALTED }, () => ({
    kind: 'completed',
    value: { waited: 'cancelled', closed: 'succeeded' },
  })),
};

/**
 * Starts the scenario, signals each child twice over, cancels what is to be cancelled, waits for the end and has it forgotten, from
 * an engine that is open. May be done again, and by several at once. What was acknowledged, and what it came to, goes into files of
 * the scenario's folder.
 */
export async function driveFaults(
  engine: Engine,
  children: number,
  { folder, clock = systemClock }: FaultScenario,
): Promise<void> {
  const log = join(folder, 'client');
  const acknowledged = new Set(existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []);
  // What was acknowledged is not said again: else what an engine has lost would be made good here, and nobody know.
  const once = async (what: string, work: () => Promise<unknown>) => {
    if (acknowledged.has(what)) return;
    await work();
    appendFileSync(log, `${what}\n`);
  };
  const until = async (id: string) => {
    while (!(await isThere(engine, id))) await clock.sleep(5);
  };
  await once('started', () => engine.start('root', 'root', children));
  for (const id of HALTED) await once(`started ${id}`, () => engine.start(id, 'halted', null));
  await once('cancelled early', () => engine.cancel('halted/early', 'enough'));
  for (let n = 0; n < children; n++) {
    await once(`signalled ${n}`, async () => {
      await until(`child/${n}`);
      for (const value of [n, -1]) {
        const signal: Signal = { value, padding: paddingOf(n) };
        await engine.signal(`child/${n}`, 'go', signal, { key: `go/${n}` });
      }
    });
  }
  await once('cancelled late', async () => {
    await until(`halted/late/${BELOW_HALTED - 1}`);
    await engine.cancel('halted/late', 'enough');
  });
  await tellEnd(engine, folder);
}

/** What all came to, what it told on the way, and what is left of that when it is to be forgotten. */
async function tellEnd(engine: Engine, folder: string): Promise<void> {
  const say = (name: string, what: unknown) =>
    appendFileSync(join(folder, name), `${abridged(what)}\n`);
  for (const id of HALTED) say('halted', await engine.result(id));
  say('result', await engine.result('root'));
  // What is forgotten later on is looked at once, and whole or not at all.
  if (!existsSync(join(folder, 'facts'))) {
    const views = [];
    for await (const { id, status } of engine.list()) views.push({ id, status });
    writeWhole(join(folder, 'views'), views);
    const facts = [];
    for await (const entry of engine.history()) if (entry.kind === 'told') facts.push(entry.value);
    writeWhole(join(folder, 'facts'), facts);
  }
  await engine.compact('root');
  const left = [];
  for await (const { workflowId, key } of engine.history()) {
    if (!HALTED.some((id) => workflowId.startsWith(id))) left.push({ workflowId, key });
  }
  say('left', left);
  say('result', await engine.result('root'));
}

/** JSON, in which whatever is long is a digest: it is the same or it is not. */
export function abridged(what: unknown): string {
  return JSON.stringify(what, (_, value: unknown) =>
    typeof value === 'string' && value.length > 200 ? hash('sha256', value) : value,
  );
}

function writeWhole(path: string, what: unknown): void {
  const draft = `${path}.${pid}`;
  writeFileSync(draft, abridged(what));
  renameSync(draft, path);
}

async function isThere(engine: Engine, id: string): Promise<boolean> {
  for await (const view of engine.list()) if (view.id === id) return true;
  return false;
}
