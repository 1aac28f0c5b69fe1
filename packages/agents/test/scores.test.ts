import {
  brierScore,
  isotonicRegression,
  logLoss,
  scoreForecasts,
  skillScore,
  spiegelhalterZ,
} from '@buddy/agents';
import { seededRandom } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const random = seededRandom(7);

/** Rows of a probability (few values, so that ties are common) and whether it happened. */
const rows = fc.array(
  fc.record({
    probability: fc.oneof(
      fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    outcome: fc.constantFrom(0, 1),
  }),
  { minLength: 1, maxLength: 40 },
);

function columns(list: readonly { probability: number; outcome: number }[]) {
  return {
    probabilities: list.map(({ probability }) => probability),
    outcomes: list.map(({ outcome }) => outcome),
  };
}

/** Isotonic regression by its min-max formula (Robertson, Wright & Dykstra 1988, theorem 1.4.4). */
function minMax(values: readonly number[], weights: readonly number[]): number[] {
  const mean = (from: number, to: number) => {
    let sum = 0;
    let weight = 0;
    for (let at = from; at <= to; at += 1) {
      sum += (values[at] ?? 0) * (weights[at] ?? 0);
      weight += weights[at] ?? 0;
    }
    return sum / weight;
  };
  return values.map((_, at) =>
    Math.max(
      ...values
        .slice(0, at + 1)
        .map((__, from) =>
          Math.min(...values.slice(at).map((___, ahead) => mean(from, at + ahead))),
        ),
    ),
  );
}

/** The Brier score after recalibration, ties first made one, straight from the definition. */
function recalibratedBrier({ probabilities, outcomes }: ReturnType<typeof columns>): number {
  const levels = [...new Set(probabilities)].toSorted((a, b) => a - b);
  const members = levels.map((level) => outcomes.filter((_, row) => probabilities[row] === level));
  const means = members.map((ys) => ys.reduce((sum, y) => sum + y, 0) / ys.length);
  const fitted = minMax(
    means,
    members.map((ys) => ys.length),
  );
  const errors = members.flatMap((ys, at) => ys.map((y) => (y - (fitted[at] ?? 0)) ** 2));
  return errors.reduce((sum, error) => sum + error, 0) / probabilities.length;
}

/** All ways in which so many things can happen or not, with how likely each is by these probabilities. */
function allOutcomes(probabilities: readonly number[]) {
  return Array.from({ length: 2 ** probabilities.length }, (_, bits) => {
    const outcomes = probabilities.map((__, row) => (bits >> row) & 1);
    const chance = probabilities.reduce(
      (product, p, row) => product * (outcomes[row] === 1 ? p : 1 - p),
      1,
    );
    return { outcomes, chance };
  });
}

function scoring(probabilities: number[], outcomes: number[], weights?: number[]) {
  return () => scoreForecasts({ probabilities, outcomes, weights }, { random });
}

describe('isotonic regression', () => {
  it('pools neighbours that fall until all rise', () => {
    expect([...isotonicRegression([1, 3, 2, 4])]).toEqual([1, 2.5, 2.5, 4]);
    expect([...isotonicRegression([3, 2, 1])]).toEqual([2, 2, 2]);
    expect([...isotonicRegression([4, 1], [1, 2])]).toEqual([2, 2]);
  });

  it('equals the min-max formula', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 5 })), {
          minLength: 1,
          maxLength: 12,
        }),
        (list) => {
          const values = list.map(([value]) => value);
          const weights = list.map(([, weight]) => weight);
          const fitted = isotonicRegression(values, weights);
          minMax(values, weights).forEach((expected, at) =>
            expect(fitted[at]).toBeCloseTo(expected, 10),
          );
        },
      ),
    ));
});

