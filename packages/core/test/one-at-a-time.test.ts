import { oneAtATime } from '@buddy/core';
import { describe, expect, it } from 'vitest';

describe('one at a time', () => {
  it('does work in the order in which it was asked for, each after the one before', async () => {
    const inTurn = oneAtATime();
    const told: string[] = [];
    const work = (name: string, steps: number) => async () => {
      told.push(`${name} begins`);
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      told.push(`${name} ends`);
      return name;
    };
    const done = await Promise.all([inTurn(work('a', 20)), inTurn(work('b', 1))]);
    expect(done).toEqual(['a', 'b']);
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('tells of a failure whom it concerns, and goes on', async () => {
    const inTurn = oneAtATime();
    const failed = inTurn(() => Promise.reject(new Error('no')));
    const next = inTurn(async () => 'done');
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });
});
