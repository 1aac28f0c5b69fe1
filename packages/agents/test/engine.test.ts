/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the test that it is for */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  type ActivityCall,
  type ActivityResult,
  createEngine,
  type DurableContext,
  type Engine,
  type Registration,
  type Workflow,
  type WorkflowStore,
} from '@buddy/agents';
import { BuddyError, ManualClock, type Tool, type ToolContext } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { workflowsOf } from './harness-fixture.ts';
import { Remembered } from './remembered.ts';

/** A tool that lets everything through, in and out. */
function toolOf(
  name: string,
  execute: (input: unknown, context: ToolContext) => unknown = () => null,
): Tool {
  return {
    name,
    description: name,
    tier: 1,
    effect: 'pure',
    input: z.unknown(),
    output: z.unknown(),
    execute: async (input, context) => execute(input, context),
  };
}

function callOf(tool: string, change: Partial<ActivityCall> = {}): ActivityCall {
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

function engineWith(
  registration: Partial<Registration>,
  ports: { clock?: ManualClock; store?: WorkflowStore } = {},
): Engine {
  const engine = createEngine({ clock: new ManualClock(), ...ports });
  engine.register({ workflows: {}, tools: [], lanes: {}, ...registration });
  return engine;
}

/** Never answers, and does not listen to its signal. */
const deaf = toolOf('deaf', () => new Promise(() => undefined));

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('an engine', () => {
  it('runs a workflow and keeps its result', async () => {
    const double: Workflow = async (_ctx, n: number) => n * 2;
    const engine = engineWith({ workflows: { double } });
    expect(await engine.start('w', 'double', 21)).toEqual({ created: true });
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: 42 });
  });

  it('starts a workflow once per id, whatever is asked the second time', async () => {
    let starts = 0;
    const count: Workflow = async () => (starts += 1);
    const engine = engineWith({ workflows: { count } });
    await engine.start('w', 'count', null);
    await engine.result('w');
    expect(await engine.start('w', 'count', null)).toEqual({ created: false });
    expect(starts).toBe(1);
  });

  it('says what a workflow failed of, thrown early or late', async () => {
    class NoLuckError extends BuddyError {
      readonly code = 'TEST_NO_LUCK';
    }
    const late: Workflow = async (ctx) => {
      await ctx.now('start');
      throw new NoLuckError('No luck');
    };
    const early: Workflow = () => {
      throw new NoLuckError('No luck');
    };
    const engine = engineWith({ workflows: { late, early } });
    for (const name of ['late', 'early']) {
      await engine.start(name, name, null);
      expect(await engine.result(name)).toMatchObject({
        kind: 'failed',
        failure: { code: 'TEST_NO_LUCK', message: 'No luck' },
      });
    }
  });

  it('refuses what it does not know, and says what it does', async () => {
    const engine = engineWith({ workflows: { known: async () => null } });
    const misuse = { code: 'AGENTS_ENGINE_MISUSE' };
    await expect(engine.start('w', 'unknown', null)).rejects.toMatchObject({
      ...misuse,
      message: 'No workflow is named unknown; registered: known',
    });
    await expect(engine.result('w')).rejects.toMatchObject(misuse);
    await expect(engine.cancel('w', 'why')).rejects.toMatchObject(misuse);
    await expect(engine.signal('w', 'topic', 1, { key: 'k' })).rejects.toMatchObject(misuse);
  });

  it('refuses two tools of one name', () => {
    expect(() => engineWith({ tools: [toolOf('a'), toolOf('a')] })).toThrow(
      'Two tools are named a',
    );
    const one = toolOf('a');
    expect(() => engineWith({ tools: [one, one] })).not.toThrow();
  });

  it('lists its workflows and how they stand', async () => {
    const wait: Workflow = (ctx) => ctx.waitFor('go', { key: 'go', timeoutMs: 1_000 });
    const fail: Workflow = async () => Promise.reject(new Error('no'));
    const engine = engineWith({ workflows: { wait, fail, done: async () => null } });
    for (const [id, name] of [
      ['1', 'wait'],
      ['2', 'wait'],
      ['3', 'done'],
      ['4', 'fail'],
    ] as const) {
      await engine.start(id, name, null);
    }
    await engine.cancel('2', 'enough');
    await Promise.all(['2', '3', '4'].map((id) => engine.result(id)));
    const views = await workflowsOf(engine);
    expect(views.map(({ id, workflow, status }) => [id, workflow, status])).toEqual([
      ['1', 'wait', 'running'],
      ['2', 'wait', 'cancelled'],
      ['3', 'done', 'completed'],
      ['4', 'fail', 'failed'],
    ]);
  });
});

