/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the test that it is for */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActivityCall,
  createEngine,
  type Engine,
  openJournal,
  type Registration,
  type Workflow,
  type WorkflowStore,
} from '@buddy/agents';
import { ManualClock, type Tool } from '@buddy/core';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Remembered } from './remembered.ts';

/** Something that outlives processes, and what opens it for one of them. */
interface Place {
  open: (clock: ManualClock) => WorkflowStore;
  /** From now on nothing of the process that has it open is kept, and nobody hears of it. */
  die: () => void;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function inMemory(): Place {
  let journal = new Remembered();
  return {
    open: () => {
      // The operations stay; what the dead process still says does not reach them.
      const next = new Remembered();
      next.operations.push(...journal.operations);
      journal = next;
      return journal.open();
    },
    die: () => (journal.diesAfter = 0),
  };
}

function inAFile(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-journal-'));
  folders.push(folder);
  let isDead = false;
  return {
    open: (clock) => {
      isDead = false;
      const store = openJournal({ file: join(folder, 'journal.db') }, { clock });
      const forever = () => new Promise<never>(() => undefined);
      return {
        ...store,
        keep: (operation) => (isDead ? forever() : store.keep(operation)),
        offer: (operation) => (isDead ? forever() : store.offer(operation)),
        stalled: () => store.stalled(),
        settled: () => store.settled(),
        load: (id) => store.load(id),
        unfinished: (below) => store.unfinished(below),
        views: () => store.views(),
        history: (after) => store.history(after),
        close: () => store.close(),
      };
    },
    die: () => (isDead = true),
  };
}

function toolOf(name: string, execute: Tool['execute'], effect: Tool['effect'] = 'pure'): Tool {
  const any = z.unknown();
  return { name, description: name, tier: 1, effect, input: any, output: any, execute };
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

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const HOUR_MS = 3_600_000;

describe.each([
  ['in memory', inMemory],
  ['in a SQLite file', inAFile],
])('an engine over a journal %s', (_name, makePlace) => {
  /** One process after the other over the same place; each ends by dying or by being closed. */
  function processes() {
    const place = makePlace();
    return {
      die: () => place.die(),
      run: async <T>(
        registration: Partial<Registration>,
        work: (engine: Engine, clock: ManualClock, resumed: number) => Promise<T>,
        clock = new ManualClock(),
      ): Promise<T> => {
        const engine = createEngine({ clock, store: place.open(clock) });
        engine.register({ workflows: {}, tools: [], lanes: {}, ...registration });
        const result = await clock.run(async () => {
          const { resumed } = await engine.open();
          return work(engine, clock, resumed);
        });
        await engine.close();
        return result;
      },
    };
  }

  it('goes on where the process before it was, and does nothing again that was recorded', async () => {
    const calls: string[] = [];
    const tools = ['a', 'b'].map((name) => toolOf(name, async () => calls.push(name)));
    const w: Workflow = async (ctx) => {
      const first = await ctx.now('first');
      await ctx.activity(callOf('a'));
      await ctx.sleep('nap', HOUR_MS);
      await ctx.activity(callOf('b'));
      return (await ctx.now('last')) - first;
    };
    const { run } = processes();
    await run({ workflows: { w }, tools }, async (engine, clock) => {
      expect(await engine.start('w', 'w', null)).toEqual({ created: true });
      await clock.sleep(HOUR_MS / 2);
    });
    expect(calls).toEqual(['a']);
    const later = new ManualClock(new ManualClock().now() + HOUR_MS / 2);
    await run(
      { workflows: { w }, tools },
      async (engine, _clock, resumed) => {
        expect(resumed).toBe(1);
        expect(await engine.start('w', 'w', null)).toEqual({ created: false });
        expect(await engine.result('w')).toEqual({ kind: 'completed', value: HOUR_MS });
      },
      later,
    );
    expect(calls).toEqual(['a', 'b']);
    await run({ workflows: { w }, tools }, async (engine, _clock, resumed) => {
      expect(resumed).toBe(0);
      expect(await engine.result('w')).toEqual({ kind: 'completed', value: HOUR_MS });
    });
  });

  it('never waits longer than it was meant to, and not again what is over, wherever the clock on the wall was set', async () => {
    const w: Workflow = (ctx) => ctx.sleep('nap', 2_000);
    const noon = new ManualClock().now();
    for (const [change, left] of [
      [-HOUR_MS, 2_000],
      [500, 1_500],
      [HOUR_MS, 0],
    ] as const) {
      const { run } = processes();
      await run({ workflows: { w } }, async (engine) => engine.start('w', 'w', null));
      await run(
        { workflows: { w } },
        async (engine, clock) => {
          await engine.result('w');
          expect(clock.monotonic()).toBe(left);
        },
        new ManualClock(noon + change),
      );
    }
  });

  it('hands a signal over once, to whichever process it waits in', async () => {
    const w: Workflow = async (ctx) => [
      await ctx.waitFor('topic', { key: 'one', timeoutMs: HOUR_MS }),
      await ctx.waitFor('topic', { key: 'two', timeoutMs: 1_000 }),
    ];
    const { run } = processes();
    await run({ workflows: { w } }, async (engine) => {
      await engine.start('w', 'w', null);
      await engine.signal('w', 'other', 0, { key: 'other' });
    });
    await run({ workflows: { w } }, async (engine) => {
      await engine.signal('w', 'topic', { yes: true }, { key: 'k' });
      await engine.signal('w', 'topic', { yes: false }, { key: 'k' });
    });
    await run({ workflows: { w } }, async (engine) => {
      await engine.signal('w', 'topic', { yes: false }, { key: 'k' });
      expect(await engine.result('w')).toEqual({
        kind: 'completed',
        value: [{ kind: 'received', value: { yes: true } }, { kind: 'timed_out' }],
      });
      await engine.signal('w', 'topic', 'late', { key: 'late' });
    });
  });

  it('starts and signals once what is started and signalled twice at the same moment', async () => {
    let begun = 0;
    const w: Workflow = async (ctx) => {
      begun += 1;
      const waits = [];
      for (const key of ['one', 'two']) {
        waits.push(await ctx.waitFor('topic', { key, timeoutMs: 1_000 }));
      }
      return waits;
    };
    const { run } = processes();
    await run({ workflows: { w } }, async (engine) => {
      const starts = [1, 2, 3].map((input) => engine.start('w', 'w', input));
      const created = (await Promise.all(starts)).filter((one) => one.created);
      expect(created).toHaveLength(1);
      expect(begun).toBe(1);
      const twice = [1, 2].map((value) => engine.signal('w', 'topic', value, { key: 'k' }));
      await Promise.all(twice);
      expect(await engine.result('w')).toEqual({
        kind: 'completed',
        value: [{ kind: 'received', value: 1 }, { kind: 'timed_out' }],
      });
    });
  });

  it('takes no second effect from what was started, signalled and cancelled again after a crash', async () => {
    const w: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: HOUR_MS });
    const { run } = processes();
    const again = async (engine: Engine) => {
      await engine.start('w', 'w', null);
      await engine.signal('w', 'topic', 'yes', { key: 'k' });
      await engine.cancel('w', 'too late');
    };
    for (let n = 0; n < 3; n++) await run({ workflows: { w } }, again);
    await run({ workflows: { w } }, async (engine) => {
      expect(await engine.result('w')).toMatchObject({ value: { kind: 'received', value: 'yes' } });
    });
  });

  it('keeps a signal that came before anybody waited', async () => {
    const w: Workflow = async (ctx) => {
      await ctx.sleep('nap', 1_000);
      return ctx.waitFor('topic', { key: 'wait', timeoutMs: 1_000 });
    };
    const { run } = processes();
    await run({ workflows: { w } }, async (engine) => {
      await engine.start('w', 'w', null);
      await engine.signal('w', 'topic', null, { key: 'k' });
    });
    await run({ workflows: { w } }, async (engine) => {
      expect(await engine.result('w')).toMatchObject({ value: { kind: 'received', value: null } });
    });
  });

  it('lets a wait end in time, also one that began in a process long gone', async () => {
    const w: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: HOUR_MS });
    const { run } = processes();
    const ids = ['1', '2', '3'];
    await run({ workflows: { w } }, async (engine) => {
      for (const id of ids) await engine.start(id, 'w', null);
    });
    const later = new ManualClock(new ManualClock().now() + 3 * HOUR_MS);
    await run(
      { workflows: { w } },
      async (engine, clock) => {
        for (const id of ids) {
          expect(await engine.result(id)).toMatchObject({ value: { kind: 'timed_out' } });
        }
        expect(clock.monotonic()).toBe(0);
      },
      later,
    );
  });

  it('leaves alone what waits and does nothing else, until something comes for it', async () => {
    const begun: string[] = [];
    const w: Workflow = async (ctx) => {
      begun.push(ctx.id);
      return ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
    };
    const parent: Workflow = async (ctx) => {
      begun.push(ctx.id);
      const below = { key: 'below', id: 'below', workflow: 'w', input: null };
      return ctx.joinAll(await ctx.spawnAll([below]));
    };
    const { run } = processes();
    const workflows = { w, parent };
    await run({ workflows }, async (engine) => {
      for (const id of ['told', 'cancelled', 'due']) await engine.start(id, 'w', null);
      await engine.start('parent', 'parent', null);
    });
    begun.length = 0;
    await run({ workflows }, async (engine, clock, resumed) => {
      expect(resumed).toBe(5);
      expect(begun).toEqual(['parent']); // it waits for another
      await engine.signal('told', 'go', 1, { key: 'k' });
      await engine.signal('below', 'go', 2, { key: 'k' });
      await engine.cancel('cancelled', 'enough');
      expect(await engine.result('told')).toMatchObject({ value: { value: 1 } });
      expect(await engine.result('parent')).toMatchObject({ value: [{ value: { value: 2 } }] });
      expect(await engine.result('cancelled')).toMatchObject({ value: { kind: 'cancelled' } });
      expect(begun.toSorted()).toEqual(['below', 'cancelled', 'parent', 'told']);
      await clock.sleep(HOUR_MS);
      expect(await engine.result('due')).toMatchObject({ value: { kind: 'timed_out' } });
    });
  });

  it.each([
    ['asked for first', true],
    ['asked for last', false],
  ])('goes on with what it does beside a wait that is %s', async (_when, isFirst) => {
    const calls: string[] = [];
    const tools = [
      toolOf('slow', async (_input, { idempotencyKey }) => {
        calls.push(idempotencyKey);
        return forEver ? new Promise(() => undefined) : 'done';
      }),
    ];
    const w: Workflow = async (ctx) => {
      const wait = () => ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
      const call = () => ctx.activity(callOf('slow'));
      return isFirst ? Promise.all([wait(), call()]) : Promise.all([call(), wait()]);
    };
    const { run } = processes();
    let forEver = true;
    await run({ workflows: { w }, tools }, async (engine, clock) => {
      await engine.start('w', 'w', null);
      await clock.sleep(1_000);
      await engine.signal('w', 'go', 'yes', { key: 'k' });
      await clock.sleep(1_000);
      expect(calls).toHaveLength(1); // it is still under way
    });
    forEver = false;
    await run({ workflows: { w }, tools }, async (engine) => {
      expect(await engine.result('w')).toMatchObject({ kind: 'completed' });
    });
    expect(calls).toHaveLength(2);
  });

  it('makes a call again that was under way beside a wait, though nothing has come for that', async () => {
    let calls = 0;
    const forever = new Promise<never>(() => undefined);
    const tools = [toolOf('slow', async () => (++calls === 1 ? forever : 'done'))];
    const w: Workflow = (ctx) =>
      Promise.all([
        ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS }),
        ctx.activity(callOf('slow')),
      ]);
    const { run } = processes();
    await run({ workflows: { w }, tools }, async (engine, clock) => {
      await engine.start('w', 'w', null);
      await clock.sleep(1_000);
    });
    await run({ workflows: { w }, tools }, async (_engine, clock) => {
      await clock.sleep(1_000);
      expect(calls).toBe(2);
    });
  });

  it('does not call again what must happen once and may have happened', async () => {
    const calls: number[] = [];
    const { run, die } = processes();
    const send = toolOf(
      'mail.send',
      async () => {
        calls.push(calls.length);
        die();
        return 'sent';
      },
      'once',
    );
    const w: Workflow = (ctx) => ctx.activity(callOf('mail.send'));
    const died = run({ workflows: { w }, tools: [send] }, async (engine, clock) => {
      await engine.start('w', 'w', null);
      await clock.sleep(1_000);
    });
    await died;
    await run({ workflows: { w }, tools: [send] }, async (engine) => {
      expect(await engine.result('w')).toMatchObject({
        kind: 'completed',
        value: { kind: 'failed', failure: { code: 'AGENTS_INTERRUPTED', effect: 'unknown' } },
      });
    });
    expect(calls).toEqual([0]);
  });

  it('calls again what may be repeated, but not for ever when it is what ends the process', async () => {
    let calls = 0;
    const { run, die } = processes();
    const poison = toolOf('poison', async () => {
      calls += 1;
      die();
      return 'never heard of';
    });
    const w: Workflow = (ctx) => ctx.activity(callOf('poison'));
    await run({ workflows: { w }, tools: [poison] }, async (engine, clock) => {
      await engine.start('w', 'w', null);
      await clock.sleep(1_000);
    });
    for (let crash = 0; crash < 3; crash++) {
      await run({ workflows: { w }, tools: [poison] }, async (_engine, clock) => {
        await clock.sleep(1_000);
      });
    }
    await run({ workflows: { w }, tools: [poison] }, async (engine) => {
      expect(await engine.result('w')).toMatchObject({
        value: { kind: 'failed', failure: { code: 'AGENTS_POISON_TASK', retryable: false } },
      });
    });
    expect(calls).toBe(4); // the first was not suspected of anything
  });

  it('cancels all that is below, wherever it waits, also in a later process', async () => {
    const leaf: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: HOUR_MS });
    const leaving: Workflow = async (ctx) => {
      await ctx.spawnAll([{ key: 'leaf', id: `${ctx.id}/leaf`, workflow: 'leaf', input: null }]);
    };
    const root: Workflow = async (ctx) => {
      const starts = ['a', 'b'].map((id) => ({ key: id, id, workflow: 'leaf', input: null }));
      const left = { key: 'c', id: 'c', workflow: 'leaving', input: null };
      return ctx.joinAll(await ctx.spawnAll([...starts, left]));
    };
    const workflows = { leaf, leaving, root };
    const { run } = processes();
    await run({ workflows }, async (engine, clock) => {
      await engine.start('root', 'root', null);
      await clock.sleep(1_000);
    });
    await run({ workflows }, async (engine) => {
      await engine.cancel('root', 'enough');
      const cancelled = { kind: 'completed', value: { kind: 'cancelled' } };
      expect(await engine.result('c/leaf')).toEqual(cancelled);
      expect(await engine.result('root')).toMatchObject({
        value: [cancelled, cancelled, { kind: 'completed' }],
      });
      const views = await all(engine.list());
      const cancelReason = 'enough';
      expect(views).toContainEqual({
        id: 'c/leaf',
        workflow: 'leaf',
        status: 'cancelled',
        cancelReason,
      });
      expect(views).toContainEqual({
        id: 'root',
        workflow: 'root',
        status: 'cancelled',
        cancelReason,
      });
    });
  });

  it('joins what ended in an earlier process, and tells each fact once', async () => {
    const child: Workflow = async (ctx, ms: number) => {
      await ctx.sleep('nap', ms);
      await ctx.emit('done', { done: ms });
      return ms;
    };
    const root: Workflow = async (ctx) =>
      ctx.joinAll(
        await ctx.spawnAll(
          [100, 5_000].map((ms) => ({
            key: `${ms}`,
            id: `child/${ms}`,
            workflow: 'child',
            input: ms,
          })),
        ),
      );
    const { run } = processes();
    const workflows = { child, root };
    const told: unknown[] = [];
    await run({ workflows }, async (engine, clock) => {
      engine.subscribe((fact) => told.push(fact));
      await engine.start('root', 'root', null);
      await clock.sleep(1_000);
    });
    await run({ workflows }, async (engine) => {
      engine.subscribe((fact) => told.push(fact));
      expect(await engine.result('root')).toMatchObject({
        value: [{ value: 100 }, { value: 5_000 }],
      });
      const facts = (await all(engine.history())).filter(({ kind }) => kind === 'told');
      expect(facts.map(({ workflowId, value }) => [workflowId, value])).toEqual([
        ['child/100', { done: 100 }],
        ['child/5000', { done: 5_000 }],
      ]);
      const [first] = facts;
      const after = await all(engine.history(first?.seq));
      expect(after.some(({ seq }) => seq === first?.seq)).toBe(false);
    });
    expect(told).toEqual([{ done: 100 }, { done: 5_000 }]);
  });

  it('goes on with the code that a workflow began with, and not at all without it', async () => {
    const old: Workflow = async (ctx) => {
      await ctx.waitFor('go', { key: 'go', timeoutMs: HOUR_MS });
      return 'old';
    };
    const { run } = processes();
    await run({ workflows: { w: old }, version: '1' }, (engine) => engine.start('w', 'w', null));
    const next: Workflow = async () => 'new';
    await expect(run({ workflows: { w: next }, version: '2' }, async () => null)).rejects.toThrow(
      'A workflow w began with version 1',
    );
  });

  it('lets both versions go on side by side', async () => {
    const old: Workflow = async (ctx) => {
      await ctx.waitFor('go', { key: 'go', timeoutMs: HOUR_MS });
      return 'old';
    };
    const { run } = processes();
    await run({ workflows: { w: old }, version: '1' }, (engine) => engine.start('w', 'w', null));
    await run({ workflows: { w: old }, version: '1' }, async (engine) => {
      engine.register({ workflows: { w: async () => 'new' }, tools: [], lanes: {}, version: '2' });
      await engine.start('w2', 'w', null);
      await engine.signal('w', 'go', null, { key: 'k' });
      expect(await engine.result('w')).toMatchObject({ value: 'old' });
      expect(await engine.result('w2')).toMatchObject({ value: 'new' });
    });
  });

  it('says that a tool has answered what JSON cannot hold', async () => {
    const { run } = processes();
    const big = toolOf('big', async () => 10n);
    const w: Workflow = (ctx) => ctx.activity(callOf('big'));
    await run({ workflows: { w }, tools: [big] }, async (engine) => {
      await engine.start('w', 'w', null);
      expect(await engine.result('w')).toMatchObject({
        value: { kind: 'failed', failure: { code: 'AGENTS_OUTPUT_NOT_JSON', effect: 'unknown' } },
      });
    });
  });
});

