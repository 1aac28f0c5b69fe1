import { ManualClock } from '@buddy/core';
import { expect, it } from 'vitest';
// Its patience takes minutes of real time; a manual clock does not reach through DBOS.
import { Sweeper } from '../src/dbos/sweep.ts';

it('gives back a workflow that is stranded again and again later each time, and soon when that was long ago', async () => {
  const clock = new ManualClock();
  const givenBackAt: number[] = [];
  const mine = { workflowID: 'w', executorId: 'me', queueName: 'queue' };
  const ports = {
    client: {
      listWorkflows: async () => [mine],
      resumeWorkflows: async () => void givenBackAt.push(clock.monotonic()),
    },
    books: { suspect: async () => undefined },
    presence: {
      alone: (_name: string, work: (isAlone: () => boolean) => Promise<unknown>) =>
        work(() => true),
    },
    clock,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of each port, what a sweep uses
  const sweeper = new Sweeper(ports as unknown as ConstructorParameters<typeof Sweeper>[0], {
    name: 'buddy',
    processId: 'me',
    deadAfterMs: 1_000,
    isRunning: () => false,
  });
  const sweepFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await sweeper.sweep();
      await clock.advance(500);
    }
  };
  await sweepFor(300_000);
  const waits = givenBackAt.map((at, nth) => at - (givenBackAt[nth - 1] ?? 0));
  expect(waits.slice(0, 8).map((ms) => Math.round(ms / 1_000))).toEqual([
    2, 5, 9, 17, 33, 65, 65, 65,
  ]);
  await clock.advance(700_000); // it was at work meanwhile
  mine.workflowID = 'other';
  await sweeper.sweep();
  mine.workflowID = 'w';
  const before = givenBackAt.length;
  await sweepFor(4_000);
  expect(givenBackAt).toHaveLength(before + 1);
});
