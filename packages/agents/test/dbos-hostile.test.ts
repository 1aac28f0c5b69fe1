import type { ActivityCall, DurableContext, Workflow } from '@buddy/agents';
import { createDbosEngine } from '@buddy/agents/dbos';
import { startPostgres } from '@buddy/agents/testing';
import { defineTool, systemClock } from '@buddy/core';
import { DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { ask, sharePostgres } from './dbos-postgres.ts';

const postgres = sharePostgres();

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await systemClock.sleep(20);
}

const nothing: Workflow = async () => null;
const tellBigInt: Workflow = (ctx) => ctx.emit('fact', { n: 1n });
const beginWithBigInt: Workflow = (ctx) =>
  ctx.spawnAll([{ key: 'below', id: 'below', workflow: 'tellBigInt', input: 1n }]);
const leaves: Workflow = (ctx) =>
  ctx.spawnAll([{ key: 'below', id: 'below', workflow: 'tellsLate', input: null }]);
const nap: Workflow = (ctx) => ctx.sleep('nap', 2_000);
const wait: Workflow = (ctx) => ctx.waitFor('go', { key: 'wait', timeoutMs: 2_000 });
const longNap: Workflow = (ctx) => ctx.sleep('nap', 1_800_000);
const longWait: Workflow = (ctx) => ctx.waitFor('go', { key: 'wait', timeoutMs: 1_800_000 });
const askOnce: Workflow = async (ctx) => (await ctx.activity(callOf(ctx, 'test.hang'))).kind;
const askHere: Workflow = async (ctx) => (await ctx.activity(callOf(ctx, 'test.answer'))).kind;
const askInLane: Workflow = async (ctx) =>
  (await ctx.activity({ ...callOf(ctx, 'test.answer'), lane: 'ada' })).kind;
const passThenAnswer: Workflow = async (ctx) => {
  await ctx.activity(callOf(ctx, 'test.gate'));
  return (await ctx.activity({ ...callOf(ctx, 'test.answer'), lane: 'ada' })).kind;
};

const ANSWERS = `buddy.entries FOR EACH ROW WHEN (NEW.kind = 'recorded')`;
const MAIL = 'dbos.notifications FOR EACH ROW';

/** Postgres keeps none of so many that come next. */
async function refuse(databaseUrl: string, times: number, rows = ANSWERS): Promise<void> {
  await ask(
    databaseUrl,
    `CREATE SEQUENCE public.refusals;
     CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF nextval('public.refusals') <= ${times} THEN RAISE 'not now'; END IF;
         RETURN NEW;
       END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON ${rows} EXECUTE FUNCTION public.refuse()`,
  );
}

function callOf({ id }: DurableContext, tool: string): ActivityCall {
  return {
    key: tool,
    tool,
    input: null,
    work: `${id}/${tool}`,
    actor: { kind: 'system', id: 'test' },
    rationale: 'a test',
    attempt: 1,
  };
}

const answer = defineTool({
  name: 'test.answer',
  description: 'Answers.',
  tier: 1,
  effect: 'keyed',
  input: z.unknown(),
  output: z.null(),
  execute: async () => null,
});
const hang = defineTool({
  name: 'test.hang',
  description: 'Never answers, unless it is told to stop.',
  tier: 1,
  effect: 'once',
  input: z.unknown(),
  output: z.null(),
  execute: () => new Promise<null>(() => undefined),
});