describe('an activity', () => {
  async function run(
    call: ActivityCall,
    tools: readonly Tool[],
    clock = new ManualClock(),
  ): Promise<ActivityResult<unknown>> {
    const { promise, resolve } = Promise.withResolvers<ActivityResult<unknown>>();
    const w: Workflow = async (ctx) => resolve(await ctx.activity(call));
    const engine = engineWith({ workflows: { w }, tools }, { clock });
    await engine.start('w', 'w', null);
    return clock.run(() => promise);
  }

  it('calls a tool by name, with its input and all that its context tells', async () => {
    const clock = new ManualClock(5_000);
    let seen: object = {};
    const tool = toolOf('crm.save', async (input, context) => {
      await clock.sleep(250);
      const { signal, ...told } = { ...context, signal: context.signal };
      seen = { ...told, idempotencyKey: context.idempotencyKey, aborted: signal.aborted, input };
      return 'saved';
    });
    const call = callOf('crm.save', { input: { n: 1 }, work: 'run/t/0', attempt: 2, taskId: 't' });
    expect(await run({ ...call, runId: 'run' }, [tool], clock)).toEqual({
      kind: 'succeeded',
      value: 'saved',
      startedAt: 5_000,
      endedAt: 5_250,
    });
    expect(seen).toEqual({
      input: { n: 1 },
      aborted: false,
      // printf 'run/t/0' | sha256sum
      idempotencyKey: '9b2a442525e7073526ecf9c7e897bf46663e14f888fae6d6de373296cc636de2',
      actor: { kind: 'system', id: 'test' },
      rationale: 'a test',
      attempt: 2,
      runId: 'run',
      taskId: 't',
    });
  });

  it('of an unknown tool has failed, without effect', async () => {
    expect(await run(callOf('nope'), [])).toMatchObject({
      kind: 'failed',
      failure: { code: 'AGENTS_UNKNOWN_TOOL', retryable: false, effect: 'none' },
    });
  });

  it('never rejects, whatever a tool throws and whenever', async () => {
    const thrower: Tool = {
      ...toolOf('throws'),
      execute: () => {
        throw new Error('at once');
      },
    };
    expect(await run(callOf('throws'), [thrower])).toMatchObject({
      kind: 'failed',
      failure: { message: 'at once', effect: 'unknown' },
    });
  });

  it('times out a tool that never answers and ignores its signal; a late answer is ignored', async () => {
    const clock = new ManualClock();
    const { promise, resolve } = Promise.withResolvers<string>();
    let signal: AbortSignal | undefined;
    const slow = toolOf('slow', (_input, context) => {
      signal = context.signal;
      return promise;
    });
    const startedAt = clock.now();
    const result = await run(callOf('slow', { timeoutMs: 500 }), [slow], clock);
    expect(result).toEqual({
      kind: 'timed_out',
      startedAt,
      endedAt: startedAt + 500,
      failure: {
        name: 'InterruptedError',
        message: 'No answer within 500 ms',
        code: 'TIMED_OUT',
        retryable: true,
        effect: 'unknown',
      },
    });
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: 'TIMED_OUT' });
    resolve('late');
    await settled();
    expect(result.kind).toBe('timed_out');
  });

  it('shows an aborted signal also to a tool that looks at it only afterwards', async () => {
    const clock = new ManualClock();
    const seen = Promise.withResolvers<boolean>();
    const sleepy = toolOf('sleepy', async (_input, context) => {
      await clock.sleep(1_000);
      seen.resolve(context.signal.aborted);
    });
    await run(callOf('sleepy', { timeoutMs: 500 }), [sleepy], clock);
    await clock.advance(1_000);
    expect(await seen.promise).toBe(true);
  });

  it('times each out on its own, also many at once', async () => {
    const clock = new ManualClock();
    const engine = engineWith(
      {
        tools: [deaf],
        workflows: {
          w: async (ctx, ms: number) =>
            (await ctx.activity(callOf('deaf', { timeoutMs: ms }))).endedAt,
        },
      },
      { clock },
    );
    const startedAt = clock.now();
    const limits = [300, 100, 200, 100, 300];
    const ends = await clock.run(async () => {
      for (const [at, ms] of limits.entries()) await engine.start(`w${at}`, 'w', ms);
      return Promise.all(limits.map((_, at) => engine.result(`w${at}`)));
    });
    expect(ends.map((end) => end.kind === 'completed' && Number(end.value) - startedAt)).toEqual(
      limits,
    );
  });
});