describe('an engine over a journal in a SQLite file', () => {
  it('forgets how an ended workflow came to its end, and keeps what it came to', async () => {
    const clock = new ManualClock();
    const engine = createEngine({ clock, store: inAFile().open(clock) });
    const child: Workflow = async (ctx) => ctx.now('at');
    const root: Workflow = async (ctx) => {
      await ctx.emit('fact', { told: true });
      return ctx.joinAll(
        await ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'child', input: null }]),
      );
    };
    const wait: Workflow = (ctx) => ctx.waitFor('go', { key: 'go', timeoutMs: HOUR_MS });
    engine.register({ workflows: { child, root, wait }, tools: [], lanes: {} });
    await clock.run(async () => {
      await engine.start('root', 'root', null);
      await engine.start('wait', 'wait', null);
      const result = await engine.result('root');
      expect(await all(engine.history())).not.toEqual([]);
      await expect(engine.compact('wait')).rejects.toThrow('has not ended');
      await engine.compact('root');
      expect(await all(engine.history())).toEqual([]);
      expect(await engine.result('root')).toEqual(result);
      expect(await all(engine.list())).toEqual([
        { id: 'root', workflow: 'root', status: 'completed', cancelReason: null },
        { id: 'wait', workflow: 'wait', status: 'running', cancelReason: null },
      ]);
      expect(await engine.start('root', 'root', null)).toEqual({ created: false });
    });
    await engine.close();
  });
});
