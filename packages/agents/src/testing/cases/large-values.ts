/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { Registration } from '../../durable/engine.ts';
import type { ActivityResult, Workflow } from '../../durable/durable-context.ts';
import { all, callOf, completed, type EngineCase, LONG_MS, toolOf, until } from './engine-case.ts';

/** Longer than what an engine may keep beside its rows; with what it may use to say where that is. */
function large(name: string) {
  return { name, text: `${name} `.repeat(70_000), '@': ['@', '@@a', `@${name}`] };
}

function setUp(): Pick<Registration, 'workflows' | 'tools' | 'lanes'> {
  const echo = toolOf('echo', async (input) => ({ heard: input, answer: large('answer') }));
  const child: Workflow = async (_ctx, input: unknown) => [input, large('child')];
  const w: Workflow = async (ctx, input: unknown) => {
    const calls: ActivityResult<unknown>[] = [];
    for (const lane of ['here', 'ada']) {
      calls.push(await ctx.activity(callOf('echo', { key: lane, input: large(lane), lane })));
    }
    await ctx.emit('fact', { fact: large('fact') });
    const signal = await ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS });
    const below = { key: 'child', id: `${ctx.id}/child`, workflow: 'child', input: large('below') };
    const joined = await ctx.joinAll(await ctx.spawnAll([below]));
    const values = calls.map((call) => (call.kind === 'succeeded' ? call.value : call));
    return { input, values, signal, joined };
  };
  return { workflows: { w, child }, tools: [echo], lanes: { ada: 1 } };
}

const WHOLE = completed({
  input: large('input'),
  values: ['here', 'ada'].map((lane) => ({ heard: large(lane), answer: large('answer') })),
  signal: { kind: 'received', value: large('signal') },
  joined: [completed([large('below'), large('child')])],
});

/** Values that are too large for a row. */
export const LARGE_VALUE_CASES: readonly EngineCase[] = [
  {
    title: 'hands over whole what is large: inputs, answers, facts, signals and results',
    isDurable: false,
    run: (place) =>
      place.run(setUp, async ({ engine }) => {
        const told: unknown[] = [];
        engine.subscribe((fact) => told.push(fact));
        await engine.start('w', 'w', large('input'));
        await engine.signal('w', 'topic', large('signal'), { key: 'k' });
        assert.deepEqual(await engine.result('w'), WHOLE);
        assert.deepEqual(told, [{ fact: large('fact') }]);
      }),
  },
  {
    title: 'has whole what is large for the process that goes on, and after compaction its result',
    isDurable: true,
    run: async (place) => {
      await place.run(setUp, async ({ engine, clock }) => {
        const told: unknown[] = [];
        engine.subscribe((fact) => told.push(fact));
        await engine.start('w', 'w', large('input'));
        await until(clock, () => told.length > 0);
      });
      await place.run(setUp, async ({ engine }) => {
        await engine.signal('w', 'topic', large('signal'), { key: 'k' });
        assert.deepEqual(await engine.result('w'), WHOLE);
        const facts = (await all(engine.history())).filter(({ kind }) => kind === 'told');
        assert.deepEqual(
          facts.map(({ value }) => value),
          [{ fact: large('fact') }],
        );
        await engine.compact('w');
        assert.deepEqual(await engine.result('w'), WHOLE);
      });
    },
  },
];