describe('an engine on the real clock', () => {
  // In a process of its own, which must exit by itself, long before the hour is over.
  it.each([
    ['when the work is done', 'quick', "await engine.result('w');"],
    ['when it is closed while a workflow waits', 'waiting', 'await engine.close();'],
    ['when it is closed while a workflow sleeps', 'sleeping', 'await engine.close();'],
  ])(
    'leaves no timer behind %s',
    async (_when, workflow, last) => {
      const program = `
      import { createEngine } from '@buddy/agents';
      const engine = createEngine();
      const tool = { name: 't', tier: 1, effect: 'pure', execute: async () => null };
      const call = { key: 'k', tool: 't', input: null, work: 'w', actor: { kind: 'system', id: 's' },
        rationale: 'r', attempt: 1, timeoutMs: 3_600_000 };
      engine.register({ tools: [tool], lanes: {}, workflows: {
        quick: (ctx) => ctx.activity(call),
        waiting: (ctx) => ctx.waitFor('never', { key: 'n', timeoutMs: 3_600_000 }),
        sleeping: (ctx) => ctx.sleep('n', 3_600_000),
      } });
      await engine.start('w', '${workflow}', null);
      ${last}
      console.log('done');`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--conditions=@buddy/source', '--input-type=module', '--eval', program],
        { cwd: import.meta.dirname, timeout: 20_000 },
      );
      expect(stdout).toBe('done\n');
    },
    20_000,
  );
});

describe('lanes', () => {
  it('never let more activities through at once than their concurrency, and let all through', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            lane: fc.constantFrom('a', 'b', 'open'),
            ms: fc.integer({ min: 0, max: 20 }),
          }),
          { maxLength: 20 },
        ),
        fc.integer({ min: 1, max: 3 }),
        async (calls, concurrency) => {
          const clock = new ManualClock();
          const inside = new Map<string, number>();
          let peak = 0;
          let done = 0;
          const work = toolOf('work', async (input) => {
            const { lane, ms } = z.object({ lane: z.string(), ms: z.number() }).parse(input);
            inside.set(lane, (inside.get(lane) ?? 0) + 1);
            if (lane !== 'open') peak = Math.max(peak, inside.get(lane) ?? 0);
            await clock.sleep(ms);
            inside.set(lane, (inside.get(lane) ?? 0) - 1);
            done += 1;
          });
          const call: Workflow = (ctx, input: { lane: string }) =>
            ctx.activity(callOf('work', { input, lane: input.lane }));
          const lanes = { a: concurrency, b: concurrency };
          const engine = engineWith({ tools: [work], workflows: { call }, lanes }, { clock });
          await clock.run(async () => {
            for (const [at, input] of calls.entries()) await engine.start(`${at}`, 'call', input);
            await Promise.all(calls.map((_, at) => engine.result(`${at}`)));
          });
          expect(peak).toBeLessThanOrEqual(concurrency);
          expect(done).toBe(calls.length);
        },
      ),
    ));

  it('answer `cancelled` at once to one who waits in line, and give its place to nobody', async () => {
    const first = Promise.withResolvers<string>();
    const order: unknown[] = [];
    const work = toolOf('work', (input) => {
      order.push(input);
      return input === 1 ? first.promise : null;
    });
    const call: Workflow = (ctx, input: number) =>
      ctx.activity(callOf('work', { input, lane: 'one' }));
    const engine = engineWith({ tools: [work], workflows: { call }, lanes: { one: 1 } });
    for (const n of [1, 2, 3]) await engine.start(`w${n}`, 'call', n);
    await engine.cancel('w2', 'enough');
    expect(await engine.result('w2')).toMatchObject({
      value: { kind: 'cancelled', failure: { message: 'enough', effect: 'none' } },
    });
    expect(order).toEqual([1]);
    first.resolve('done');
    await engine.result('w3');
    expect(order).toEqual([1, 3]);
  });
});

