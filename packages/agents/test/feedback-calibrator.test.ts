import { calibrate, fitCalibrator } from '@buddy/agents';
import { seededRandom } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const logistic = (z: number) => 1 / (1 + Math.exp(-z));

/** Predictions whose truth is logistic(a logit(p) + b). */
function predictions(n: number, { a, b, seed }: { a: number; b: number; seed: number }) {
  const random = seededRandom(seed);
  const logits = Array.from({ length: n }, () => 6 * (random() - 0.5));
  return {
    probabilities: logits.map(logistic),
    outcomes: logits.map((x) => Number(random() < logistic(a * x + b))),
  };
}

describe('a calibrator', () => {
  it.each([
    { a: 0.5, b: -0.4 },
    { a: 1.5, b: 0.2 },
    { a: 1, b: 0 },
  ])('finds a = $a and b = $b in what they produced', ({ a, b }) => {
    const fitted = fitCalibrator(predictions(20_000, { a, b, seed: 5 }));
    expect(Math.abs(fitted.a - a)).toBeLessThan(0.06);
    expect(Math.abs(fitted.b - b)).toBeLessThan(0.06);
    expect(Math.abs(fitted.a - a)).toBeLessThan(4 * fitted.slopeError);
  });

  it('is at the bottom of the penalised loss', () => {
    const { probabilities, outcomes } = predictions(60, { a: 0.6, b: 0.3, seed: 2 });
    const weights = probabilities.map((_, row) => 1 / (1 + (row % 3)));
    const options = { center: { a: 0.8, b: 0.1 }, ridge: 0.5 };
    const { a, b } = fitCalibrator({ probabilities, outcomes, weights }, options);

    const weightOf = (outcome: number) =>
      weights.reduce((sum, weight, row) => sum + (outcomes[row] === outcome ? weight : 0), 0);
    const ifSuccess = (weightOf(1) + 1) / (weightOf(1) + 2);
    const ifFailure = 1 / (weightOf(0) + 2);
    const loss = (slope: number, shift: number) =>
      0.25 * ((slope - 0.8) ** 2 + (shift - 0.1) ** 2) -
      probabilities.reduce((sum, p, row) => {
        const q = logistic(slope * Math.log(p / (1 - p)) + shift);
        const target = outcomes[row] === 1 ? ifSuccess : ifFailure;
        const likelihood = target * Math.log(q) + (1 - target) * Math.log(1 - q);
        return sum + (weights[row] ?? 0) * likelihood;
      }, 0);

    const h = 1e-4;
    expect((loss(a + h, b) - loss(a - h, b)) / (2 * h)).toBeCloseTo(0, 5);
    expect((loss(a, b + h) - loss(a, b - h)) / (2 * h)).toBeCloseTo(0, 5);
    expect(loss(a + 0.1, b)).toBeGreaterThan(loss(a, b));
    expect(loss(a, b - 0.1)).toBeGreaterThan(loss(a, b));
  });

  it('does not promise certainty after eight successes in a row', () => {
    const eight = Array.from({ length: 8 }, () => 0.3);
    const fitted = fitCalibrator({ probabilities: eight, outcomes: eight.map(() => 1) });
    expect(calibrate(0.3, fitted)).toBeCloseTo(0.9, 2); // (8 + 1) / (8 + 2)
  });

  it('takes a row of weight 2 for two rows', () => {
    const once = predictions(50, { a: 0.7, b: 0, seed: 9 });
    const twice = fitCalibrator({
      probabilities: [...once.probabilities, ...once.probabilities],
      outcomes: [...once.outcomes, ...once.outcomes],
    });
    const weighted = fitCalibrator({ ...once, weights: once.outcomes.map(() => 2) });
    expect(weighted.a).toBeCloseTo(twice.a, 8);
    expect(weighted.b).toBeCloseTo(twice.b, 8);
  });

  it('stays within (0, 1), and rises with what was stated', () => {
    const line = fc.record({
      a: fc.double({ min: 0.01, max: 3, noNaN: true }),
      b: fc.double({ min: -5, max: 5, noNaN: true }),
    });
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(line, probability, probability, (fitted, p, q) => {
        const [low, high] = [calibrate(Math.min(p, q), fitted), calibrate(Math.max(p, q), fitted)];
        expect(low).toBeGreaterThan(0);
        expect(high).toBeLessThan(1);
        expect(high).toBeGreaterThanOrEqual(low);
      }),
    );
  });

  it('can be fitted to whatever happened', () => {
    const row = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (list) => {
        const probabilities = list.map(([p]) => p);
        const { a, b, slopeError, gain } = fitCalibrator({
          probabilities,
          outcomes: list.map(([, y]) => y),
        });
        expect([a, b, slopeError, gain].every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
