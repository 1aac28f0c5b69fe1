import { describe, expect, it } from 'vitest';
import { simulateWeek } from './soak/simulated-week.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

describe('a simulated week, with a fault every hour', { timeout: 120_000 }, () => {
  it.each(SEEDS)('leaves nothing unnoticed, unaccounted for or stuck: seed %i', async (seed) => {
    const week = await simulateWeek(seed);
    expect(week.unnoticed).toEqual([]);
    expect(week.internalAlerts).toEqual([]);
    expect(week.openAtTheEnd).toBe(0);
    const { symptoms, outcomes, pending } = week.ledger;
    expect(pending).toBe(0);
    expect(symptoms).toBe(Object.values(outcomes).reduce((sum, count) => sum + count, 0));
    expect(symptoms).toBeGreaterThanOrEqual(week.faults);
    expect(week.restored).toBeGreaterThan(week.faults / 3);
    expect(week.restoredWithCause).toBeGreaterThan(0);
  });

  it('is a function of its seed', async () => {
    const [first, second, other] = [
      await simulateWeek(7, 48),
      await simulateWeek(7, 48),
      await simulateWeek(8, 48),
    ];
    expect(first.events).toBeGreaterThan(100);
    expect(second).toEqual(first);
    expect(other.traceHash).not.toBe(first.traceHash);
  });
});
