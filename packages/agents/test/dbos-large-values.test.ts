import type { ActivityCall, DurableContext, Engine, Workflow } from '@buddy/agents';
import { createDbosEngine } from '@buddy/agents/dbos';
import { defineTool, systemClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, sharePostgres } from './dbos-postgres.ts';

const postgres = sharePostgres();

/** Of all tables of DBOS, and of the books. */
async function longestRows(databaseUrl: string): Promise<{ table: string; bytes: number }[]> {
  const tables = await ask<{ name: string }>(
    databaseUrl,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname = 'dbos' OR (schemaname = 'buddy' AND tablename <> 'large_values')`,
  );
  const sizes = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS table, coalesce(max(octet_length(t::text)), 0) AS bytes FROM ${name} t`,
  );
  return ask(databaseUrl, sizes.join(' UNION ALL '));
}

async function kept(databaseUrl: string): Promise<string[]> {
  const rows = await ask<{ name: string }>(
    databaseUrl,
    `SELECT substring(text FROM '^"([^:]*):') AS name FROM buddy.large_values`,
  );
  return rows.map(({ name }) => name).toSorted();
}

/** 600 KB that are nobody else's. */
function large(name: string): string {
  return `${name}:`.padEnd(600_000, `${name} `);
}

/** What it is, if it has arrived whole. */
function nameOf(value: unknown): string {
  const name = String(value).split(':', 1)[0] ?? '';
  return value === large(name) ? name : `not whole: ${String(value).slice(0, 100)}`;
}

function callOf({ id }: DurableContext, key: string, change: Partial<ActivityCall>): ActivityCall {
  const actor = { kind: 'system', id: 'test' } as const;
  const work = `${id}/${key}`;
  return {
    key,
    tool: 'test.echo',
    input: '',
    work,
    actor,
    rationale: 'a test',
    attempt: 1,
    ...change,
  };
}

async function answerTo(ctx: DurableContext, key: string, change: Partial<ActivityCall>) {
  const came = await ctx.activity<string>(callOf(ctx, key, change));
  return came.kind === 'succeeded' ? nameOf(came.value) : came.failure.message;
}

const everything: Workflow = async (ctx, input: string) => {
  const seen = [nameOf(input)];
  seen.push(await answerTo(ctx, 'here', { input: large('here') }));
  seen.push(await answerTo(ctx, 'lane', { input: large('lane'), lane: 'ada' }));
  await ctx.emit('fact', { text: large('fact') });
  const came = await ctx.waitFor<string>('topic', { key: 'wait', timeoutMs: 60_000 });
  seen.push(came.kind === 'received' ? nameOf(came.value) : came.kind);
  const child = { key: 'c', id: `${ctx.id}/c`, workflow: 'child', input: large('below') };
  for (const one of await ctx.joinAll<{ came: string }>(await ctx.spawnAll([child]))) {
    seen.push(one.kind === 'completed' ? nameOf(one.value.came) : one.failure.message);
  }
  return { seen, text: large('result') };
};
const child: Workflow = async (_ctx, input: string) => ({
  seen: nameOf(input),
  came: large('child'),
});
const sharing: Workflow = async (ctx, input: string) =>
  answerTo(ctx, 'call', { input, lane: 'ada' });

const small: Workflow = async (ctx, input: string) => {
  await ctx.emit('fact', { input });
  const { kind } = await ctx.activity(callOf(ctx, 'call', { tool: 'test.none', lane: 'ada' }));
  const came = await ctx.waitFor('topic', { key: 'wait', timeoutMs: 60_000 });
  const one = { key: 'c', id: `${ctx.id}/c`, workflow: 'none', input: 1 };
  return { kind, came, joined: await ctx.joinAll(await ctx.spawnAll([one])) };
};
const none: Workflow = async () => '@not a reference';
/** Does not wait for what it has asked for. */
const hasty: Workflow = async (ctx) => {
  void ctx.activity(callOf(ctx, 'call', { input: large('hasty'), lane: 'ada' }));
  return null;
};

