/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the test that it is for */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type ActivityCall,
  createEngine,
  type Engine,
  openJournal,
  type Registration,
  type Workflow,
  type WorkflowView,
} from '@buddy/agents';
import { type Clock, ManualClock, type Tool } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
// A gate before it says when each batch is written.
import { JournalWriter, type Write } from '../src/journal/journal-writer.ts';

/* What comes at a bad moment for a workflow that waits and is out of memory, or was taken for one that is. */

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-parked-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const HOUR_MS = 3_600_000;

/** What is on the disk is all that is left, and the next process works on that. */
function crash(): void {
  const copy = join(mkdtempSync(join(folder, 'crashed-')), 'journal.db');
  for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${copy}${end}`);
  file = copy;
}

/** Lets batches through to the disk: all, or one each time it is told to. */
class Gate {
  #isHeld = false;
  #fails = 0;
  #liesAbout = 0;
  #atGate: (() => void) | undefined;

  hold(): void {
    this.#isHeld = true;
  }

  /** Lets one batch through that stands before it. */
  async letOne(): Promise<void> {
    this.#atGate?.();
    this.#atGate = undefined;
    await rest();
  }

  open(): void {
    this.#isHeld = false;
    this.#atGate?.();
    this.#atGate = undefined;
  }

  failNext(): void {
    this.#fails += 1;
  }

  /** One batch is kept, and said to have failed. */
  lieAboutNext(): void {
    this.#liesAbout += 1;
  }

  readonly writer = (path: string) => {
    const real = new JournalWriter(path);
    return {
      write: async (batch: readonly Write[]) => {
        if (this.#isHeld) await new Promise<void>((resolve) => (this.#atGate = resolve));
        if (this.#fails > 0) {
          this.#fails -= 1;
          throw new Error('disk I/O error');
        }
        real.write(batch);
        if (this.#liesAbout > 0) {
          this.#liesAbout -= 1;
          throw new Error('disk I/O error');
        }
      },
      close: async () => real.close(),
    };
  };
}

/** Until nothing more happens without a gate, a timer or a disk. */
async function rest(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
}

async function open(
  registration: Partial<Registration>,
  { clock = new ManualClock(), gate = new Gate() }: { clock?: Clock; gate?: Gate } = {},
): Promise<Engine> {
  const store = openJournal({ file }, { clock, writer: gate.writer });
  const engine = createEngine({ clock, store });
  engine.register({ workflows: {}, tools: [], lanes: {}, ...registration });
  await engine.open();
  return engine;
}

function toolOf(name: string, execute: () => Promise<unknown>): Tool {
  const any = z.unknown();
  return { name, description: name, tier: 1, effect: 'pure', input: any, output: any, execute };
}

function callOf(tool: string): ActivityCall {
  return {
    key: tool,
    tool,
    input: null,
    work: tool,
    actor: { kind: 'system', id: 'test' },
    rationale: 'a test',
    attempt: 1,
  };
}

async function viewsOf(engine: Engine): Promise<WorkflowView[]> {
  const views: WorkflowView[] = [];
  for await (const view of engine.list()) views.push(view);
  return views;
}

const quick = toolOf('quick', async () => 'done');

/** Waits, and does something beside that when it is free to. */
function waitBeside(isFree: Promise<void>): Workflow {
  return (ctx) =>
    Promise.all([
      ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS }),
      isFree.then(() => ctx.activity(callOf('quick'))),
    ]);
}

const waitForGo: Workflow = (ctx) => ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });

describe('a workflow with two waits beside each other', () => {
  const waits: Workflow = (ctx) =>
    Promise.all([
      ctx.waitFor('a', { key: 'a', timeoutMs: HOUR_MS }),
      ctx.waitFor('b', { key: 'b', timeoutMs: HOUR_MS }),
    ]);
  const values = [
    { kind: 'received', value: 'a' },
    { kind: 'received', value: 'b' },
  ];

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('hears of %s and then of %s', async (first, second) => {
    const engine = await open({ workflows: { waits } });
    await engine.start('w', 'waits', null);
    await rest();
    for (const topic of [first, second]) {
      await engine.signal('w', topic, topic, { key: topic });
      await rest();
    }
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: values });
    await engine.close();
  });

  it('hears of each in a process of its own', async () => {
    for (const topic of ['start', 'b', 'a']) {
      const engine = await open({ workflows: { waits } });
      await engine.start('w', 'waits', null);
      await rest();
      if (topic !== 'start') await engine.signal('w', topic, topic, { key: topic });
      await rest();
      await engine.close();
    }
    const engine = await open({ workflows: { waits } });
    expect(await engine.result('w')).toEqual({ kind: 'completed', value: values });
    await engine.close();
  });

  it('ends once, with what came first', async () => {
    const clock = new ManualClock();
    const race: Workflow = (ctx) =>
      Promise.race([
        ctx.waitFor('a', { key: 'a', timeoutMs: HOUR_MS }),
        ctx.waitFor('b', { key: 'b', timeoutMs: HOUR_MS }),
      ]);
    const engine = await open({ workflows: { race } }, { clock });
    await engine.start('w', 'race', null);
    await rest();
    await engine.signal('w', 'a', 'a', { key: 'a' });
    const result = { kind: 'completed', value: { kind: 'received', value: 'a' } };
    expect(await engine.result('w')).toEqual(result);
    await clock.advance(2 * HOUR_MS);
    await engine.close();
    const later = await open({ workflows: { race } });
    expect(await later.result('w')).toEqual(result);
    await later.close();
  });

  it('does what comes after a sleep beside a wait once', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const count = toolOf('count', async () => (calls += 1));
    const naps: Workflow = (ctx) =>
      Promise.all([
        ctx.waitFor('go', { key: 'wait', timeoutMs: 3 * HOUR_MS }),
        ctx.sleep('nap', HOUR_MS).then(() => ctx.activity(callOf('count'))),
      ]);
    const engine = await open({ workflows: { naps }, tools: [count] }, { clock });
    await engine.start('w', 'naps', null);
    await rest();
    await engine.signal('w', 'other', 0, { key: 'other' });
    await clock.advance(2 * HOUR_MS);
    expect(calls).toBe(1);
    await engine.signal('w', 'go', 'yes', { key: 'k' });
    expect(await engine.result('w')).toMatchObject({ value: [{ value: 'yes' }, { value: 1 }] });
    expect(calls).toBe(1);
    await engine.close();
  });
});

describe('a workflow that comes back for a branch beside its wait', () => {
  it('hears of a signal that was on its way', async () => {
    const gate = new Gate();
    const isFree = Promise.withResolvers<void>();
    const engine = await open(
      { workflows: { w: waitBeside(isFree.promise) }, tools: [quick] },
      { gate },
    );
    await engine.start('w', 'w', null);
    await rest();
    gate.hold();
    const told = engine.signal('w', 'go', 'yes', { key: 'k' });
    await rest(); // it is being written
    isFree.resolve();
    await rest(); // that it is back waits for that
    await gate.letOne();
    gate.open();
    await told;
    expect(await engine.result('w')).toMatchObject({
      value: [{ value: 'yes' }, { value: 'done' }],
    });
    await engine.close();
  });

  it('hears of a signal that was about to bring it back', async () => {
    const gate = new Gate();
    const isFree = Promise.withResolvers<void>();
    const engine = await open(
      { workflows: { w: waitBeside(isFree.promise), other: waitForGo }, tools: [quick] },
      { gate },
    );
    await engine.start('w', 'w', null);
    await rest();
    gate.hold();
    const told = engine.signal('w', 'go', 'yes', { key: 'k' });
    await rest();
    const other = engine.start('other', 'other', null);
    await gate.letOne(); // the signal is there, and the other is being written
    isFree.resolve();
    await rest();
    gate.open();
    await Promise.all([told, other]);
    expect(await engine.result('w')).toMatchObject({
      value: [{ value: 'yes' }, { value: 'done' }],
    });
    await engine.close();
  });

  it('hears of a cancellation that was on its way', async () => {
    const gate = new Gate();
    const isFree = Promise.withResolvers<void>();
    const engine = await open(
      { workflows: { w: waitBeside(isFree.promise) }, tools: [quick] },
      { gate },
    );
    await engine.start('w', 'w', null);
    await rest();
    gate.hold();
    const told = engine.cancel('w', 'enough');
    await rest();
    isFree.resolve();
    await rest();
    await gate.letOne();
    gate.open();
    await told;
    expect(await engine.result('w')).toMatchObject({
      value: [{ kind: 'cancelled' }, { kind: 'cancelled' }],
    });
    await engine.close();
  });
});

describe('a workflow that ends beside its wait', () => {
  it('has ended, though the wait has not', async () => {
    const leaves: Workflow = async (ctx) => {
      void ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
      for (let n = 0; n < 10; n++) await Promise.resolve();
      return 'done';
    };
    const clock = new ManualClock();
    const engine = await open({ workflows: { leaves } }, { clock });
    await engine.start('w', 'leaves', null);
    await rest();
    const result = { kind: 'completed', value: 'done' };
    expect(await soon(engine.result('w'))).toEqual(result);
    await engine.signal('w', 'go', 'late', { key: 'k' });
    await clock.advance(2 * HOUR_MS);
    expect(await soon(engine.result('w'))).toEqual(result);
    await engine.close();
  });

  it('has ended also when all beside the wait was done by a process before', async () => {
    let isSlow = true;
    const races: Workflow = async (ctx) => {
      const call = ctx.activity(callOf('quick'));
      await Promise.race([ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS }), call]);
      if (isSlow) await new Promise(() => undefined);
      return 'done';
    };
    const first = await open({ workflows: { races }, tools: [quick] });
    await first.start('w', 'races', null);
    await rest();
    await first.close();
    isSlow = false;
    const engine = await open({ workflows: { races }, tools: [quick] });
    await rest();
    expect(await soon(engine.result('w'))).toEqual({ kind: 'completed', value: 'done' });
    await engine.close();
  });
});

/** What it comes to, unless it never does. */
function soon<T>(promise: Promise<T>): Promise<T | 'never'> {
  return Promise.race([promise, rest().then(() => 'never' as const)]);
}

describe('a signal that is kept together with the beginning of the wait for it', () => {
  it('is not left alone with it by the next process', async () => {
    const gate = new Gate();
    const w: Workflow = async (ctx) => {
      await ctx.now('first');
      return ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
    };
    const engine = await open({ workflows: { w } }, { gate });
    gate.hold();
    const started = engine.start('w', 'w', null);
    await rest();
    await gate.letOne();
    await started;
    await rest(); // what came of `now` is being written
    const told = engine.signal('w', 'go', 'yes', { key: 'k' });
    for (let batch = 0; batch < 3; batch++) await gate.letOne(); // of `now`, the signal, the wait
    await told; // so it will not be lost
    crash();
    const next = await open({ workflows: { w } });
    await rest();
    expect(await soon(next.result('w'))).toMatchObject({ value: { value: 'yes' } });
    await next.close();
  });
});

describe('an engine that is closed', () => {
  it('leaves no timer for what begins to wait meanwhile', async () => {
    const manual = new ManualClock();
    const asleep = new Set<number>();
    let sleeps = 0;
    const clock: Clock = {
      now: () => manual.now(),
      monotonic: () => manual.monotonic(),
      external: (work) => manual.external(work),
      sleep: (ms, signal) => {
        const nth = ++sleeps;
        asleep.add(nth);
        return manual.sleep(ms, signal).finally(() => asleep.delete(nth));
      },
    };
    const gate = new Gate();
    const w: Workflow = async (ctx) => {
      await ctx.now('first');
      return ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
    };
    const engine = await open({ workflows: { w } }, { clock, gate });
    gate.hold();
    const started = engine.start('w', 'w', null);
    await rest();
    await gate.letOne();
    await started;
    await rest();
    const closed = engine.close();
    gate.open();
    await closed;
    await rest();
    expect(asleep.size).toBe(0);
  });
});

describe('an id', () => {
  it('of what is parked is not given to another', async () => {
    const parent: Workflow = async (ctx) =>
      ctx.joinAll(
        await ctx.spawnAll([{ key: 'c', id: 'taken', workflow: 'waitForGo', input: null }]),
      );
    const engine = await open({ workflows: { waitForGo, parent } });
    await engine.start('taken', 'waitForGo', null);
    await rest();
    await engine.start('parent', 'parent', null);
    await rest();
    expect(await soon(engine.result('parent'))).toMatchObject({
      kind: 'failed',
      failure: { message: expect.stringContaining('is there already') },
    });
    await engine.close();
  });
});

describe('what was acknowledged', () => {
  it('stays when the same is asked for again and refused: a cancellation', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const w: Workflow = async (ctx) => ctx.activity({ ...callOf('slow'), evenIfCancelled: true });
    const slow = toolOf('slow', () => new Promise(() => undefined));
    const engine = await open({ workflows: { w }, tools: [slow] }, { clock, gate });
    await engine.start('w', 'w', null);
    await engine.cancel('w', 'enough');
    gate.failNext();
    await engine.cancel('w', 'more than enough').catch(() => undefined);
    await clock.advance(HOUR_MS);
    expect(await viewsOf(engine)).toMatchObject([{ id: 'w', cancelReason: 'enough' }]);
    await engine.close();
  });

  it.each([
    ['another reason, and was not kept', 'not this one', 'failNext'],
    ['the same reason, and was not kept', 'enough', 'failNext'],
    ['another reason, though it was kept', 'not this one', 'lieAboutNext'],
    ['the same reason, though it was kept', 'enough', 'lieAboutNext'],
  ] as const)(
    'stays when the cancellation of what is above is refused: for %s',
    async (_title, reason, fail) => {
      const clock = new ManualClock();
      const gate = new Gate();
      const parent: Workflow = async (ctx) =>
        ctx.joinAll(await ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'child', input: null }]));
      const child: Workflow = async (ctx) =>
        ctx.activity({ ...callOf('slow'), evenIfCancelled: true });
      const slow = toolOf('slow', () => new Promise(() => undefined));
      const engine = await open({ workflows: { parent, child }, tools: [slow] }, { clock, gate });
      await engine.start('w', 'parent', null);
      await engine.cancel('c', reason);
      gate[fail]();
      await expect(engine.cancel('w', 'enough')).rejects.toMatchObject({
        code: 'AGENTS_JOURNAL_WRITE',
      });
      await clock.advance(HOUR_MS);
      expect(await viewsOf(engine)).toMatchObject([
        { id: 'w', cancelReason: null },
        { id: 'c', cancelReason: reason },
      ]);
      await engine.close();
    },
  );

  it('stays when the same is asked for again and refused: a signal', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const w: Workflow = async (ctx) => {
      await ctx.sleep('nap', HOUR_MS);
      return ctx.waitFor('go', { key: 'wait', timeoutMs: HOUR_MS });
    };
    const engine = await open({ workflows: { w } }, { clock, gate });
    await engine.start('w', 'w', null);
    await rest();
    gate.hold();
    const first = engine.signal('w', 'go', 1, { key: 'k' });
    await rest(); // it is being written
    const second = engine.signal('w', 'go', 2, { key: 'k' }).catch(() => undefined);
    await rest();
    await gate.letOne();
    gate.failNext();
    gate.open();
    await rest();
    await clock.advance(1_000);
    await Promise.all([first, second]);
    await engine.close();
    const later = new ManualClock();
    const next = await open({ workflows: { w } }, { clock: later });
    expect(await later.run(() => next.result('w'))).toMatchObject({ value: { value: 1 } });
    await next.close();
  });
});

describe('a compaction', () => {
  it('spares what ended just after it, also when both are written again', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const store = openJournal({ file }, { clock, writer: gate.writer });
    const begin = { kind: 'begun', workflow: 'w', version: '1', input: 'null' } as const;
    const end = { kind: 'ended', status: 'completed', result: '{"kind":"completed"}' } as const;
    await store.keep({ ...begin, id: 'p', parentId: null });
    await store.keep({ ...begin, id: 'c', parentId: 'p' });
    await store.keep({ ...end, id: 'p' });
    gate.lieAboutNext();
    void store.keep({ kind: 'compacted', id: 'p' });
    const ended = store.keep({ ...end, id: 'c' });
    await clock.run(() => ended);
    expect(store.load('c')?.ended).toBeDefined();
    await store.keep({ kind: 'compacted', id: 'p' });
    expect(store.load('c')).toBeUndefined();
    await store.close();
  });
});

const refusal = { code: 'AGENTS_JOURNAL_WRITE', retryable: true };

describe('what is asked while nothing can be kept', () => {
  /** Of two that wait, one is told something that is refused; `known` is parked. */
  async function stalled() {
    const clock = new ManualClock();
    const gate = new Gate();
    const engine = await open({ workflows: { waitForGo } }, { clock, gate });
    for (const id of ['known', 'other']) await engine.start(id, 'waitForGo', null);
    await rest();
    gate.failNext();
    await expect(engine.signal('other', 'go', 1, { key: 'k' })).rejects.toMatchObject(refusal);
    return { engine, clock, gate };
  }

  it('is refused at once, of what is out of memory too, and done when it can be kept again', async () => {
    const { engine, clock } = await stalled();
    const asked = [
      engine.signal('known', 'go', 'yes', { key: 'k' }),
      engine.cancel('known', 'enough'),
      engine.start('new', 'waitForGo', null),
    ];
    for (const one of asked) {
      expect(await soon(one.catch((error: unknown) => error))).toMatchObject(refusal);
    }
    expect(await soon(engine.start('known', 'waitForGo', null))).toEqual({ created: false });
    await clock.advance(1_000);
    await engine.signal('known', 'go', 'yes', { key: 'k' });
    expect(await engine.result('known')).toMatchObject({ value: { value: 'yes' } });
    expect(await engine.start('new', 'waitForGo', null)).toEqual({ created: true });
    await engine.close();
  });

  it('is not said to be done because the journal holds what is about to be taken back', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const engine = await open({ workflows: { waitForGo } }, { clock, gate });
    await engine.start('w', 'waitForGo', null);
    await rest();
    const ask = [
      () => engine.start('new', 'waitForGo', null),
      () => engine.signal('w', 'other', 'yes', { key: 'k' }),
      () => engine.cancel('w', 'enough'),
    ];
    for (const one of ask) {
      gate.lieAboutNext();
      await expect(one()).rejects.toMatchObject(refusal);
      await expect(one()).rejects.toMatchObject(refusal);
      await clock.advance(1_000);
    }
    expect(await viewsOf(engine)).toMatchObject([{ id: 'w', cancelReason: null }]);
    for (const one of ask) await one();
    expect(await engine.result('w')).toMatchObject({ value: { kind: 'cancelled' } });
    expect(await viewsOf(engine)).toMatchObject([{ id: 'w' }, { id: 'new' }]);
    await engine.close();
  });

  it('is not found by the next process when it was refused, and this one is closed before it could be taken back', async () => {
    const gate = new Gate();
    const engine = await open({ workflows: { waitForGo } }, { gate });
    gate.lieAboutNext();
    await expect(engine.start('w', 'waitForGo', null)).rejects.toMatchObject(refusal);
    await engine.close();
    const next = await open({ workflows: { waitForGo } });
    expect(await viewsOf(next)).toEqual([]);
    await next.close();
  });

  it('is not waited for by one whose signal has been kept', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const engine = await open({ workflows: { waitForGo } }, { clock, gate });
    for (const id of ['w', 'other']) await engine.start(id, 'waitForGo', null);
    await rest();
    gate.hold();
    const told = engine.signal('w', 'go', 'yes', { key: 'k' });
    await rest(); // it is being written
    const refused = engine.signal('other', 'go', 1, { key: 'k' }).catch((error: unknown) => error);
    await gate.letOne();
    gate.failNext();
    gate.open();
    expect(await refused).toMatchObject(refusal);
    expect(await soon(told)).toBeUndefined();
    await clock.advance(1_000);
    expect(await soon(engine.result('w'))).toMatchObject({ value: { value: 'yes' } });
    await engine.close();
  });
});

describe('a journal from before it was noted what is parked', () => {
  it('is brought up to date, and what waits in it is gone on with', async () => {
    const first = await open({ workflows: { waitForGo } });
    for (const id of ['told', 'due']) await first.start(id, 'waitForGo', null);
    await rest();
    await first.close();
    const database = new DatabaseSync(file);
    database.exec(
      `${BEFORE_OFFERS} ALTER TABLE entries DROP COLUMN is_parked; PRAGMA user_version = 2;`,
    );
    database.close();
    const clock = new ManualClock();
    const engine = await open({ workflows: { waitForGo } }, { clock });
    await engine.signal('told', 'go', 'yes', { key: 'k' });
    expect(await soon(engine.result('told'))).toMatchObject({ value: { value: 'yes' } });
    await clock.advance(HOUR_MS);
    expect(await soon(engine.result('due'))).toMatchObject({ value: { kind: 'timed_out' } });
    await engine.close();
  });
});

/** Takes away what version 4 of a journal added. */
const BEFORE_OFFERS = `
  ALTER TABLE workflows DROP COLUMN begun_by;
  ALTER TABLE workflows DROP COLUMN cancelled_by;
  ALTER TABLE entries DROP COLUMN came_by;`;

describe('a journal from before it was noted by which request something came', () => {
  it('is brought up to date, and what it holds is not taken back', async () => {
    const first = await open({ workflows: { waitForGo } });
    for (const id of ['told', 'cancelled']) await first.start(id, 'waitForGo', null);
    await rest();
    await first.signal('told', 'other', 'yes', { key: 'k' });
    await first.cancel('cancelled', 'enough');
    await first.close();
    const database = new DatabaseSync(file);
    database.exec(`${BEFORE_OFFERS} PRAGMA user_version = 3;`);
    database.close();
    const clock = new ManualClock();
    const gate = new Gate();
    const engine = await open({ workflows: { waitForGo } }, { clock, gate });
    const ask = [
      () => engine.signal('told', 'other', 'no', { key: 'k' }),
      () => engine.cancel('cancelled', 'enough'),
    ];
    for (const one of ask) {
      gate.failNext();
      await one().catch(() => undefined);
      await clock.advance(1_000);
    }
    await engine.close();
    const store = openJournal({ file });
    expect(store.load('told')?.signals).toMatchObject([{ key: 'k', value: '"yes"' }]);
    expect(store.load('cancelled')?.cancelReason).toBe('enough');
    await store.close();
  });
});