describe('proper scores', () => {
  it('are those of the textbook', () => {
    const forecasts = { probabilities: [0.9, 0.6], outcomes: [1, 0] };
    expect(brierScore(forecasts)).toBeCloseTo(0.185, 12);
    expect(logLoss(forecasts)).toBeCloseTo(-(Math.log(0.9) + Math.log(0.4)) / 2, 12);
    expect(skillScore(0.1, 0.25)).toBeCloseTo(0.6, 12);
    expect(skillScore(0.25, 0.25)).toBe(0);
  });

  it('stay finite when what was called certain does not happen', () => {
    const refuted = { probabilities: [1, 0], outcomes: [0, 1] };
    expect(logLoss(refuted)).toBeCloseTo(15 * Math.LN10, 1);
    expect(spiegelhalterZ(refuted)).toBeGreaterThan(1e6);
    const { brier, mcbNull } = scoreForecasts(refuted, { random });
    expect(brier).toBe(1);
    expect(mcbNull).toBe(0);
  });

  it('call certainty that was right perfect', () => {
    const right = { probabilities: [1, 0, 1], outcomes: [1, 0, 1] };
    expect(scoreForecasts(right, { random })).toMatchObject({ brier: 0, mcb: 0 });
    expect(spiegelhalterZ(right)).toBeCloseTo(0, 6);
  });

  it('are refused for numbers that make no sense', () => {
    expect(scoring([], [])).toThrow('at least one forecast');
    expect(scoring([0.5], [])).toThrow('as many outcomes');
    expect(scoring([0.5, 1.5], [0, 1])).toThrow('number 1 is 1.5');
    expect(scoring([NaN], [0])).toThrow('number 0 is NaN');
    expect(scoring([0.5], [0.5])).toThrow('Outcomes must be 0 or 1');
    expect(scoring([0.5], [1], [0])).toThrow('Weights must be above 0');
  });
});

describe("Spiegelhalter's Z", () => {
  it('is the Brier score, less what is expected of it, in standard deviations', () => {
    const probabilities = [0.1, 0.35, 0.5, 0.8, 0.95, 0.95];
    const all = allOutcomes(probabilities).map(({ outcomes, chance }) => ({
      outcomes,
      chance,
      brier: brierScore({ probabilities, outcomes }),
    }));
    const mean = all.reduce((sum, { chance, brier }) => sum + chance * brier, 0);
    const variance = all.reduce((sum, { chance, brier }) => sum + chance * (brier - mean) ** 2, 0);
    for (const { outcomes, brier } of all) {
      const expected = (brier - mean) / Math.sqrt(variance);
      expect(spiegelhalterZ({ probabilities, outcomes })).toBeCloseTo(expected, 9);
    }
  });

  it('is 0 when all forecasts are 1/2, which it cannot judge', () => {
    expect(spiegelhalterZ({ probabilities: [0.5, 0.5], outcomes: [1, 1] })).toBe(0);
  });

  it('is standard normal when the probabilities are right', () => {
    const draw = seededRandom('calibrated');
    const zs = Array.from({ length: 400 }, () => {
      const probabilities = Array.from({ length: 200 }, () => draw());
      const outcomes = probabilities.map((p) => Number(draw() < p));
      return spiegelhalterZ({ probabilities, outcomes });
    });
    const mean = zs.reduce((sum, z) => sum + z, 0) / zs.length;
    const variance = zs.reduce((sum, z) => sum + (z - mean) ** 2, 0) / zs.length;
    expect(Math.abs(mean)).toBeLessThan(0.2);
    expect(variance).toBeGreaterThan(0.8);
    expect(variance).toBeLessThan(1.2);
    expect(zs.filter((z) => Math.abs(z) > 1.96).length / zs.length).toBeLessThan(0.1);
  });
});

