import { createHarness, type Workflow } from '@buddy/agents';
import { createDbosEngine } from '@buddy/agents/dbos';
import { describeEngine, type EnginePlace, registrationsOf } from '@buddy/agents/testing';
import { ApprovalRequiredError, defineTool, systemClock, type Tool } from '@buddy/core';
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { sharePostgres } from './dbos-postgres.ts';
import { task, TestFailure } from './harness-fixture.ts';

const postgres = sharePostgres();

const nap: Workflow = async (ctx, ms: number) => {
  await ctx.emit('nap', { ms });
  return ctx.sleep('nap', ms);
};
const askAndJoin: Workflow = async (ctx, tools: string[]) => {
  for (const tool of tools) {
    const actor = { kind: 'system', id: 'test' } as const;
    const about = { work: `${ctx.id}/${tool}`, actor, rationale: 'a test', attempt: 1 };
    await ctx.activity({ key: tool, tool, input: null, ...about });
  }
  const child = { key: 'nap', id: `${ctx.id}/nap`, workflow: 'nap', input: 1 };
  await ctx.joinAll(await ctx.spawnAll([child]));
};

function toolOf(name: string): Tool {
  const any = z.unknown();
  return {
    name,
    description: name,
    tier: 1,
    effect: 'pure',
    input: any,
    output: any,
    execute: async () => null,
  };
}

// First: what an engine of this process has registered stays.
describe('the steps of a workflow', () => {
  it('are registered with DBOS by their names, each once, though engines come and go', async () => {
    const registerStep = vi.spyOn(DBOS, 'registerStep');
    const databaseUrl = await postgres.createDatabase('steps');
    const steps = async (...names: string[]) => {
      const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
      const tools = names.map((name) => toolOf(name));
      engine.register({ workflows: { nap, askAndJoin }, tools, lanes: {} });
      const id = names.join();
      await engine.start(id, 'askAndJoin', ['steps.a', 'steps.b']);
      const { kind } = await engine.result(id);
      await engine.close();
      const client = await DBOSClient.create({ systemDatabaseUrl: databaseUrl });
      const made = await client.listWorkflowSteps(id);
      await client.destroy();
      return { kind, names: made?.map(({ name }) => name) };
    };
    // A tool that nobody has is called by its name all the same.
    const made = ['steps.a', 'steps.b', 'nap', 'joinAll'];
    for (const tools of [['steps.a'], ['steps.a', 'steps.b']]) {
      expect(await steps(...tools)).toMatchObject({ kind: 'completed', names: made });
    }
    const registered = registerStep.mock.calls.map(([, { name } = {}]) => name);
    for (const step of ['steps.a', 'steps.b', 'joinAll']) {
      expect(registered.filter((name) => name === step)).toEqual([step]);
    }
  });
});

let places = 0;
async function makePlace(): Promise<EnginePlace> {
  places += 1;
  const databaseUrl = await postgres.createDatabase(`place_${places}`);
  return {
    run: async (setUp, work, { afterMs = 0 } = {}) => {
      await systemClock.sleep(afterMs);
      const engine = createDbosEngine({
        databaseUrl,
        pollMs: 20,
        sweepEveryMs: 50,
        deadAfterMs: 0,
      });
      for (const registration of registrationsOf(setUp(systemClock))) engine.register(registration);
      try {
        const { resumed } = await engine.open();
        return await work({ engine, clock: systemClock, resumed });
      } finally {
        await engine.close();
      }
    },
  };
}

// Between the dispatch of a call and the call itself lie some milliseconds, now more, now less.
describeEngine('an engine over DBOS', makePlace, { describe, it }, { toleranceMs: 250 });

const napping = { workflows: { nap }, tools: [], lanes: {} };

const hasty: Workflow = (ctx) => Promise.all([ctx.sleep('a', 10), ctx.sleep('b', 10)]);

describe('engines over one database', () => {
  it('share nothing when their names differ', async () => {
    const databaseUrl = await postgres.createDatabase('names');
    const ours = createDbosEngine({ databaseUrl, name: 'ours', pollMs: 20 });
    ours.register(napping);
    const theirs = createDbosEngine({ databaseUrl, name: 'theirs', takes: [] });
    theirs.register(napping);
    const heard: unknown[] = [];
    ours.subscribe((fact) => heard.push(fact));
    await theirs.start('their-nap', 'nap', 1);
    expect(await ours.open()).toEqual({ resumed: 0 });
    await ours.start('our-nap', 'nap', 2);
    await ours.result('our-nap');
    expect(heard).toEqual([{ ms: 2 }]);
    const views = [];
    for await (const { id, status } of theirs.list()) views.push({ id, status });
    expect(views).toEqual([{ id: 'their-nap', status: 'running' }]);
    await theirs.close();
    await ours.close();
  });

  it('are one to a process, of those that run anything', async () => {
    const databaseUrl = await postgres.createDatabase('one');
    const [first, second] = [1, 2].map(() => createDbosEngine({ databaseUrl }));
    await first?.open();
    await expect(second?.open()).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_MISUSE',
      message: expect.stringContaining('close the other engine first'),
    });
    await expect(async () => first?.register(napping)).rejects.toThrow('Register before open()');
    await second?.close();
    await first?.close();
  });

  it('fail a workflow that does two things at once, for replay would mistake one for the other', async () => {
    const databaseUrl = await postgres.createDatabase('two_things');
    const engine = createDbosEngine({ databaseUrl, pollMs: 20 });
    engine.register({ workflows: { hasty }, tools: [], lanes: {} });
    await engine.start('hasty', 'hasty', null);
    expect(await engine.result('hasty')).toMatchObject({
      kind: 'failed',
      failure: { message: expect.stringContaining('called b while a was under way') },
    });
    await engine.close();
  });

  it('do not touch tables that a newer version made, and say who cannot be reached', async () => {
    const databaseUrl = await postgres.createDatabase('newer');
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('UPDATE buddy.engine_schema SET version = 99');
    await client.end();
    const engine = createDbosEngine({ databaseUrl });
    await expect(engine.open()).rejects.toMatchObject({ code: 'AGENTS_ENGINE_STORAGE_VERSION' });
    await engine.close();
    const nowhere = createDbosEngine({ databaseUrl: 'postgres://buddy@127.0.0.1:1/buddy' });
    await expect(nowhere.open()).rejects.toThrow('ECONNREFUSED');
    await nowhere.close();
    expect(() => createDbosEngine({ databaseUrl: 'localhost' })).toThrow('databaseUrl');
  });
});

