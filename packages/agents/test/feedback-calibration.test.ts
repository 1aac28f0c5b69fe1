import { describe, expect, it } from 'vitest';
import { gradeOnKnownTruth, type WaveGrade } from './feedback-known-truth.ts';

/** Wave by wave, the mean over a few worlds. */
function closedShares(shift: number, actionLogits: readonly number[]): number[] {
  const runs = [1, 2, 3].map((seed) =>
    gradeOnKnownTruth({ seed, waves: 8, tasksPerWave: 400, actionLogits, shiftAtWave: 6, shift }),
  );
  const [first = []] = runs;
  const mean = (at: number, of: (grade: WaveGrade) => number) =>
    runs.reduce((sum, run) => sum + (run[at] ? of(run[at]) : 0), 0) / runs.length;
  return first.map((_, at) => mean(at, (grade) => grade.closed));
}

describe('feedback on an overconfident predictor', () => {
  it('closes 80 % of the gap to the best recalibration by wave 3, and again one wave after a shift', () => {
    const [wave1, , wave3, wave4, wave5, wave6, wave7, wave8] = closedShares(1.2, [1.75]);
    expect(wave1).toBe(0); // nothing is learnt yet
    expect(Math.min(wave3 ?? 0, wave4 ?? 0, wave5 ?? 0)).toBeGreaterThan(0.8);
    expect(wave6).toBeLessThan(0.7); // the shift was not foreseen
    expect(Math.min(wave7 ?? 0, wave8 ?? 0)).toBeGreaterThan(0.9); // 0.8, were nothing forgotten
  });

  it('does so for actions of unlike difficulty, each with few tasks', () => {
    const [, , wave3, , , , wave7] = closedShares(1.2, [2.5, 1.75, 1, 0.5]);
    expect(Math.min(wave3 ?? 0, wave7 ?? 0)).toBeGreaterThan(0.8);
  });

  it('says that the predictor should be recalibrated', () => {
    const world = { seed: 1, waves: 2, tasksPerWave: 400, actionLogits: [1.75], shift: 0 };
    const [first] = gradeOnKnownTruth({ ...world, shiftAtWave: 9 });
    expect(first?.overall).toMatchObject({
      recommendation: 'recalibrate',
      calibrator: { method: 'platt', n: 400 },
    });
    expect(first?.overall?.z).toBeGreaterThan(3);
    expect(first?.overall?.calibrator?.a).toBeLessThan(0.8);
  });
});
