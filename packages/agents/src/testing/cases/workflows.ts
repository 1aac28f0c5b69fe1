/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { Workflow } from '../../durable/durable-context.ts';
import { all, completed, waiting, misuse, type EngineCase } from './engine-case.ts';

/** How workflows begin and end, and what they tell. */
export const WORKFLOW_CASES: readonly EngineCase[] = [
  {
    title: 'starts an id once, and refuses names and ids that it does not know',
    isDurable: false,
    run: (place) =>
      place.run(
        () => ({ workflows: { waiting } }),
        async ({ engine }) => {
          assert.deepEqual(await engine.start('w', 'waiting', null), { created: true });
          assert.deepEqual(await engine.start('w', 'waiting', null), { created: false });
          await assert.rejects(engine.start('x', 'nothing', null), misuse);
          await assert.rejects(engine.signal('x', 'topic', 1, { key: 'k' }), misuse);
          await assert.rejects(engine.cancel('x', 'why'), misuse);
          await assert.rejects(engine.result('x'), misuse);
        },
      ),
  },
  {
    title: 'says that a workflow has failed, and with what',
    isDurable: false,
    run: (place) => {
      const w: Workflow = async () => {
        throw Object.assign(new Error('not like this'), { code: 'ODD' });
      };
      return place.run(
        () => ({ workflows: { w } }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          const result = await engine.result('w');
          assert(result.kind === 'failed');
          assert.equal(result.failure.message, 'not like this');
          assert.deepEqual(await all(engine.list()), [
            { id: 'w', workflow: 'w', status: 'failed', cancelReason: null },
          ]);
        },
      );
    },
  },
  {
    title: 'joins what it has spawned, in the order asked for, failures included',
    isDurable: false,
    run: (place) => {
      const child: Workflow = async (ctx, ms: number) => {
        await ctx.sleep('nap', ms);
        if (ms === 0) throw new Error('too fast');
        return ms;
      };
      const root: Workflow = async (ctx) => {
        const children = [60, 0, 30].map((ms) => ({
          key: `${ms}`,
          id: `child/${ms}`,
          workflow: 'child',
          input: ms,
        }));
        const joined = await ctx.joinAll(await ctx.spawnAll(children));
        return joined.map((one) => (one.kind === 'completed' ? one.value : one.failure.message));
      };
      const taken: Workflow = async (ctx) => {
        await ctx.spawnAll([{ key: 'c', id: 'root', workflow: 'child', input: 1 }]);
      };
      return place.run(
        () => ({ workflows: { child, root, taken } }),
        async ({ engine }) => {
          await engine.start('root', 'root', null);
          assert.deepEqual(await engine.result('root'), completed([60, 'too fast', 30]));
          await engine.start('taken', 'taken', null);
          const refused = await engine.result('taken');
          assert(refused.kind === 'failed');
          assert.equal(refused.failure.code, misuse.code);
        },
      );
    },
  },
  {
    title: 'tells each fact once, in order, to whoever listens',
    isDurable: false,
    run: (place) => {
      const w: Workflow = async (ctx) => {
        for (const n of [1, 2, 3]) await ctx.emit(`${n}`, { n });
      };
      return place.run(
        () => ({ workflows: { w } }),
        async ({ engine }) => {
          const told: { n: number; at: number }[] = [];
          const leave = engine.subscribe(({ n }: { n: number }, at) => told.push({ n, at }));
          await engine.start('w', 'w', null);
          await engine.result('w');
          assert.deepEqual(
            told.map(({ n }) => n),
            [1, 2, 3],
          );
          assert(told.every(({ at }, n) => at >= (told[n - 1]?.at ?? 0)));
          leave();
          await engine.start('w2', 'w', null);
          await engine.result('w2');
          assert.equal(told.length, 3);
        },
      );
    },
  },
  {
    title: 'fails a workflow when one who listens throws at what it tells',
    isDurable: false,
    run: (place) => {
      const w: Workflow = async (ctx) => {
        await ctx.emit('fact', { n: 1 });
      };
      return place.run(
        () => ({ workflows: { w } }),
        async ({ engine }) => {
          const leave = engine.subscribe(() => {
            throw new Error('not now');
          });
          await engine.start('w', 'w', null);
          const result = await engine.result('w');
          assert(result.kind === 'failed');
          assert.equal(result.failure.message, 'not now');
          leave();
          await engine.start('w2', 'w', null);
          assert.equal((await engine.result('w2')).kind, 'completed');
        },
      );
    },
  },
];