describe('a harness over DBOS', () => {
  const lines = [
    task('a1', { wave: 1 }),
    task('a2', { wave: 1, input: { failures: 1 } }),
    task('a3', { wave: 1, action: 'test.gated' }),
    task('a4', { wave: 1, depends_on: ['a2'] }),
    task('b1', { wave: 2, depends_on: ['a3'] }),
    task('b2', { wave: 2, depends_on: ['a4'] }),
  ];

  /** What a process has: its own harness and engine, over the database that all share. */
  async function processOver(databaseUrl: string, { isApproved = false, hangsAt = '' } = {}) {
    const calls: string[] = [];
    const work = defineTool({
      name: 'test.work',
      description: 'Fails at first, if it is told so.',
      tier: 1,
      effect: 'pure',
      input: z.strictObject({ failures: z.number().default(0) }),
      output: z.literal('done'),
      execute: async ({ failures }, { attempt, taskId = '' }) => {
        calls.push(taskId);
        if (taskId === hangsAt) await new Promise(() => undefined);
        if (attempt <= failures) throw new TestFailure('not yet', { retryable: true });
        return 'done' as const;
      },
    });
    const gated = defineTool({
      name: 'test.gated',
      description: 'Needs a person.',
      tier: 2,
      effect: 'keyed',
      input: z.unknown(),
      output: z.literal('done'),
      execute: async (_input, { taskId = '' }) => {
        calls.push(taskId);
        if (!isApproved) throw new ApprovalRequiredError('test.gated', `ask-${taskId}`);
        return 'done' as const;
      },
    });
    const engine = createDbosEngine({ databaseUrl, pollMs: 20, sweepEveryMs: 50, deadAfterMs: 0 });
    const harness = createHarness(
      {
        agents: [{ id: 'ada' }, { id: 'bob' }],
        backoff: { kind: 'linear', stepMs: 50, capMs: 50 },
        rateLimits: { test: { starts: 5, perMs: 100 } },
      },
      { tools: [work, gated], engine },
    );
    await harness.load({ tasks: lines });
    return { harness, calls };
  }

  it('runs as on one machine: retries, waits for people, and goes on when they have decided', async () => {
    const databaseUrl = await postgres.createDatabase('harness');
    const { harness, calls } = await processOver(databaseUrl);
    const waiting = await harness.run();
    expect(waiting.counts).toMatchObject({ completed: 4, waiting: 2 });
    expect(waiting.waiting).toMatchObject([{ taskId: 'a3', approvalId: 'ask-a3' }]);
    expect(calls.filter((taskId) => taskId === 'a2')).toHaveLength(2);
    const over = await harness.decide('a3', { kind: 'deny', explanation: 'no' });
    expect(over.counts).toMatchObject({ completed: 4, denied: 1, skipped: 1 });
    await harness.close();
  });

  it('is gone on with by another process, which does nothing again that was done', async () => {
    const databaseUrl = await postgres.createDatabase('harness_resumed');
    const first = await processOver(databaseUrl, { hangsAt: 'a4' });
    const cutOff = first.harness.run().catch((error: unknown) => error);
    while (!first.calls.includes('a4') || !first.calls.includes('a3')) await systemClock.sleep(10);
    await first.harness.close();
    expect(await cutOff).toMatchObject({ code: 'AGENTS_RUN_FAILED' });
    const second = await processOver(databaseUrl, { isApproved: true });
    const stillWaiting = await second.harness.resume();
    expect(second.calls).not.toContain('a1');
    expect(second.calls).not.toContain('a2');
    expect(second.calls).toContain('a4');
    expect(stillWaiting.waiting.map(({ taskId }) => taskId)).toEqual(['a3']);
    const over = await second.harness.decide('a3', { kind: 'proceed' });
    expect(over).toMatchObject({ status: 'completed', counts: { completed: 6 } });
    await second.harness.close();
  });
});
