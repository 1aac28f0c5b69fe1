import { backoffMs, type BackoffInput, BackoffOptions } from '@buddy/agents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function waits(input: BackoffInput, failures: number): number[] {
  const options = BackoffOptions.parse(input);
  return Array.from({ length: failures }, (_, at) => backoffMs(options, at + 1, { draw: ['t'] }));
}

describe('backoff', () => {
  it('doubles from a second to a minute by default', () => {
    expect(waits({ kind: 'exponential' }, 8)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
  });

  it('stays at the cap however many failures there were', () => {
    const options = BackoffOptions.parse({ kind: 'exponential', capMs: 5_000 });
    expect(backoffMs(options, 5_000, { draw: [] })).toBe(5_000);
  });

  it('grows by a step when linear', () => {
    expect(waits({ kind: 'linear', stepMs: 300, capMs: 1_000 }, 5)).toEqual([
      300, 600, 900, 1_000, 1_000,
    ]);
  });

  it('is nothing when there is none', () => {
    expect(waits({ kind: 'none' }, 3)).toEqual([0, 0, 0]);
  });

  it('gives way to a longer Retry-After, not to a shorter one', () => {
    const options = BackoffOptions.parse({ kind: 'exponential' });
    expect(backoffMs(options, 1, { retryAfterMs: 90_000, draw: [] })).toBe(90_000);
    expect(backoffMs(options, 3, { retryAfterMs: 500, draw: [] })).toBe(4_000);
    const none = BackoffOptions.parse({ kind: 'none' });
    expect(backoffMs(none, 1, { retryAfterMs: 700, draw: [] })).toBe(700);
  });

  it('with full jitter lies between nothing and the full wait, and is the same for the same key', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.string(), (failures, taskId) => {
        const options = BackoffOptions.parse({ kind: 'exponential', fullJitter: true });
        const full = Math.min(60_000, 1_000 * 2 ** (failures - 1));
        const wait = backoffMs(options, failures, { draw: [7, taskId] });
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(full);
        expect(backoffMs(options, failures, { draw: [7, taskId] })).toBe(wait);
      }),
    ));

  it('with full jitter spreads those who failed together', () => {
    const options = BackoffOptions.parse({ kind: 'exponential', fullJitter: true });
    const drawn = Array.from({ length: 100 }, (_, at) => backoffMs(options, 4, { draw: [1, at] }));
    expect(new Set(drawn).size).toBeGreaterThan(90);
    const mean = drawn.reduce((sum, wait) => sum + wait, 0) / drawn.length;
    expect(Math.abs(mean - 4_000)).toBeLessThan(1_000); // 4 standard errors of a uniform mean
  });

  it('takes no wait that is not positive', () => {
    expect(() => BackoffOptions.parse({ kind: 'exponential', baseMs: 0 })).toThrow('baseMs');
    // @ts-expect-error: an unknown kind
    expect(() => waits({ kind: 'fibonacci' }, 1)).toThrow('kind');
  });
});
