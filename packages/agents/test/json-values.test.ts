/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the test that it is for */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runInNewContext } from 'node:vm';
import { createEngine, type Engine, openJournal, type Workflow } from '@buddy/agents';
import { defineTool } from '@buddy/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-values-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the tool answers, and what the workflow returns and tells: the answer, or the signal that it waits for. */
let answer: unknown;
const give = defineTool({
  name: 'give',
  description: 'Gives what the test says.',
  tier: 1,
  effect: 'pure',
  input: z.unknown(),
  output: z.unknown(),
  execute: async () => answer,
});
const HOUR_MS = 3_600_000;
const call: Workflow = async (ctx, input: unknown) => {
  const actor = { kind: 'system', id: 'test' } as const;
  const words = { rationale: 'a test', attempt: 1, actor, work: ctx.id };
  const came = await ctx.activity({ key: 'give', tool: 'give', input: null, ...words });
  await ctx.emit('came', { came });
  return { input, came };
};
const wait: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: HOUR_MS });
const tell: Workflow = (ctx) => ctx.emit('fact', { answer });
const back: Workflow = async () => answer;
const spawn: Workflow = (ctx) =>
  ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'wait', input: answer }]);

async function open(): Promise<Engine> {
  const engine = createEngine({ store: openJournal({ file }) });
  engine.register({ workflows: { call, wait, tell, back, spawn }, tools: [give], lanes: {} });
  await engine.open();
  return engine;
}

const circle: Record<string, unknown> = {};
circle['again'] = { circle };