describe('rate limits', () => {
  it('never let more calls begin within their time than they say, and let all through as soon as may be', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 200 }),
        async (waits, starts, perMs) => {
          const clock = new ManualClock();
          const begun: number[] = [];
          const work = toolOf('crm.save', () => begun.push(clock.now()));
          const call: Workflow = async (ctx, ms: number) => {
            await ctx.sleep('first', ms);
            return ctx.activity(callOf('crm.save', { provider: 'crm', lane: 'one' }));
          };
          const engine = engineWith(
            {
              tools: [work],
              workflows: { call },
              lanes: { one: 1 },
              providers: { crm: { starts, perMs } },
            },
            { clock },
          );
          await clock.run(async () => {
            for (const [at, ms] of waits.entries()) await engine.start(`${at}`, 'call', ms);
            await Promise.all(waits.map((_, at) => engine.result(`${at}`)));
          });
          expect(begun).toHaveLength(waits.length);
          // What a queue that loses no time would do.
          const ideal: number[] = [];
          const zero = new ManualClock().now();
          for (const ms of waits.toSorted((a, b) => a - b)) {
            const free = (ideal[ideal.length - starts] ?? -Infinity) + perMs;
            ideal.push(Math.max(zero + ms, free));
          }
          expect(begun).toEqual(ideal);
        },
      ),
    ));

  it('are left by who is cancelled, without a call', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const work = toolOf('crm.save', () => (calls += 1));
    const call: Workflow = (ctx) => ctx.activity(callOf('crm.save', { provider: 'crm' }));
    const providers = { crm: { starts: 1, perMs: 1_000 } };
    const engine = engineWith({ tools: [work], workflows: { call }, providers }, { clock });
    for (const id of ['1', '2', '3']) await engine.start(id, 'call', null);
    await engine.cancel('2', 'enough');
    expect(await engine.result('2')).toMatchObject({ value: { kind: 'cancelled' } });
    await clock.advance(1_000);
    expect(await engine.result('3')).toMatchObject({ value: { kind: 'succeeded' } });
    expect(calls).toBe(2);
  });

  it('are taken as used up when a process before may have used them', async () => {
    const journal = new Remembered();
    const call: Workflow = async (ctx) => {
      await ctx.waitFor('go', { key: 'go', timeoutMs: 1_000_000 });
      return ctx.activity(callOf('crm.save', { provider: 'crm' }));
    };
    const providers = { crm: { starts: 5, perMs: 1_000 } };
    const first = engineWith({ workflows: { call }, providers }, { store: journal.open() });
    await first.start('w', 'call', null);
    await first.close();
    const clock = new ManualClock();
    let begunAfter = -1;
    const work = toolOf('crm.save', () => (begunAfter = clock.monotonic()));
    const registration = { tools: [work], workflows: { call }, providers };
    const second = engineWith(registration, { clock, store: journal.open() });
    await clock.run(async () => {
      await second.open();
      await second.signal('w', 'go', null, { key: 'k' });
      await second.result('w');
    });
    expect(begunAfter).toBe(1_000);
  });
});