describe('a database that does not fit', () => {
  it('is left as it is when a newer version made its tables, functions included', async () => {
    const databaseUrl = await postgres.createDatabase('untouched');
    const newer = `CREATE OR REPLACE FUNCTION buddy.last_whole_entry(p_name text) RETURNS bigint LANGUAGE sql AS 'SELECT 42::bigint'`;
    await ask(databaseUrl, newer);
    await ask(databaseUrl, 'UPDATE buddy.engine_schema SET version = 99');
    const engine = createDbosEngine({ databaseUrl });
    await expect(engine.open()).rejects.toMatchObject({ code: 'AGENTS_ENGINE_STORAGE_VERSION' });
    await engine.close();
    expect(await ask(databaseUrl, `SELECT buddy.last_whole_entry('buddy') AS found`)).toEqual([
      { found: '42' },
    ]);
  });

  it('is brought up to date when an older version made its tables', async () => {
    const databaseUrl = await postgres.createDatabase('older');
    await ask(databaseUrl, 'UPDATE buddy.engine_schema SET version = 1');
    await ask(databaseUrl, 'DROP TABLE buddy.compacted');
    const engine = createDbosEngine({ databaseUrl, takes: [] });
    await engine.open();
    await engine.close();
    const [found] = await ask(
      databaseUrl,
      `SELECT version, to_regclass('buddy.compacted') IS NOT NULL AS is_there FROM buddy.engine_schema`,
    );
    expect(found).toEqual({ version: 4, is_there: true });
  });

  it('is named in the error when it lets nobody in, without the password', async () => {
    const url = new URL(postgres.url);
    url.pathname = '/nowhere';
    url.password = 'guessed';
    const engine = createDbosEngine({ databaseUrl: url.href });
    const failure = await engine.open().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'AGENTS_ENGINE_CONNECTION',
      message: expect.stringMatching(
        /database nowhere at 127\.0\.0\.1:\d+ as buddy: .*see databaseUrl/,
      ),
    });
    expect(String(failure)).not.toContain('guessed');
    await engine.close();
  });
});