const echoed: string[] = [];
const echo = defineTool({
  name: 'test.echo',
  description: 'Says what it has heard, and answers what is large.',
  tier: 1,
  effect: 'keyed',
  input: z.string(),
  output: z.string(),
  execute: async (input) => {
    if (input !== '') echoed.push(nameOf(input));
    return large('answer');
  },
});

const WHAT_CAME = ['input', 'answer', 'answer', 'signal', 'child'];

/** An engine in the place of a process; it makes the same as the one before. */
async function open(databaseUrl: string): Promise<Engine> {
  const engine = createDbosEngine({ databaseUrl, pollMs: 20, sweepEveryMs: 50, deadAfterMs: 0 });
  const workflows = { everything, child, sharing };
  engine.register({ workflows, tools: [echo], lanes: { ada: 4 } });
  await engine.open();
  return engine;
}

describe('a value of more than 256 KB, over DBOS', () => {
  it('arrives whole, is kept once, beside the rows, and goes with the last that refers to it', async () => {
    const databaseUrl = await postgres.createDatabase('large');
    echoed.length = 0;
    const first = await open(databaseUrl);
    const told: unknown[] = [];
    first.subscribe(({ text }: { text: string }) => told.push(nameOf(text)));
    await first.start('w', 'everything', large('input'));
    while (told.length === 0) await systemClock.sleep(10);
    await first.close();
    const second = await open(databaseUrl);
    await second.signal('w', 'topic', large('signal'), { key: 'k' });
    await second.signal('w', 'other', large('unheard'), { key: 'l' });
    const result = await second.result('w');
    expect(result).toEqual({
      kind: 'completed',
      value: { seen: WHAT_CAME, text: large('result') },
    });
    expect(echoed).toEqual(['here', 'lane']);
    expect(told).toEqual(['fact']);
    await second.start('v', 'sharing', '');
    expect(await second.result('v')).toEqual({ kind: 'completed', value: 'answer' });

    const all = [
      'answer',
      'below',
      'child',
      'fact',
      'input',
      'lane',
      'result',
      'signal',
      'unheard',
    ];
    expect(await kept(databaseUrl)).toEqual(all);
    const rows = await longestRows(databaseUrl);
    expect(rows.map(({ table }) => table)).toContain('dbos.workflow_status');
    expect(rows.filter(({ bytes }) => bytes > 10_000)).toEqual([]);
    const history = [];
    for await (const { kind, workflowId, key, value } of second.history<
      { text: string },
      { value: string }
    >()) {
      const text = kind === 'told' ? value.text : value.value;
      history.push({ kind, workflowId, key, text: nameOf(text) });
    }
    expect(history).toEqual([
      { kind: 'recorded', workflowId: 'w', key: 'here', text: 'answer' },
      { kind: 'recorded', workflowId: 'w', key: 'lane', text: 'answer' },
      { kind: 'told', workflowId: 'w', key: 'fact', text: 'fact' },
      { kind: 'recorded', workflowId: 'v', key: 'call', text: 'answer' },
    ]);
    const views = [];
    for await (const { id, status } of second.list()) views.push(`${id} ${status}`);
    expect(views.toSorted()).toEqual(['v completed', 'w completed', 'w/c completed']);

    await second.compact('w');
    expect(await kept(databaseUrl)).toEqual(['answer', 'input', 'result']);
    await second.compact('v');
    expect(await kept(databaseUrl)).toEqual(['input', 'result']);
    expect(await second.result('w')).toEqual(result);
    await second.close();
  });

  it('is not kept of a start that came too late', async () => {
    const databaseUrl = await postgres.createDatabase('large_late');
    const engine = createDbosEngine({ databaseUrl, takes: [] });
    engine.register({ workflows: { child }, tools: [], lanes: {} });
    expect(await engine.start('w', 'child', large('input'))).toEqual({ created: true });
    expect(await engine.start('w', 'child', large('input'))).toEqual({ created: false });
    expect(await engine.start('w', 'child', large('late'))).toEqual({ created: false });
    expect(await engine.start('w', 'child', 'small')).toEqual({ created: false });
    expect(await kept(databaseUrl)).toEqual(['input']);
    await engine.close();
  });

  it('stays when one compacts what refers to it as another begins to refer to it', async () => {
    const databaseUrl = await postgres.createDatabase('large_race');
    const engine = await open(databaseUrl);
    await engine.start('w', 'sharing', '');
    await engine.result('w');
    // The value has been found there, and that it is used is not known yet.
    await ask(
      databaseUrl,
      `CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
       CREATE TRIGGER dawdle BEFORE INSERT ON buddy.large_uses FOR EACH ROW WHEN (NEW.workflow_id = 'v') EXECUTE FUNCTION public.dawdle()`,
    );
    echoed.length = 0;
    await engine.start('v', 'sharing', 'once');
    const between = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'large_race'`;
    while ((await ask(databaseUrl, between)).length === 0) await systemClock.sleep(10);
    await engine.compact('w');
    expect(await engine.result('v')).toEqual({ kind: 'completed', value: 'answer' });
    expect(echoed).toHaveLength(1); // it was kept at the first time
    expect(await kept(databaseUrl)).toEqual(['answer']);
    await engine.compact('v');
    expect(await kept(databaseUrl)).toEqual([]);
    await engine.close();
  });

  it('is not waited for by a call when whoever asked for it has been compacted', async () => {
    const databaseUrl = await postgres.createDatabase('large_hasty');
    const planner = createDbosEngine({ databaseUrl, pollMs: 20, takes: ['workflows'] });
    planner.register({ workflows: { hasty }, tools: [], lanes: { ada: 1 } });
    await planner.start('w', 'hasty', null);
    await planner.result('w');
    const call = `SELECT status FROM dbos.workflow_status WHERE workflow_uuid = 'w/call:call'`;
    while ((await ask(databaseUrl, call)).length === 0) await systemClock.sleep(20);
    await planner.compact('w');
    await planner.close();
    expect(await kept(databaseUrl)).toEqual([]);
    echoed.length = 0;
    const engine = createDbosEngine({ databaseUrl, pollMs: 20, takes: ['calls'] });
    engine.register({ workflows: {}, tools: [echo], lanes: { ada: 1 } });
    await engine.open();
    const ended = `${call} AND status = 'SUCCESS'`;
    while ((await ask(databaseUrl, ended)).length === 0) await systemClock.sleep(20);
    expect(echoed).toEqual([]);
    await engine.close();
  });

  it('costs nothing where all is small', async () => {
    const databaseUrl = await postgres.createDatabase('large_none');
    // Whoever asked for it would fail.
    await ask(databaseUrl, 'ALTER TABLE buddy.large_values RENAME TO elsewhere');
    await ask(
      databaseUrl,
      'DROP FUNCTION buddy.keep_large(text[], text[], text[], text[], text[])',
    );
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { small, none }, tools: [], lanes: { ada: 1 } });
    await engine.start('w', 'small', '@');
    await engine.signal('w', 'topic', '@@', { key: 'k' });
    expect(await engine.result('w')).toEqual({
      kind: 'completed',
      value: {
        kind: 'failed',
        came: { kind: 'received', value: '@@' },
        joined: [{ kind: 'completed', value: '@not a reference' }],
      },
    });
    await engine.close();
  });

  it('is read as an older version has kept it, in the row', async () => {
    const databaseUrl = await postgres.createDatabase('large_older');
    await ask(
      databaseUrl,
      `UPDATE buddy.engine_schema SET version = 2;
       DROP TABLE buddy.large_uses, buddy.large_values;
       DROP FUNCTION buddy.forget(text, text[]), buddy.forget_inputs(text, text[]), buddy.keep_large(text[], text[], text[], text[], text[]);
       INSERT INTO buddy.entries (name, workflow_id, kind, key, at, value)
         VALUES ('buddy', 'old', 'told', 'k', 1, to_json(repeat('@x', 300000))::text)`,
    );
    const engine = await open(databaseUrl);
    const values = [];
    for await (const { value } of engine.history()) values.push(value);
    expect(values).toEqual(['@x'.repeat(300_000)]);
    await engine.start('v', 'sharing', '');
    expect(await engine.result('v')).toEqual({ kind: 'completed', value: 'answer' });
    expect(await kept(databaseUrl)).toEqual(['answer']);
    await engine.close();
  });
});