describe('sleeping and the time', () => {
  it('pass on the clock', async () => {
    const clock = new ManualClock(1_000);
    const w: Workflow = async (ctx) => [
      await ctx.now('before'),
      await ctx.sleep('nap', 500),
      await ctx.now('after'),
    ];
    const engine = engineWith({ workflows: { w } }, { clock });
    const result = await clock.run(async () => {
      await engine.start('w', 'w', null);
      return engine.result('w');
    });
    expect(result).toEqual({ kind: 'completed', value: [1_000, 'slept', 1_500] });
  });
});

describe('signals', () => {
  const listen: Workflow = async (ctx, times: number) => {
    const received: unknown[] = [];
    for (let n = 0; n < times; n++) {
      received.push(await ctx.waitFor('topic', { key: `wait/${n}`, timeoutMs: 1_000 }));
    }
    return received;
  };
  const late: Workflow = async (ctx) => {
    await ctx.sleep('first', 100);
    return ctx.waitFor('topic', { key: 'wait', timeoutMs: 1_000 });
  };
  const received = (value: unknown) => ({ kind: 'received', value });

  it('reach a workflow that waits', async () => {
    const engine = engineWith({ workflows: { listen } });
    await engine.start('w', 'listen', 1);
    await engine.signal('w', 'topic', { yes: true }, { key: '1' });
    expect(await engine.result('w')).toMatchObject({ value: [received({ yes: true })] });
  });

  it('that come before anybody waits are kept, also null', async () => {
    const clock = new ManualClock();
    const engine = engineWith({ workflows: { late } }, { clock });
    await engine.start('w', 'late', null);
    await engine.signal('w', 'other', 'elsewhere', { key: '0' });
    await engine.signal('w', 'topic', null, { key: '1' });
    await clock.advance(100);
    expect(await engine.result('w')).toMatchObject({ value: received(null) });
  });

  it('that come at one moment are all received, in order', async () => {
    const engine = engineWith({ workflows: { listen } });
    await engine.start('w', 'listen', 3);
    await Promise.all([1, 2, 3].map((n) => engine.signal('w', 'topic', n, { key: `${n}` })));
    expect(await engine.result('w')).toMatchObject({ value: [1, 2, 3].map(received) });
  });

  it('count once per key: the first', async () => {
    const engine = engineWith({ workflows: { listen } });
    await engine.start('w', 'listen', 2);
    await engine.signal('w', 'topic', 'yes', { key: 'verdict' });
    await engine.signal('w', 'topic', 'no', { key: 'verdict' });
    await engine.signal('w', 'topic', 'more', { key: 'other' });
    expect(await engine.result('w')).toMatchObject({ value: [received('yes'), received('more')] });
  });

  it('are not waited for longer than asked', async () => {
    const clock = new ManualClock();
    const engine = engineWith({ workflows: { listen } }, { clock });
    await engine.start('w', 'listen', 2);
    await clock.advance(1_000);
    await engine.signal('w', 'topic', 'late, but in time for the next', { key: '1' });
    expect(await engine.result('w')).toMatchObject({
      value: [{ kind: 'timed_out' }, received('late, but in time for the next')],
    });
  });
});

