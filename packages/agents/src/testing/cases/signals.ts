/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { Workflow } from '../../durable/durable-context.ts';
import {
  LONG_MS,
  toolOf,
  callOf,
  all,
  valueOf,
  completed,
  never,
  waiting,
  until,
  type EngineCase,
} from './engine-case.ts';

/** What reaches a workflow from outside: signals, and cancellation. */
export const SIGNAL_CASES: readonly EngineCase[] = [
  {
    title: 'hands over the first signal of a key, in order, to a wait for its topic',
    isDurable: false,
    run: (place) => {
      const w: Workflow = async (ctx) => {
        await ctx.waitFor('go', { key: 'go', timeoutMs: LONG_MS });
        const waits = [];
        for (const key of ['one', 'two', 'three']) {
          waits.push(await ctx.waitFor('topic', { key, timeoutMs: 50 }));
        }
        return waits;
      };
      return place.run(
        () => ({ workflows: { w } }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          await engine.signal('w', 'topic', 1, { key: 'a' });
          await engine.signal('w', 'topic', 9, { key: 'a' });
          await engine.signal('w', 'other', 9, { key: 'b' });
          await engine.signal('w', 'topic', 2, { key: 'c' });
          await engine.signal('w', 'go', null, { key: 'go' });
          assert.deepEqual(
            await engine.result('w'),
            completed([
              { kind: 'received', value: 1 },
              { kind: 'received', value: 2 },
              { kind: 'timed_out' },
            ]),
          );
          await engine.signal('w', 'topic', 'late', { key: 'late' });
        },
      );
    },
  },
  {
    title: 'loses no signal that comes as the wait for it ends',
    isDurable: false,
    run: (place) => {
      const w: Workflow = async (ctx) => {
        const first = await ctx.waitFor('topic', { key: 'one', timeoutMs: 100 });
        if (first.kind === 'received') return first;
        return ctx.waitFor('topic', { key: 'two', timeoutMs: LONG_MS });
      };
      return place.run(
        () => ({ workflows: { w } }),
        async ({ engine, clock }) => {
          const ids = Array.from({ length: 10 }, (_, at) => `w/${at}`);
          for (const id of ids) await engine.start(id, 'w', null);
          await clock.sleep(95);
          await Promise.all(ids.map((id) => engine.signal(id, 'topic', id, { key: id })));
          for (const id of ids) {
            assert.deepEqual(await engine.result(id), completed({ kind: 'received', value: id }));
          }
        },
      );
    },
  },
  {
    title: 'cancels what is in flight and what comes after, but not what must be finished',
    isDurable: false,
    run: (place) => {
      const seen: string[] = [];
      const hanging = toolOf('hanging', (_input, { signal }) => {
        seen.push('begun');
        signal.addEventListener('abort', () => seen.push('aborted'));
        return never();
      });
      const quick = toolOf('quick', async () => void seen.push('quick'));
      const w: Workflow = async (ctx) => [
        (await ctx.activity(callOf('hanging'))).kind,
        await ctx.sleep('nap', LONG_MS),
        (await ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS })).kind,
        (await ctx.activity(callOf('quick'))).kind,
        (await ctx.activity(callOf('quick', { key: 'finish', evenIfCancelled: true }))).kind,
      ];
      return place.run(
        () => ({ workflows: { w }, tools: [hanging, quick] }),
        async ({ engine, clock }) => {
          await engine.start('w', 'w', null);
          await until(clock, () => seen.length > 0);
          await engine.cancel('w', 'enough');
          await engine.cancel('w', 'more than enough');
          assert.deepEqual(
            await engine.result('w'),
            completed(['cancelled', 'cancelled', 'cancelled', 'cancelled', 'succeeded']),
          );
          assert.deepEqual(seen, ['begun', 'aborted', 'quick']);
          assert.deepEqual(await all(engine.list()), [
            { id: 'w', workflow: 'w', status: 'cancelled', cancelReason: 'enough' },
          ]);
        },
      );
    },
  },
  {
    title: 'takes no notice of an answer that comes after the call was cancelled',
    isDurable: false,
    run: (place) => {
      let answer: ((value: string) => void) | undefined;
      const late = toolOf('late', () => new Promise((resolve) => (answer = resolve)), 'once');
      const w: Workflow = async (ctx) => (await ctx.activity(callOf('late'))).kind;
      return place.run(
        () => ({ workflows: { w }, tools: [late] }),
        async ({ engine, clock }) => {
          await engine.start('w', 'w', null);
          await until(clock, () => answer !== undefined);
          await engine.cancel('w', 'enough');
          assert.deepEqual(await engine.result('w'), completed('cancelled'));
          answer?.('too late');
          assert.deepEqual(await engine.result('w'), completed('cancelled'));
        },
      );
    },
  },
  {
    title: 'lets either approval or cancellation win, and never both or neither',
    isDurable: false,
    run: (place) =>
      place.run(
        () => ({ workflows: { waiting } }),
        async ({ engine }) => {
          const ids = Array.from({ length: 10 }, (_, at) => `w/${at}`);
          for (const id of ids) await engine.start(id, 'waiting', null);
          await Promise.all(
            ids.flatMap((id) => [
              engine.signal(id, 'topic', 'yes', { key: 'yes' }),
              engine.cancel(id, 'no'),
            ]),
          );
          for (const id of ids) {
            const { kind } = valueOf<{ kind: string }>(await engine.result(id));
            assert(kind === 'received' || kind === 'cancelled', kind);
          }
        },
      ),
  },
];