describe('what an engine remembers', () => {
  it.each([
    ['a function', { deep: [{ f: () => 1 }] }, 'a function at ["deep"][0]["f"]'],
    ['a BigInt', { n: 10n }, 'a bigint at ["n"]'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['a circle', circle, 'a circle at ["again"]["circle"]'],
    ['undefined in a list', { list: [1, undefined] }, 'undefined, in a list, at ["list"][1]'],
    ['a number that is none', [Number.NaN], 'NaN at [0]'],
    ['a Map', { map: new Map() }, 'a Map at ["map"]'],
    ['an object of a class', new URLSearchParams('a=1'), 'a URLSearchParams'],
  ])('is JSON, and so cannot be %s', async (_what, value, message) => {
    answer = value;
    const engine = await open();
    const refused = { code: 'AGENTS_NOT_JSON', message: expect.stringContaining(message) };
    await expect(engine.start('w', 'wait', value)).rejects.toMatchObject(refused);
    await engine.start('w', 'wait', null);
    await expect(engine.signal('w', 'topic', value, { key: 'k' })).rejects.toMatchObject(refused);
    for (const workflow of ['tell', 'back', 'spawn']) {
      await engine.start(workflow, workflow, null);
      const { code } = refused;
      expect(await engine.result(workflow)).toMatchObject({ kind: 'failed', failure: { code } });
    }
    await engine.start('call', 'call', null);
    expect(await engine.result('call')).toMatchObject({
      value: { came: { kind: 'failed', failure: { code: 'AGENTS_OUTPUT_NOT_JSON' } } },
    });
    await engine.close();
  });

  it('is seen at first as it is seen after a restart', async () => {
    answer = {
      at: new Date(0),
      left: undefined,
      elsewhere: runInNewContext('({ a: [1] })'),
      bare: Object.assign(Object.create(null), { b: 1 }),
      itself: { toJSON: () => [null] },
    };
    const told: unknown[] = [];
    const first = await open();
    first.subscribe((fact) => told.push(fact));
    await first.start('w', 'call', answer);
    const result = await first.result('w');
    const value = {
      at: new Date(0).toISOString(),
      elsewhere: { a: [1] },
      bare: { b: 1 },
      itself: [null],
    };
    expect(result).toStrictEqual({
      kind: 'completed',
      value: { input: value, came: expect.objectContaining({ value }) },
    });
    await first.close();
    const second = await open();
    expect(await second.result('w')).toStrictEqual(result);
    const kept: unknown[] = [];
    for await (const { kind, value: fact } of second.history()) {
      if (kind === 'told') kept.push(fact);
    }
    expect(told).toStrictEqual(kept);
    await second.close();
  });
});

function rows(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

const MEGABYTE = 1_000_000;

describe('a value of more than 256 KB', () => {
  it('is kept once and outside of the rows, and is the same after a restart', async () => {
    answer = { text: 'x'.repeat(MEGABYTE), small: ['@', '@@a'] };
    const first = await open();
    await first.start('w', 'call', answer);
    const result = await first.result('w');
    expect(result).toMatchObject({ value: { input: answer, came: { value: answer } } });
    await first.close();
    expect(rows('SELECT length(text) AS length FROM large_values')).toEqual([
      { length: MEGABYTE + 2 },
    ]);
    const longest =
      'SELECT max(length(value)) AS n FROM entries UNION SELECT max(length(result)) FROM workflows';
    for (const { n } of rows(longest)) expect(Number(n)).toBeLessThan(1_000);
    const second = await open();
    expect(await second.result('w')).toEqual(result);
    const history = [];
    for await (const { kind, value } of second.history()) history.push({ kind, value });
    expect(history).toEqual([
      { kind: 'recorded', value: expect.objectContaining({ value: answer }) },
      { kind: 'told', value: { came: expect.objectContaining({ value: answer }) } },
    ]);
    await second.close();
  });

  it('reaches a workflow as a signal, also after a restart', async () => {
    const first = await open();
    await first.start('w', 'wait', null);
    await first.start('v', 'wait', null);
    await first.signal('v', 'other', 'y'.repeat(MEGABYTE), { key: 'k' });
    await first.close();
    const second = await open();
    await second.signal('w', 'topic', 'x'.repeat(MEGABYTE), { key: 'k' });
    expect(await second.result('w')).toEqual({
      kind: 'completed',
      value: { kind: 'received', value: 'x'.repeat(MEGABYTE) },
    });
    await second.close();
  });

  it('is gone when the workflow is compacted, but for what it began with and came to', async () => {
    const engine = await open();
    const count = () => rows('SELECT digest FROM large_values').length;
    answer = 'x'.repeat(MEGABYTE);
    await engine.start('w', 'call', 'i'.repeat(MEGABYTE));
    const result = await engine.result('w');
    answer = 1;
    await engine.start('v', 'call', null);
    await engine.result('v');
    await engine.start('s', 'wait', null);
    await engine.signal('s', 'topic', 's'.repeat(MEGABYTE), { key: 'k' });
    await engine.signal('s', 'other', 't'.repeat(MEGABYTE), { key: 'l' });
    await engine.result('s');
    expect(count()).toBe(4);
    await engine.compact('v');
    expect(count()).toBe(4);
    await engine.compact('s'); // what it received is what it came to; the other signal is not
    expect(count()).toBe(3);
    await engine.compact('w');
    expect(count()).toBe(3);
    expect(await engine.result('w')).toEqual(result);
    await engine.close();
  });

  it('may be in any place of any JSON', async () => {
    const parts = fc.sample(fc.tuple(fc.jsonValue(), fc.jsonValue(), fc.string()), 30);
    const first = await open();
    const answers = new Map<string, unknown>();
    for (const [n, [a, b, key]] of parts.entries()) {
      const large = { '@': b, list: [a, 'x'.repeat(300_000), a], [key]: 'y'.repeat(300_000), b };
      answer = large;
      answers.set(`w${n}`, JSON.parse(JSON.stringify(large)));
      await first.start(`w${n}`, 'back', null);
      await first.result(`w${n}`);
    }
    await first.close();
    const second = await open();
    for (const [id, value] of answers) {
      expect(await second.result(id)).toEqual({ kind: 'completed', value });
    }
    await second.close();
    expect(rows('SELECT digest FROM large_values')).toHaveLength(2);
  });
});