describe('children', () => {
  it('are started and joined in the order given', async () => {
    const clock = new ManualClock();
    const child: Workflow = async (ctx, ms: number) => {
      await ctx.sleep('nap', ms);
      if (ms === 2) throw new Error('two');
      return ms;
    };
    const parent: Workflow = async (ctx) => {
      const starts = [3, 2, 1].map((ms) => ({
        key: `${ms}`,
        id: `c${ms}`,
        workflow: 'child',
        input: ms,
      }));
      return ctx.joinAll(await ctx.spawnAll(starts));
    };
    const engine = engineWith({ workflows: { parent, child } }, { clock });
    const result = await clock.run(async () => {
      await engine.start('p', 'parent', null);
      return engine.result('p');
    });
    expect(result).toMatchObject({
      value: [
        { kind: 'completed', value: 3 },
        { kind: 'failed', failure: { message: 'two' } },
        { kind: 'completed', value: 1 },
      ],
    });
  });

  it('are listed until they were joined', async () => {
    const parent: Workflow = async (ctx) => {
      const starts = ['a', 'b'].map((id) => ({ key: id, id, workflow: 'child', input: null }));
      const children = await ctx.spawnAll(starts);
      await ctx.waitFor('join', { key: 'join', timeoutMs: 1_000 });
      return ctx.joinAll(children);
    };
    const engine = engineWith({ workflows: { parent, child: async () => null } });
    const ids = async () => (await workflowsOf(engine)).map(({ id }) => id);
    await engine.start('p', 'parent', null);
    await settled();
    expect(await ids()).toEqual(['p', 'a', 'b']);
    await engine.signal('p', 'join', null, { key: '1' });
    await engine.result('p');
    expect(await ids()).toEqual(['p']);
  });

  it('of an unknown workflow, or with an id that is taken, fail their parent', async () => {
    const parent: Workflow = (ctx, workflow: string) =>
      ctx.spawnAll([{ key: 'c', id: 'parent', workflow, input: null }]);
    const engine = engineWith({ workflows: { parent } });
    await engine.start('parent', 'parent', 'unknown');
    await engine.start('other', 'parent', 'parent');
    for (const id of ['parent', 'other']) {
      expect(await engine.result(id)).toMatchObject({
        kind: 'failed',
        failure: { code: 'AGENTS_ENGINE_MISUSE' },
      });
    }
  });
});

