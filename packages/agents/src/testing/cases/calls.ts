/* oxlint-disable unicorn/consistent-function-scoping -- each workflow stands in the case that it is for */
import assert from 'node:assert/strict';
import type { Clock } from '@buddy/core';
import type { ActivityResult, Workflow } from '../../durable/durable-context.ts';
import { LONG_MS, toolOf, callOf, valueOf, never, type EngineCase } from './engine-case.ts';

/** Calls of tools: what comes of them, and how many at once. */
export const CALL_CASES: readonly EngineCase[] = [
  {
    title: 'calls tools by name, and says what came of it',
    isDurable: false,
    run: (place) => {
      const failing = toolOf('failing', () => {
        throw Object.assign(new Error('no such thing'), { code: 'GONE' });
      });
      const adding = toolOf('adding', async (input) => ({ sum: Number(input) + 1 }));
      const w: Workflow = async (ctx) => [
        await ctx.activity(callOf('adding', { input: 1 })),
        await ctx.activity(callOf('failing')),
        await ctx.activity(callOf('unknown')),
      ];
      return place.run(
        () => ({ workflows: { w }, tools: [failing, adding] }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          const [sum, failure, unknown] = valueOf<ActivityResult<unknown>[]>(
            await engine.result('w'),
          );
          assert(sum?.kind === 'succeeded');
          assert.deepEqual(sum.value, { sum: 2 });
          assert(sum.startedAt <= sum.endedAt);
          assert(failure?.kind === 'failed');
          assert.equal(failure.failure.message, 'no such thing');
          assert(unknown?.kind === 'failed');
          assert.equal(unknown.failure.code, 'AGENTS_UNKNOWN_TOOL');
        },
      );
    },
  },
  {
    title:
      'makes no more calls of a lane at once than it is wide, and holds no place for one that waits',
    isDurable: false,
    run: (place) => {
      const inside = new Map<string, number>();
      const widest = new Map<string, number>();
      const setUp = (clock: Clock) => {
        const busy = toolOf('busy', async (input) => {
          const lane = String(input);
          const now = (inside.get(lane) ?? 0) + 1;
          inside.set(lane, now);
          widest.set(lane, Math.max(now, widest.get(lane) ?? 0));
          await clock.sleep(100);
          inside.set(lane, (inside.get(lane) ?? 0) - 1);
        });
        const w: Workflow = async (ctx, lane: string) => {
          await ctx.activity(callOf('busy', { key: '1', input: lane, lane }));
          await ctx.sleep('nap', 50);
          await ctx.activity(callOf('busy', { key: '2', input: lane, lane }));
        };
        // One that waits for ever, and has made a call before: it must hold no place.
        const sitting: Workflow = async (ctx, lane: string) => {
          await ctx.activity(callOf('busy', { input: lane, lane }));
          await ctx.waitFor('topic', { key: 'wait', timeoutMs: LONG_MS });
        };
        return { workflows: { w, sitting }, tools: [busy], lanes: { ada: 1, bob: 2 } };
      };
      return place.run(setUp, async ({ engine }) => {
        for (const lane of ['ada', 'bob']) {
          await engine.start(`sitting/${lane}`, 'sitting', lane);
          for (const n of [1, 2, 3]) await engine.start(`${lane}/${n}`, 'w', lane);
        }
        for (const lane of ['ada', 'bob']) {
          for (const n of [1, 2, 3]) await engine.result(`${lane}/${n}`);
        }
        assert.deepEqual(Object.fromEntries(widest), { ada: 1, bob: 2 });
      });
    },
  },
  {
    title: 'begins calls of a provider no faster than its rate limit',
    isDurable: false,
    run: (place, { toleranceMs }) => {
      const begun: number[] = [];
      const [starts, perMs] = [2, 500];
      const setUp = (clock: Clock) => {
        const call = toolOf('call', async () => void begun.push(clock.monotonic()));
        const w: Workflow = (ctx) => ctx.activity(callOf('call', { provider: 'crm' }));
        return { workflows: { w }, tools: [call], providers: { crm: { starts, perMs } } };
      };
      return place.run(setUp, async ({ engine }) => {
        for (const n of [1, 2, 3, 4, 5]) await engine.start(`${n}`, 'w', null);
        for (const n of [1, 2, 3, 4, 5]) await engine.result(`${n}`);
        begun.sort((a, b) => a - b);
        assert.equal(begun.length, 5);
        for (const [at, time] of begun.entries()) {
          const before = begun[at - starts];
          if (before !== undefined) assert(time - before >= perMs - toleranceMs, begun.join());
        }
      });
    },
  },
  {
    title: 'ends a call that takes too long, and tells the tool',
    isDurable: false,
    run: (place) => {
      let isTold = false;
      const slow = toolOf('slow', (_input, { signal }) => {
        signal.addEventListener('abort', () => (isTold = true));
        return never();
      });
      const w: Workflow = (ctx) => ctx.activity(callOf('slow', { timeoutMs: 100 }));
      return place.run(
        () => ({ workflows: { w }, tools: [slow] }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          const ended = valueOf<ActivityResult<unknown>>(await engine.result('w'));
          assert.equal(ended.kind, 'timed_out');
          assert(isTold);
        },
      );
    },
  },
  {
    title: 'gives the same work the same idempotency key',
    isDurable: false,
    run: (place) => {
      const keys: string[] = [];
      const call = toolOf(
        'call',
        async (_input, { idempotencyKey }) => void keys.push(idempotencyKey),
      );
      const w: Workflow = async (ctx) => {
        for (const [key, work] of [
          ['1', 'a'],
          ['2', 'a'],
          ['3', 'b'],
        ] as const) {
          await ctx.activity(callOf('call', { key, work }));
        }
      };
      return place.run(
        () => ({ workflows: { w }, tools: [call] }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          await engine.result('w');
          const [first, second, third] = keys;
          assert.equal(first, second);
          assert.notEqual(first, third);
        },
      );
    },
  },
  {
    title: 'says that a tool has answered what JSON cannot hold',
    isDurable: true,
    run: (place) => {
      const big = toolOf('big', async () => 10n);
      const w: Workflow = (ctx) => ctx.activity(callOf('big'));
      return place.run(
        () => ({ workflows: { w }, tools: [big] }),
        async ({ engine }) => {
          await engine.start('w', 'w', null);
          const answer = valueOf<ActivityResult<unknown>>(await engine.result('w'));
          assert(answer.kind === 'failed');
          assert.equal(answer.failure.code, 'AGENTS_OUTPUT_NOT_JSON');
          assert.equal(answer.failure.effect, 'unknown');
        },
      );
    },
  },
];
