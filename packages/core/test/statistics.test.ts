import {
  median,
  medianAbsoluteDeviation,
  normalCdf,
  normalQuantile,
  quantile,
  wilsonInterval,
} from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const badInput = expect.objectContaining({ code: 'CORE_STATISTICS_INPUT' });
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('a Wilson interval', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I, method 3.
  it.each([
    { successes: 81, trials: 263, lower: 0.2553, upper: 0.3662 },
    { successes: 15, trials: 148, lower: 0.0624, upper: 0.1605 },
    { successes: 0, trials: 20, lower: 0, upper: 0.1611 },
    { successes: 1, trials: 29, lower: 0.0061, upper: 0.1718 },
  ])(
    'agrees with Newcombe 1998 on $successes of $trials',
    ({ successes, trials, lower, upper }) => {
      const interval = wilsonInterval(successes, trials);
      expect(interval.lower).toBeCloseTo(lower, 4);
      expect(interval.upper).toBeCloseTo(upper, 4);
    },
  );

  it('ends where the score test just rejects, by definition', () =>
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 5_000 })
          .chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n))),
        fc.double({ min: 0.5, max: 0.999, noNaN: true }),
        ([successes, trials], confidence) => {
          const { lower } = wilsonInterval(successes, trials, { confidence });
          const z = (successes / trials - lower) / Math.sqrt((lower * (1 - lower)) / trials);
          expect(z).toBeCloseTo(normalQuantile((1 + confidence) / 2), 6);
        },
      ),
    ));

  it('holds the rate, lies within 0..1, and mirrors when successes and failures are swapped', () =>
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 500 }), (successes, failures) => {
        const trials = successes + failures;
        const { lower, upper } = wilsonInterval(successes, trials);
        const mirrored = wilsonInterval(failures, trials);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(successes / trials);
        expect(upper).toBeGreaterThanOrEqual(successes / trials);
        expect(mirrored.lower).toBeCloseTo(1 - upper, 12);
        expect(mirrored.upper).toBeCloseTo(1 - lower, 12);
      }),
    ));

  it('spends all doubt below when only the lower side is asked for', () => {
    const oneSided = wilsonInterval(81, 263, { sides: 'lower' });
    expect(oneSided.upper).toBe(1);
    expect(oneSided.lower).toBeCloseTo(wilsonInterval(81, 263, { confidence: 0.9 }).lower, 12);
  });

  it('knows nothing without trials, and is exact at the ends', () => {
    expect(wilsonInterval(0, 0)).toEqual({ lower: 0, upper: 1 });
    expect(wilsonInterval(0, 7).lower).toBe(0);
    expect(wilsonInterval(7, 7).upper).toBe(1);
  });

  it('refuses counts and confidences that cannot be', () => {
    for (const [successes, trials] of [
      [2, 1],
      [-1, 1],
      [NaN, 1],
      [1, NaN],
      [1, Infinity],
    ] as const) {
      expect(() => wilsonInterval(successes, trials)).toThrow(badInput);
    }
    for (const confidence of [0, 1, NaN]) {
      expect(() => wilsonInterval(1, 2, { confidence })).toThrow(badInput);
    }
  });
});

describe('the normal distribution', () => {
  // Reference values from mpmath 1.3, ncdf with 40 digits: an independent computation.
  it.each([
    [-10, 7.61985302416053e-24],
    [-3, 0.00134989803163009],
    [-1.96, 0.0249978951482204],
    [0, 0.5],
    [1, 0.841344746068543],
    [3.5, 0.999767370920964],
  ])('has normalCdf(%f) = %f', (z, p) => {
    expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-13);
  });

  // From mpmath as well; they agree with the printed tables, such as Abramowitz & Stegun, table 26.5.
  it.each([
    [0.5, 0],
    [0.9, 1.2815515655446],
    [0.95, 1.6448536269515],
    [0.975, 1.9599639845401],
    [0.995, 2.575829303548901],
    [0.9999, 3.7190164854557],
    [1e-10, -6.361340902404],
  ])('has normalQuantile(%f) = %f', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 11);
  });

  it('inverts itself, and mirrors around 0', () =>
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 0.5, noNaN: true }), (p) => {
        const z = normalQuantile(p);
        expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-9);
        expect(normalCdf(-z)).toBeCloseTo(1 - p, 13);
      }),
    ));

  it('reaches infinity at 0 and 1, and refuses what is no probability', () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
    expect([normalCdf(-Infinity), normalCdf(Infinity)]).toEqual([0, 1]);
    for (const p of [-0.1, 1.1, NaN]) expect(() => normalQuantile(p)).toThrow(badInput);
    expect(() => normalCdf(NaN)).toThrow(badInput);
  });
});

describe('a quantile', () => {
  it('interpolates by definition 7 of Hyndman & Fan, as R and NumPy do', () => {
    // R 4: quantile(c(15, 20, 35, 40, 50), c(.05, .3, .4, .5, 1))
    const values = [50, 15, 40, 20, 35];
    expect([0.05, 0.3, 0.4, 0.5, 1].map((q) => quantile(values, q))).toEqual([16, 23, 29, 35, 50]);
    expect(values).toEqual([50, 15, 40, 20, 35]); // left as they were
  });

  it('agrees with the definition, h = (n - 1) q + 1', () =>
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const sorted = values.toSorted((a, b) => a - b);
          const h = (sorted.length - 1) * q;
          const below = sorted[Math.floor(h)] ?? NaN;
          const above = sorted[Math.ceil(h)] ?? NaN;
          expect(quantile(values, q)).toBeCloseTo(below + (h - Math.floor(h)) * (above - below), 6);
        },
      ),
    ));

  it('refuses what it is not defined for', () => {
    expect(() => quantile([], 0.5)).toThrow(badInput);
    expect(() => quantile([1, NaN], 0.5)).toThrow('number 1 is NaN');
    expect(() => median([Infinity])).toThrow(badInput);
    expect(() => medianAbsoluteDeviation([])).toThrow(badInput);
    for (const q of [-0.1, 1.1, NaN]) expect(() => quantile([1], q)).toThrow(badInput);
  });
});

describe('the median and the median absolute deviation', () => {
  it('agree with worked examples', () => {
    expect(median([7, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    // Wikipedia, "Median absolute deviation": deviations 1 1 0 0 2 4 7, median 1.
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  });

  it('move and stretch with their values', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 1 }),
        fc.integer({ min: -99, max: 99 }),
        (values, shift) => {
          const moved = values.map((v) => 2 * v + shift);
          expect(median(moved)).toBe(2 * median(values) + shift);
          expect(medianAbsoluteDeviation(moved)).toBe(2 * medianAbsoluteDeviation(values));
        },
      ),
    ));
});