describe('cancelling', () => {
  it('answers whatever is in flight, and every verb from then on', async () => {
    let signal: AbortSignal | undefined;
    const tools = [
      toolOf('hang', (_input, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      }),
      toolOf('tidy', () => 'tidied'),
    ];
    const w: Workflow = async (ctx) => [
      (await ctx.activity(callOf('hang'))).kind,
      (await ctx.activity(callOf('hang', { key: 'again' }))).kind,
      await ctx.sleep('nap', 1_000),
      (await ctx.waitFor('topic', { key: 'wait', timeoutMs: 1_000 })).kind,
      (await ctx.activity(callOf('tidy', { evenIfCancelled: true }))).kind,
    ];
    const engine = engineWith({ workflows: { w }, tools });
    await engine.start('w', 'w', null);
    await settled();
    await engine.cancel('w', 'enough');
    expect(await engine.result('w')).toMatchObject({
      value: ['cancelled', 'cancelled', 'cancelled', 'cancelled', 'succeeded'],
    });
    expect(signal?.reason).toMatchObject({ code: 'CANCELLED', message: 'enough' });
  });

  it.each(['sleep', 'wait'])('wakes a workflow from its %s', async (verb) => {
    const w: Workflow = async (ctx) =>
      verb === 'sleep'
        ? ctx.sleep('nap', 1_000)
        : (await ctx.waitFor('topic', { key: 'k', timeoutMs: 1_000 })).kind;
    const engine = engineWith({ workflows: { w } });
    await engine.start('w', 'w', null);
    await settled();
    await engine.cancel('w', 'enough');
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: 'cancelled' });
  });

  it('still hands over a signal that came before', async () => {
    const w: Workflow = async (ctx) => {
      await ctx.sleep('nap', 1_000);
      return ctx.waitFor('topic', { key: 'k', timeoutMs: 1_000 });
    };
    const engine = engineWith({ workflows: { w } });
    await engine.start('w', 'w', null);
    await engine.signal('w', 'topic', 'yes', { key: '1' });
    await engine.cancel('w', 'enough');
    expect(await engine.result('w')).toMatchObject({ value: { kind: 'received', value: 'yes' } });
  });

  it('leaves alone what must be finished', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const w: Workflow = (ctx) => ctx.activity(callOf('tidy', { evenIfCancelled: true }));
    const engine = engineWith({ workflows: { w }, tools: [toolOf('tidy', () => promise)] });
    await engine.start('w', 'w', null);
    await settled();
    await engine.cancel('w', 'enough');
    resolve('tidied');
    expect(await engine.result('w')).toMatchObject({ value: { kind: 'succeeded' } });
  });

  /** Spawns a chain of workflows; each ends at once and leaves the one below it, but for the last, which sleeps. */
  const descend: Workflow = async (ctx: DurableContext, depth: number) => {
    if (depth === 0) return ctx.sleep('nap', 1_000_000);
    // The one above ends first, then this one: each is handed up while its parent is gone.
    await ctx.sleep('a while', 10 * (5 - depth));
    await ctx.spawnAll([{ key: 'c', id: `d${depth - 1}`, workflow: 'descend', input: depth - 1 }]);
    return 'left';
  };

  it('reaches children, and grandchildren that ended children left behind', async () => {
    const clock = new ManualClock();
    const root: Workflow = async (ctx) => {
      await ctx.spawnAll([{ key: 'c', id: 'd4', workflow: 'descend', input: 4 }]);
      return ctx.sleep('nap', 1_000_000);
    };
    const engine = engineWith({ workflows: { root, descend } }, { clock });
    await engine.start('root', 'root', null);
    await clock.advance(1_000);
    await engine.cancel('root', 'enough');
    expect(await engine.result('root')).toMatchObject({ value: 'cancelled' });
    expect(await engine.result('d0')).toMatchObject({ value: 'cancelled' });
  });

  it('reaches what a workflow left behind when it ended itself', async () => {
    const clock = new ManualClock();
    const engine = engineWith({ workflows: { descend } }, { clock });
    await engine.start('d4', 'descend', 4);
    await clock.advance(1_000);
    expect(await engine.result('d4')).toMatchObject({ value: 'left' });
    await engine.cancel('d4', 'enough');
    expect(await engine.result('d0')).toMatchObject({ value: 'cancelled' });
  });

  it('reaches a child that is spawned afterwards', async () => {
    const child: Workflow = (ctx) => ctx.sleep('nap', 1_000);
    const parent: Workflow = async (ctx) => {
      await ctx.sleep('nap', 1_000);
      return ctx.joinAll(
        await ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'child', input: null }]),
      );
    };
    const engine = engineWith({ workflows: { parent, child } });
    await engine.start('p', 'parent', null);
    await engine.cancel('p', 'enough');
    expect(await engine.result('p')).toMatchObject({ value: [{ value: 'cancelled' }] });
  });
});

describe('facts', () => {
  const w: Workflow = async (ctx) => {
    await ctx.emit('1', { n: 1 });
    await ctx.emit('2', { n: 2 });
  };

  it('are told to every subscriber, in order, until it leaves', async () => {
    const engine = engineWith({ workflows: { w } });
    const heard: object[][] = [[], []];
    const [stop] = heard.map((list) => engine.subscribe((fact) => list.push(fact)));
    await engine.start('a', 'w', null);
    await engine.result('a');
    stop?.();
    await engine.start('b', 'w', null);
    await engine.result('b');
    expect(heard).toEqual([
      [{ n: 1 }, { n: 2 }],
      [{ n: 1 }, { n: 2 }, { n: 1 }, { n: 2 }],
    ]);
  });

  it('fail the workflow that tells them when a subscriber throws', async () => {
    const engine = engineWith({ workflows: { w } });
    engine.subscribe(() => {
      throw new Error('disk full');
    });
    await engine.start('w', 'w', null);
    expect(await engine.result('w')).toMatchObject({
      kind: 'failed',
      failure: { message: 'disk full' },
    });
  });
});