describe('scoring forecasts', () => {
  it('says where the score comes from', () => {
    const forecasts = { probabilities: [0.9, 0.1, 0.6, 0.4], outcomes: [1, 0, 0, 1] };
    const scores = scoreForecasts(forecasts, { random });
    expect(scores.n).toBe(4);
    expect(scores.brier).toBeCloseTo(0.185, 12); // (.01 + .01 + .36 + .36) / 4
    expect(scores.unc).toBeCloseTo(0.25, 12);
    expect(scores.mcb).toBeCloseTo(0.06, 12); // .4 and .6 become .5: .125 is left
    expect(scores.dsc).toBeCloseTo(0.125, 12);
    expect(scores.curve).toEqual([
      { from: 0.1, to: 0.1, frequency: 0, count: 1 },
      { from: 0.4, to: 0.6, frequency: 0.5, count: 2 },
      { from: 0.9, to: 0.9, frequency: 1, count: 1 },
    ]);
  });

  it('recalibrates equal forecasts alike', () => {
    const forecasts = { probabilities: [0.7, 0.7, 0.7, 0.7], outcomes: [0, 1, 1, 1] };
    const scores = scoreForecasts(forecasts, { random });
    expect(scores.curve).toEqual([{ from: 0.7, to: 0.7, frequency: 0.75, count: 4 }]);
    expect(scores.dsc).toBeCloseTo(0, 12);
    expect(scores.mcb).toBeCloseTo(0.05 ** 2, 12);
  });

  it('splits the Brier score exactly into parts that are never negative', () =>
    fc.assert(
      fc.property(rows, (list) => {
        const { brier, mcb, dsc, unc } = scoreForecasts(columns(list), { random, redraws: 1 });
        expect(mcb - dsc + unc).toBeCloseTo(brier, 12);
        expect(Math.min(mcb, dsc, unc)).toBeGreaterThanOrEqual(0);
      }),
    ));

  it('recalibrates as the definition says', () =>
    fc.assert(
      fc.property(rows, (list) => {
        const forecasts = columns(list);
        const { brier, mcb } = scoreForecasts(forecasts, { random, redraws: 1 });
        expect(brier - mcb).toBeCloseTo(recalibratedBrier(forecasts), 10);
      }),
    ));

  it('does not hang on the order of the rows', () =>
    fc.assert(
      fc.property(rows, (list) => {
        const scoresOf = (ordered: typeof list) =>
          scoreForecasts(columns(ordered), { random: seededRandom(3), redraws: 3 });
        const { mcb, mcbNull, z, curve } = scoresOf(list);
        const reversed = scoresOf(list.toReversed());
        expect(reversed.mcb).toBeCloseTo(mcb, 12);
        expect(reversed.mcbNull).toBe(mcbNull);
        expect(reversed.z).toBeCloseTo(z, Math.abs(z) > 1e3 ? -3 : 9);
        expect(reversed.curve).toEqual(curve);
      }),
    ));

  it('counts a row of weight 2 as two rows', () =>
    fc.assert(
      fc.property(rows, (list) => {
        const twice = scoreForecasts(columns([...list, ...list]), { random, redraws: 1 });
        const forecasts = { ...columns(list), weights: list.map(() => 2) };
        const weighted = scoreForecasts(forecasts, { random, redraws: 1 });
        for (const score of ['brier', 'logLoss', 'mcb', 'dsc', 'unc'] as const) {
          expect(weighted[score]).toBeCloseTo(twice[score], 9);
        }
        expect(weighted.curve.map(({ count }) => count)).toEqual(
          twice.curve.map(({ count }) => count),
        );
      }),
    ));

  it('knows how much miscalibration chance alone shows', () => {
    const probabilities = [0.1, 0.3, 0.3, 0.6, 0.8, 0.9, 0.9];
    const exact = allOutcomes(probabilities).reduce((sum, { outcomes, chance }) => {
      const { mcb } = scoreForecasts({ probabilities, outcomes }, { random, redraws: 1 });
      return sum + chance * mcb;
    }, 0);
    const forecasts = { probabilities, outcomes: probabilities.map(() => 1) };
    const { mcbNull } = scoreForecasts(forecasts, { random, redraws: 20_000 });
    expect(mcbNull / exact).toBeCloseTo(1, 1);
  });

  it('tells a forecaster who is too sure from one who is right', () => {
    const draw = seededRandom('overconfident');
    const probabilities = Array.from({ length: 2000 }, () => draw());
    const outcomes = probabilities.map((p) => Number(draw() < p));
    const sure = probabilities.map((p) => p ** 3 / (p ** 3 + (1 - p) ** 3));
    const right = scoreForecasts({ probabilities, outcomes }, { random });
    const tooSure = scoreForecasts({ probabilities: sure, outcomes }, { random });
    expect(Math.abs(right.z)).toBeLessThan(3);
    expect(right.mcb / right.mcbNull).toBeLessThan(2);
    expect(tooSure.z).toBeGreaterThan(3);
    expect(tooSure.mcb / tooSure.mcbNull).toBeGreaterThan(5);
    expect(tooSure.dsc).toBeCloseTo(right.dsc, 9); // the order is the same
  });
});
