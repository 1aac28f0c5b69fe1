/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { DurableContext, Workflow } from '../../durable/durable-context.ts';
import type { Engine } from '../../durable/engine.ts';
import { LONG_MS, all, completed, waiting, misuse, type EngineCase } from './engine-case.ts';

/** What is forgotten of what has ended, and what is left. */
export const COMPACTION_CASES: readonly EngineCase[] = [
  {
    title: 'forgets how an ended workflow came to its end, and keeps what it came to',
    isDurable: true,
    run: (place) => {
      const child: Workflow = async (ctx) => ctx.now('at');
      const root: Workflow = async (ctx) => {
        await ctx.emit('fact', { told: true });
        await ctx.joinAll(
          await ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'child', input: null }]),
        );
        return 'done';
      };
      return place.run(
        () => ({ workflows: { child, root, waiting } }),
        async ({ engine }) => {
          await engine.start('root', 'root', null);
          await engine.start('waiting', 'waiting', null);
          assert.deepEqual(await engine.result('root'), completed('done'));
          assert.notDeepEqual(await all(engine.history()), []);
          await assert.rejects(engine.compact('waiting'), misuse);
          await engine.compact('root');
          assert.deepEqual(await all(engine.history()), []);
          assert.deepEqual(await engine.result('root'), completed('done'));
          assert.deepEqual(
            (await all(engine.list())).map(({ id }) => id),
            ['root', 'waiting'],
          );
          assert.deepEqual(await engine.start('root', 'root', null), { created: false });
        },
      );
    },
  },
  {
    title: 'leaves what still runs below an ended workflow, to go on and to end as ever',
    isDurable: true,
    run: async (place) => {
      const quick: Workflow = async (ctx, input: string) => {
        await ctx.emit('fact', { told: ctx.id });
        return input;
      };
      const spawn = (ctx: DurableContext, key: string, workflow: string, input = '') =>
        ctx.spawnAll([{ key, id: `${ctx.id}/${key}`, workflow, input }]);
      const busy: Workflow = async (ctx, input: string) => {
        const below = await spawn(ctx, 'below', 'quick', 'from below');
        await ctx.waitFor('go', { key: 'go', timeoutMs: LONG_MS });
        return [input.length, await ctx.joinAll(below)];
      };
      const leaving: Workflow = async (ctx) => {
        await ctx.joinAll(await spawn(ctx, 'quick', 'quick'));
        await spawn(ctx, 'leaf', 'waiting');
      };
      const root: Workflow = async (ctx) => {
        await spawn(ctx, 'busy', 'busy', 'x'.repeat(300_000));
        await ctx.joinAll(await spawn(ctx, 'quick', 'quick'));
        await ctx.joinAll(await spawn(ctx, 'leaving', 'leaving'));
        await ctx.joinAll(await spawn(ctx, 'over', 'quick'));
      };
      const setUp = () => ({ workflows: { quick, busy, leaving, root, waiting } });
      const left = ['root', 'root/busy', 'root/busy/below', 'root/leaving', 'root/leaving/leaf'];
      const idsIn = async (engine: Engine) =>
        (await all(engine.list())).map(({ id }) => id).toSorted();
      await place.run(setUp, async ({ engine }) => {
        await engine.start('root', 'root', null);
        await engine.result('root');
        await engine.result('root/busy/below');
        await engine.compact('root');
        assert.deepEqual(await idsIn(engine), left);
        assert.deepEqual(
          (await all(engine.history())).map(({ workflowId }) => workflowId),
          ['root/busy/below'],
        );
      });
      await place.run(setUp, async ({ engine }) => {
        await engine.signal('root/busy', 'go', null, { key: 'k' });
        assert.deepEqual(
          await engine.result('root/busy'),
          completed([300_000, [completed('from below')]]),
        );
        await engine.cancel('root', 'enough'); // what it left running is below it as ever
        assert.deepEqual(
          await engine.result('root/leaving/leaf'),
          completed({ kind: 'cancelled' }),
        );
        await engine.compact('root');
        assert.deepEqual(await idsIn(engine), ['root']);
        assert.deepEqual(await all(engine.history()), []);
      });
    },
  },
];