describe('an engine over DBOS', () => {
  it('refuses an id that Postgres could not keep', async () => {
    const databaseUrl = await postgres.createDatabase('ids');
    const engine = createDbosEngine({ databaseUrl, takes: [] });
    engine.register({ workflows: { nothing }, tools: [], lanes: {} });
    for (const id of ['', 'a\0b', 'x'.repeat(501)]) {
      await expect(engine.start(id, 'nothing', null)).rejects.toMatchObject({
        code: 'AGENTS_ENGINE_MISUSE',
      });
    }
    expect(await engine.start('x'.repeat(500), 'nothing', null)).toEqual({ created: true });
    await engine.close();
  });

  it('leaves to those who make calls how many they make at once', async () => {
    const databaseUrl = await postgres.createDatabase('widths');
    for (const options of [
      { takes: ['calls'], callsAtOnce: 20 },
      { takes: ['workflows'], callsAtOnce: 3 },
    ] as const) {
      const engine = createDbosEngine({ databaseUrl, ...options, takes: [...options.takes] });
      engine.register({ workflows: { nothing }, tools: [], lanes: { ada: 2 } });
      await engine.open();
      await engine.close();
    }
    const client = await DBOSClient.create({ systemDatabaseUrl: databaseUrl });
    const queue = await client.retrieveQueue('buddy.lanes.2');
    expect(await queue?.getWorkerConcurrency()).toBe(20);
    await client.destroy();
  });

  it('tells a call of a cancellation that comes when it is about to be made', async () => {
    const databaseUrl = await postgres.createDatabase('about_to');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { askOnce }, tools: [hang], lanes: {} });
    await engine.open();
    const blocker = new pg.Client({ connectionString: databaseUrl });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE buddy.intents IN EXCLUSIVE MODE');
    await engine.start('w', 'askOnce', null);
    await until(async () => {
      const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'buddy.intents'::regclass`;
      return (await ask(databaseUrl, waiting)).length > 0;
    });
    await engine.cancel('w', 'enough');
    await systemClock.sleep(300); // this process has heard of it, and there is nothing to interrupt yet
    await blocker.query('COMMIT');
    await blocker.end();
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: 'cancelled' });
    await engine.close();
  });

  it('keeps and tells nothing more of what was compacted while it was at work on it', async () => {
    const databaseUrl = await postgres.createDatabase('compacted');
    const [entered, goOn, told] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const gate = defineTool({
      ...answer,
      name: 'test.gate',
      execute: async () => {
        entered?.resolve();
        await goOn?.promise;
        return null;
      },
    });
    const tellsLate: Workflow = async (ctx) => {
      await ctx.activity({ ...callOf(ctx, 'test.gate'), lane: 'ada' });
      await ctx.emit('late', { late: true });
      told?.resolve();
    };
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { leaves, tellsLate }, tools: [gate], lanes: { ada: 1 } });
    const heard: object[] = [];
    engine.subscribe((fact) => heard.push(fact));
    await engine.start('w', 'leaves', null);
    await engine.result('w');
    await entered?.promise;
    // This process slept, and another one brought it to its end.
    const ended = `UPDATE dbos.workflow_status SET status = 'SUCCESS' WHERE workflow_uuid = 'below'`;
    await ask(databaseUrl, ended);
    await engine.compact('w');
    goOn?.resolve();
    await told?.promise;
    const entries = [];
    for await (const entry of engine.history()) entries.push(entry);
    expect({ entries, heard }).toEqual({ entries: [], heard: [] });
    await engine.close();
  });

  it('leaves no session behind when it is closed while it is cut off', async () => {
    const databaseUrl = await postgres.createDatabase('cut_off');
    const ofOurs = `FROM pg_stat_activity WHERE application_name LIKE 'process%' AND datname = 'cut_off'`;
    for (let nth = 0; nth < 5; nth++) {
      const engine = createDbosEngine({ databaseUrl, takes: [] });
      await engine.open();
      const ended = await ask(databaseUrl, `SELECT pg_terminate_backend(pid) ${ofOurs}`);
      expect(ended).toHaveLength(1);
      await systemClock.sleep(nth * 4); // it is coming back: now more, now less
      await engine.close();
    }
    await systemClock.sleep(300);
    expect(await ask(databaseUrl, `SELECT 1 ${ofOurs}`)).toEqual([]);
  });

  it('fails a workflow that tells what JSON cannot hold, or begins another with it', async () => {
    const databaseUrl = await postgres.createDatabase('not_json');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { tellBigInt, beginWithBigInt }, tools: [], lanes: {} });
    await engine.open();
    for (const name of ['tellBigInt', 'beginWithBigInt']) {
      await engine.start(name, name, null);
      expect(await engine.result(name)).toMatchObject({
        kind: 'failed',
        failure: { code: 'AGENTS_NOT_JSON' },
      });
    }
    await engine.close();
  });

  it.each([
    ['while it waits', true],
    ['before another process goes on with it', false],
  ])(
    'waits no longer when the clock is set back an hour %s',
    async (_when, isAtOnce) => {
      const databaseUrl = await postgres.createDatabase(`clock_${isAtOnce}`);
      const realNow = Date.now.bind(Date);
      onTestFinished(() => void vi.restoreAllMocks());
      const setBack = () => vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 3_600_000);
      const open = async () => {
        const engine = createDbosEngine({
          databaseUrl,
          pollMs: 20,
          deadAfterMs: 100,
          lookAgainMs: 200,
        });
        engine.register({ workflows: { nap, wait }, tools: [], lanes: {} });
        await engine.open();
        return engine;
      };
      let engine = await open();
      for (const name of ['nap', 'wait']) await engine.start(name, name, null);
      const began = `SELECT 1 FROM dbos.operation_outputs WHERE function_name = 'DBOS.sleep'`;
      await until(async () => (await ask(databaseUrl, began)).length === 2);
      if (isAtOnce) setBack();
      else {
        await engine.close();
        setBack();
        engine = await open();
      }
      expect(await engine.result('nap')).toEqual({ kind: 'completed', value: 'slept' });
      expect(await engine.result('wait')).toEqual({
        kind: 'completed',
        value: { kind: 'timed_out' },
      });
      await engine.close();
    },
    30_000,
  );

  it('waits no less when the clock is set forward an hour while it waits', async () => {
    const databaseUrl = await postgres.createDatabase('clock_forward');
    const realNow = Date.now.bind(Date);
    onTestFinished(() => void vi.restoreAllMocks());
    const engine = createDbosEngine({ databaseUrl, pollMs: 20, lookAgainMs: 50 });
    engine.register({ workflows: { longNap, longWait }, tools: [], lanes: {} });
    await engine.open();
    for (const name of ['longNap', 'longWait']) await engine.start(name, name, null);
    const began = `SELECT 1 FROM dbos.operation_outputs WHERE function_name = 'DBOS.sleep'`;
    await until(async () => (await ask(databaseUrl, began)).length === 2);
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_600_000);
    await systemClock.sleep(500); // it has looked whether the time has come
    await engine.signal('longWait', 'go', 'in time', { key: 'k' });
    expect(await engine.result('longWait')).toEqual({
      kind: 'completed',
      value: { kind: 'received', value: 'in time' },
    });
    const views = [];
    for await (const { id, status } of engine.list()) views.push(`${id} ${status}`);
    expect(views).toEqual(['longNap running', 'longWait completed']);
    await engine.close();
  });

  it('ends a wait though it could not be told at once that its time has come', async () => {
    const databaseUrl = await postgres.createDatabase('reminded');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { nap }, tools: [], lanes: {} });
    await engine.open();
    await refuse(databaseUrl, 1, MAIL);
    await engine.start('nap', 'nap', null);
    expect(await engine.result('nap')).toEqual({ kind: 'completed', value: 'slept' });
    await engine.close();
  });

  it('lives on when Postgres crashes while calls are put into their queue', async () => {
    const databaseUrl = await postgres.createDatabase('crash_in_enqueue');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    const isOpen = Promise.withResolvers<null>();
    const isReached = Promise.withResolvers<void>();
    const gate = defineTool({
      ...answer,
      name: 'test.gate',
      execute: () => {
        isReached.resolve();
        return isOpen.promise;
      },
    });
    engine.register({ workflows: { passThenAnswer }, tools: [gate, answer], lanes: { ada: 2 } });
    await engine.open();
    await engine.start('w', 'passThenAnswer', null);
    await isReached.promise;
    const blocker = new pg.Client({ connectionString: databaseUrl });
    const cutOff = new Promise((resolve) => blocker.on('error', resolve));
    await blocker.connect();
    // From now on nobody can add a workflow, and a call in a lane is one.
    await blocker.query('BEGIN; LOCK TABLE dbos.workflow_status IN SHARE MODE');
    isOpen.resolve(null);
    await until(async () => {
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO%workflow_status%'`;
      return (await ask(databaseUrl, waiting)).length > 0;
    });
    await postgres.restart();
    await cutOff;
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: 'succeeded' });
    await engine.close();
  });

  it('takes calls again when it could not keep what came of as many as it makes at once', async () => {
    const databaseUrl = await postgres.createDatabase('refused');
    const engine = createDbosEngine({
      databaseUrl,
      pollMs: 20,
      sweepEveryMs: 100,
      callsAtOnce: 2,
    });
    engine.register({ workflows: { askInLane }, tools: [answer], lanes: { ada: 2 } });
    await engine.open();
    await refuse(databaseUrl, 4);
    const ids = ['w/1', 'w/2', 'w/3'];
    for (const id of ids) await engine.start(id, 'askInLane', null);
    const results = await Promise.all(ids.map((id) => engine.result(id)));
    expect(results).toEqual(ids.map(() => ({ kind: 'completed', value: 'succeeded' })));
    const [{ tries } = { tries: '0' }] = await ask<{ tries: string }>(
      databaseUrl,
      `SELECT nextval('public.refusals') AS tries`,
    );
    expect(Number(tries)).toBeGreaterThan(4 + ids.length);
    await engine.close();
  });

  it('does not take for what came of a step that it could not be kept', async () => {
    const databaseUrl = await postgres.createDatabase('refused_step');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20, sweepEveryMs: 100 });
    engine.register({ workflows: { askHere }, tools: [answer], lanes: {} });
    await engine.open();
    await refuse(databaseUrl, 1);
    await engine.start('w', 'askHere', null);
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: 'succeeded' });
    await engine.close();
  });

  it('closes also when Postgres is gone for good', async () => {
    const away = await startPostgres();
    const engine = createDbosEngine({
      databaseUrl: await away.createDatabase('away'),
      pollMs: 20,
      sweepEveryMs: 20,
    });
    engine.register({ workflows: { nothing }, tools: [], lanes: {} });
    await engine.open();
    await away.stop();
    await systemClock.sleep(200); // it has looked for others, and waits for an answer
    await expect(engine.close()).resolves.toBeUndefined();
  });
});
