/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { ActivityResult, Workflow } from '../../durable/durable-context.ts';
import {
  NAP_MS,
  LONG_MS,
  toolOf,
  callOf,
  all,
  valueOf,
  completed,
  never,
  waiting,
  until,
  isListed,
  type EngineCase,
} from './engine-case.ts';

/** What outlives a process. */
export const RESTART_CASES: readonly EngineCase[] = [
  {
    title: 'goes on where the process before it was, and does nothing again that was recorded',
    isDurable: true,
    run: async (place) => {
      const calls: string[] = [];
      const tools = ['a', 'b'].map((name) => toolOf(name, async () => void calls.push(name)));
      const w: Workflow = async (ctx) => {
        const first = await ctx.now('first');
        await ctx.activity(callOf('a'));
        await ctx.sleep('nap', NAP_MS);
        await ctx.activity(callOf('b'));
        return (await ctx.now('last')) - first >= NAP_MS;
      };
      const setUp = () => ({ workflows: { w }, tools });
      await place.run(setUp, async ({ engine, clock }) => {
        assert.deepEqual(await engine.start('w', 'w', null), { created: true });
        await until(clock, () => calls.length > 0);
      });
      assert.deepEqual(calls, ['a']);
      await place.run(
        setUp,
        async ({ engine, resumed }) => {
          assert.equal(resumed, 1);
          assert.deepEqual(await engine.start('w', 'w', null), { created: false });
          assert.deepEqual(await engine.result('w'), completed(true));
        },
        { afterMs: NAP_MS / 2 },
      );
      assert.deepEqual(calls, ['a', 'b']);
      await place.run(setUp, async ({ engine, resumed }) => {
        assert.equal(resumed, 0);
        assert.deepEqual(await engine.result('w'), completed(true));
      });
      assert.deepEqual(calls, ['a', 'b']);
    },
  },
  {
    title: 'hands a signal over once, to whichever process it waits in',
    isDurable: true,
    run: async (place) => {
      const w: Workflow = async (ctx) => [
        await ctx.waitFor('topic', { key: 'one', timeoutMs: LONG_MS }),
        await ctx.waitFor('topic', { key: 'two', timeoutMs: 100 }),
      ];
      const setUp = () => ({ workflows: { w } });
      await place.run(setUp, async ({ engine }) => {
        await engine.start('w', 'w', null);
        await engine.signal('w', 'other', 0, { key: 'other' });
      });
      await place.run(setUp, async ({ engine }) => {
        await engine.signal('w', 'topic', { yes: true }, { key: 'k' });
        await engine.signal('w', 'topic', { yes: false }, { key: 'k' });
      });
      await place.run(setUp, async ({ engine }) => {
        await engine.signal('w', 'topic', { yes: false }, { key: 'k' });
        assert.deepEqual(
          await engine.result('w'),
          completed([{ kind: 'received', value: { yes: true } }, { kind: 'timed_out' }]),
        );
      });
    },
  },
  {
    title: 'lets a wait end in time that began in a process long gone',
    isDurable: true,
    run: async (place) => {
      const w: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: NAP_MS });
      const setUp = () => ({ workflows: { w } });
      await place.run(setUp, async ({ engine, clock }) => {
        await engine.start('w', 'w', null);
        await clock.sleep(50);
      });
      await place.run(
        setUp,
        async ({ engine }) => {
          assert.deepEqual(await engine.result('w'), completed({ kind: 'timed_out' }));
        },
        { afterMs: 2 * NAP_MS },
      );
    },
  },
  {
    title: 'does not call again what must happen once and may have happened',
    isDurable: true,
    run: async (place) => {
      let calls = 0;
      const send = toolOf(
        'mail.send',
        () => {
          calls += 1;
          return never();
        },
        'once',
      );
      const w: Workflow = (ctx) => ctx.activity(callOf('mail.send', { lane: 'ada' }));
      const setUp = () => ({ workflows: { w }, tools: [send], lanes: { ada: 1 } });
      await place.run(setUp, async ({ engine, clock }) => {
        await engine.start('w', 'w', null);
        await until(clock, () => calls > 0);
      });
      await place.run(setUp, async ({ engine }) => {
        const lost = valueOf<ActivityResult<unknown>>(await engine.result('w'));
        assert(lost.kind === 'failed');
        assert.equal(lost.failure.code, 'AGENTS_INTERRUPTED');
        assert.equal(lost.failure.effect, 'unknown');
      });
      assert.equal(calls, 1);
    },
  },
  {
    title: 'calls again what may be repeated, but not for ever when it is what ends the process',
    isDurable: true,
    run: async (place) => {
      let calls = 0;
      const poison = toolOf('poison', () => {
        calls += 1;
        return never();
      });
      const w: Workflow = (ctx) => ctx.activity(callOf('poison'));
      const setUp = () => ({ workflows: { w }, tools: [poison] });
      for (const crash of [1, 2, 3, 4]) {
        await place.run(setUp, async ({ engine, clock }) => {
          await engine.start('w', 'w', null);
          await until(clock, () => calls === crash);
        });
      }
      await place.run(setUp, async ({ engine }) => {
        const poisoned = valueOf<ActivityResult<unknown>>(await engine.result('w'));
        assert(poisoned.kind === 'failed');
        assert.equal(poisoned.failure.code, 'AGENTS_POISON_TASK');
        assert.equal(poisoned.failure.retryable, false);
      });
      assert.equal(calls, 4); // the first was not suspected of anything
    },
  },
  {
    title: 'cancels all that is below, wherever it waits, also in a later process',
    isDurable: true,
    run: async (place) => {
      const leaving: Workflow = async (ctx) => {
        await ctx.spawnAll([
          { key: 'leaf', id: `${ctx.id}/leaf`, workflow: 'waiting', input: null },
        ]);
      };
      const root: Workflow = async (ctx) => {
        const starts = ['a', 'b'].map((id) => ({ key: id, id, workflow: 'waiting', input: null }));
        const left = { key: 'c', id: 'c', workflow: 'leaving', input: null };
        return ctx.joinAll(await ctx.spawnAll([...starts, left]));
      };
      const setUp = () => ({ workflows: { waiting, leaving, root } });
      await place.run(setUp, async ({ engine, clock }) => {
        await engine.start('root', 'root', null);
        await until(clock, () => isListed(engine, 'c/leaf'));
      });
      await place.run(setUp, async ({ engine }) => {
        await engine.cancel('root', 'enough');
        const cancelled = completed({ kind: 'cancelled' });
        assert.deepEqual(await engine.result('c/leaf'), cancelled);
        const [a, b] = valueOf<unknown[]>(await engine.result('root'));
        assert.deepEqual([a, b], [cancelled, cancelled]);
        const views = await all(engine.list());
        for (const id of ['root', 'a', 'b', 'c/leaf']) {
          const view = views.find((one) => one.id === id);
          assert.equal(view?.status, 'cancelled', id);
          assert.equal(view.cancelReason, 'enough');
        }
      });
    },
  },
  {
    title: 'cancels what a cancelled workflow begins, also in a later process',
    isDurable: true,
    run: async (place) => {
      let calls = 0;
      const book = toolOf('book', () => (++calls === 1 ? never() : Promise.resolve()));
      const late: Workflow = async (ctx) => {
        await ctx.activity(callOf('book', { evenIfCancelled: true }));
        return ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS });
      };
      const root: Workflow = async (ctx) => {
        await ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS });
        await ctx.spawnAll([{ key: 'late', id: 'late', workflow: 'late', input: null }]);
      };
      const setUp = () => ({ workflows: { late, root }, tools: [book] });
      await place.run(setUp, async ({ engine, clock }) => {
        await engine.start('root', 'root', null);
        await engine.cancel('root', 'enough');
        await engine.result('root');
        await until(clock, () => calls > 0);
        const views = await all(engine.list());
        assert.equal(views.find(({ id }) => id === 'late')?.cancelReason, 'enough');
      });
      await place.run(setUp, async ({ engine }) => {
        assert.deepEqual(await engine.result('late'), completed({ kind: 'cancelled' }));
      });
    },
  },
  {
    title: 'joins what ended in an earlier process, and keeps each fact once',
    isDurable: true,
    run: async (place) => {
      const child: Workflow = async (ctx, ms: number) => {
        await ctx.sleep('nap', ms);
        await ctx.emit('done', { done: ms });
        return ms;
      };
      const root: Workflow = async (ctx) =>
        ctx.joinAll(
          await ctx.spawnAll(
            [10, 600].map((ms) => ({
              key: `${ms}`,
              id: `child/${ms}`,
              workflow: 'child',
              input: ms,
            })),
          ),
        );
      const setUp = () => ({ workflows: { child, root } });
      const told: unknown[] = [];
      await place.run(setUp, async ({ engine, clock }) => {
        engine.subscribe((fact) => told.push(fact));
        await engine.start('root', 'root', null);
        await until(clock, () => told.length > 0);
      });
      await place.run(setUp, async ({ engine }) => {
        engine.subscribe((fact) => told.push(fact));
        assert.deepEqual(await engine.result('root'), completed([completed(10), completed(600)]));
        const facts = (await all(engine.history())).filter(({ kind }) => kind === 'told');
        assert.deepEqual(
          facts.map(({ workflowId, value }) => [workflowId, value]),
          [
            ['child/10', { done: 10 }],
            ['child/600', { done: 600 }],
          ],
        );
        const [first] = facts;
        const after = await all(engine.history(first?.seq));
        assert(after.every(({ seq }) => seq > (first?.seq ?? 0)));
      });
      assert.deepEqual(told, [{ done: 10 }, { done: 600 }]);
    },
  },
  {
    title:
      'never goes on with other code than a workflow began with, and lets versions go on side by side',
    isDurable: true,
    run: async (place) => {
      const old: Workflow = async (ctx) => {
        await ctx.waitFor('go', { key: 'go', timeoutMs: LONG_MS });
        return 'old';
      };
      const v1 = { workflows: { w: old }, version: '1' };
      const v2 = { workflows: { w: (async () => 'new') as Workflow }, version: '2' };
      await place.run(
        () => v1,
        ({ engine }) => engine.start('w', 'w', null),
      );
      // Whether it refuses to open or leaves the workflow to others is the engine's business.
      await place
        .run(
          () => v2,
          async ({ engine, clock }) => {
            await engine.signal('w', 'go', null, { key: 'k' });
            await clock.sleep(NAP_MS);
          },
        )
        .catch((error: unknown) => assert.match(String(error), /version 1/));
      await place.run(
        () => [v1, v2],
        async ({ engine }) => {
          await engine.start('w2', 'w', null);
          await engine.signal('w', 'go', null, { key: 'k' });
          assert.deepEqual(await engine.result('w'), completed('old'));
          assert.deepEqual(await engine.result('w2'), completed('new'));
        },
      );
    },
  },
];
