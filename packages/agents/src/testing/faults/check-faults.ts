import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  abridged,
  FAULT_LANES,
  FAULT_STEPS,
  HALTED,
  HALTED_RESULT,
  paddingOf,
  placeOf,
} from './fault-scenario.ts';

/**
 * Looks at what the oracle of a scenario saw, from outside the engine:
 *
 * - all came to one end, and every signal arrived once, as it was sent first;
 * - what must happen once was not begun twice;
 * - no call was made again after the next one of the same workflow had begun;
 * - every other call happened;
 * - facts were told once, and none that is not so;
 * - no lane was fuller than it is wide;
 * - what was cancelled, and all below it, ended so, and saw to what it had to;
 * - nothing is left of what was to be forgotten, and the result is.
 * @returns What it saw: the processes that made calls, by their ids.
 * @throws {AssertionError} When it is not so.
 */
export function checkFaults(
  folder: string,
  children: number,
  { stoodStill = [] }: CheckOptions = {},
): { processes: readonly number[] } {
  const all = linesOf(folder, 'ledger').map(parseCall);
  const [closings, ledger] = partition(all, ({ tool }) => tool === 'closing');
  checkResult(folder, children);
  checkCalls(ledger, children);
  checkHalted(folder, closings);
  checkViews(folder, children);
  const steady = ledger.filter(({ pid }) => !stoodStill.includes(pid));
  checkOrder(steady);
  checkLanes(steady);
  checkFacts(folder, ledger, children);
  assert.deepEqual([...new Set(linesOf(folder, 'left'))], ['[]'], 'what was forgotten is there');
  return { processes: [...new Set(all.map(({ pid }) => pid))] };
}

export interface CheckOptions {
  /**
   * Processes that were taken for dead and came back. A call that one had in hand, or was about to make, came beside those that
   * took its place: nobody but the provider can tell. What must happen once is looked at all the same.
   */
  stoodStill?: readonly number[];
}

interface Call {
  what: 'begun' | 'done';
  tool: string;
  child: number;
  step: number;
  pid: number;
}

function parseCall(line: string): Call {
  const [what = '', tool = '', child, step, pid] = line.split(' ');
  assert(what === 'begun' || what === 'done', line);
  return { what, tool, child: Number(child), step: Number(step), pid: Number(pid) };
}

function partition<One>(all: readonly One[], isFirst: (one: One) => boolean): [One[], One[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

function nameOf({ child, step }: { child: number; step: number }): string {
  return `${child}/${step}`;
}

function checkResult(folder: string, children: number): void {
  // It was asked for twice, and a process that was killed with all done says the same again.
  const results = [...new Set(linesOf(folder, 'result'))];
  assert.equal(results.length, 1);
  const { value } = Result.parse(parseAny(results[0] ?? ''));
  assert.deepEqual(
    value.map((one) => one.value),
    Array.from({ length: children }, (_, n) => ({
      n,
      answer: { kind: 'received', value: { value: n, padding: shownPaddingOf(n) } },
    })),
  );
}

function shownPaddingOf(child: number): unknown {
  return parseAny(abridged(paddingOf(child)));
}

function checkHalted(folder: string, closings: readonly Call[]): void {
  const results = new Set(linesOf(folder, 'halted'));
  assert.deepEqual([...results].map(parseAny), [HALTED_RESULT]);
  const done = closings.filter(({ what }) => what === 'done').map(nameOf);
  assert.equal(new Set(done).size, HALTED.length * HALTED_RESULT.value.length);
}

/** Each has one end, as it is listed. */
function checkViews(folder: string, children: number): void {
  const views = Views.parse(parseAny(linesOf(folder, 'views').join('')));
  const completed = ['root', ...Array.from({ length: children }, (_, n) => `child/${n}`)];
  const cancelled = HALTED.flatMap((id) => [
    id,
    ...HALTED_RESULT.value.map((_, n) => `${id}/${n}`),
  ]);
  assert.deepEqual(
    views.map(({ id, status }) => `${id} ${status}`).toSorted(),
    [
      ...completed.map((id) => `${id} completed`),
      ...cancelled.map((id) => `${id} cancelled`),
    ].toSorted(),
  );
}

function checkCalls(ledger: readonly Call[], children: number): void {
  const begun = ledger.filter(({ what }) => what === 'begun');
  const once = begun.filter(({ tool }) => tool === 'once').map(nameOf);
  assert.equal(new Set(once).size, once.length, 'what must happen once was begun twice');
  const keyed = ledger.filter(({ what, tool }) => what === 'done' && tool === 'keyed').map(nameOf);
  const perChild = FAULT_STEPS.filter((tool) => tool === 'keyed').length;
  assert.equal(new Set(keyed).size, perChild * children, 'a call never happened');
}

function checkOrder(ledger: readonly Call[]): void {
  const reached = new Map<number, number>();
  for (const { what, child, step } of ledger) {
    if (what === 'done') continue;
    const latest = reached.get(child) ?? 0;
    assert(step >= latest, `step ${step} of child ${child} was called again after step ${latest}`);
    reached.set(child, step);
  }
}

/** Calls that were cut off are left out: nobody saw when they ended. */
function checkLanes(ledger: readonly Call[]): void {
  const identify = (call: Call) => `${nameOf(call)} ${call.pid}`;
  const done = new Set(ledger.filter(({ what }) => what === 'done').map(identify));
  for (const [lane, width] of Object.entries(FAULT_LANES)) {
    const inside = new Set<string>();
    for (const call of ledger) {
      if (placeOf(call.child).lane !== lane || !done.has(identify(call))) continue;
      if (call.what === 'begun') inside.add(identify(call));
      else inside.delete(identify(call));
      assert(inside.size <= width, `${inside.size} calls at once in lane ${lane}`);
    }
  }
}

function checkFacts(folder: string, ledger: readonly Call[], children: number): void {
  const facts = Facts.parse(parseAny(linesOf(folder, 'facts').join('')));
  assert.equal(new Set(facts.map(nameOf)).size, facts.length, 'a fact was told twice');
  assert.equal(facts.length, FAULT_STEPS.length * children, 'a fact was not told');
  const done = new Set(ledger.filter(({ what }) => what === 'done').map(nameOf));
  for (const fact of facts) {
    // What was under way when a process died, and must happen once, is told as unknown.
    if (FAULT_STEPS[fact.step] === 'keyed') assert.equal(fact.kind, 'succeeded');
    assert.equal(fact.padding, shownPaddingOf(fact.child));
    if (fact.kind === 'succeeded') assert(done.has(nameOf(fact)), 'what did not happen was told');
  }
}

const Answer = z.object({
  kind: z.string(),
  value: z.object({ value: z.int(), padding: z.string() }),
});
const Result = z.object({
  kind: z.literal('completed'),
  value: z.array(
    z.object({
      kind: z.literal('completed'),
      value: z.object({ n: z.int(), answer: Answer }),
    }),
  ),
});
const Views = z.array(z.object({ id: z.string(), status: z.string() }));
const Facts = z.array(
  z.object({ child: z.int(), step: z.int(), kind: z.string(), padding: z.string() }),
);

function parseAny(text: string): unknown {
  return JSON.parse(text);
}

function linesOf(folder: string, name: string): string[] {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}
