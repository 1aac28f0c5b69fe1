import {
  type Anomaly,
  countedAnomalies,
  type HealthInputs,
  healthOf,
  recomputeHealth,
  systemHealthRecord,
} from '@buddy/agents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const AT = Date.UTC(2026, 10, 21);

/** A system that lacks nothing: 980 of 1000 succeed, all else at its objective. */
const sound: HealthInputs = {
  scored: 1000,
  succeeded: 980,
  lowerBoundMs: 95,
  makespanMs: 100,
  mcb: 0,
  mcbNull: 0,
  unc: 0.1,
  claimedUnc: 0.1,
  capacityMs: 400,
  timedOutMs: 0,
  criticals: 0,
  warnings: 0,
};

const anyInputs: fc.Arbitrary<HealthInputs> = fc
  .record({
    scored: fc.nat(100_000),
    successShare: fc.double({ min: 0, max: 1, noNaN: true }),
    lowerBoundMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
    makespanMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
    mcb: fc.double({ min: 0, max: 1, noNaN: true }),
    mcbNull: fc.double({ min: 0, max: 0.5, noNaN: true }),
    unc: fc.double({ min: 0, max: 0.25, noNaN: true }),
    claimedUnc: fc.double({ min: 0, max: 0.25, noNaN: true }),
    capacityMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    timedOutMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    criticals: fc.nat(21),
    warnings: fc.nat(21),
  })
  .map(({ successShare, ...inputs }) => ({
    ...inputs,
    succeeded: Math.floor(successShare * inputs.scored),
  }));

describe('health', () => {
  it.each<[name: string, change: Partial<HealthInputs>, score: number, status: string]>([
    ['980 of 1000 succeed', {}, 100, 'EXCELLENT'],
    ['12 of 12 succeed: too few to be sure', { scored: 12, succeeded: 12 }, 86.8, 'GOOD'],
    ['900 of 1000 succeed', { succeeded: 900 }, 93.8, 'EXCELLENT'],
    ['700 of 1000 succeed', { succeeded: 700 }, 68.6, 'FAIR'],
    ['half succeed', { succeeded: 500 }, 0, 'POOR'],
    ['1 of 4 agents hangs in timeouts', { timedOutMs: 100 }, 92.2, 'EXCELLENT'],
    ['2 of 4 hang, and 1 critical', { timedOutMs: 200, criticals: 1 }, 72.2, 'FAIR'],
    ['round-robin on unequal agents', { lowerBoundMs: 100, makespanMs: 177 }, 84.9, 'GOOD'],
    ['1 critical and 2 warnings', { criticals: 1, warnings: 2 }, 84.7, 'GOOD'],
    // sqrt(.0225 / .1) = .474, so a calibration of .051
    ['overconfident by 15 points', { mcb: 0.0225 }, 55.2, 'POOR'],
  ])('is, when %s, as worked out by hand', (_name, change, score, status) => {
    const health = healthOf({ ...sound, ...change });
    expect(health.score).toBeCloseTo(score, 1);
    expect(health.status).toBe(status);
  });

  it('is unknown under 8 scored tasks', () => {
    expect(healthOf({ ...sound, scored: 7, succeeded: 7 })).toMatchObject({
      score: null,
      status: 'UNKNOWN',
    });
    expect(healthOf({ ...sound, scored: 8, succeeded: 8 }).status).not.toBe('UNKNOWN');
  });

  it('has its bands at 90, 75 and 60', () => {
    const statuses = [90.01, 89.99, 75.01, 74.99, 60.01, 59.99].map((score) => {
      const efficiency = (score / 100) ** 5;
      return healthOf({ ...sound, lowerBoundMs: 30 + 60 * efficiency }).status;
    });
    expect(statuses).toEqual(['EXCELLENT', 'GOOD', 'GOOD', 'FAIR', 'FAIR', 'POOR']);
  });

  it('takes what nothing is known of yet for sound', () => {
    const nothing = { lowerBoundMs: 0, makespanMs: 0, unc: 0, claimedUnc: 0, capacityMs: 0 };
    expect(healthOf({ ...sound, ...nothing }).score).toBe(100);
  });

  it('is POOR but not nothing when a part other than reliability fails altogether', () => {
    for (const change of [{ lowerBoundMs: 0 }, { timedOutMs: 400 }, { mcb: 0.9 }]) {
      const health = healthOf({ ...sound, ...change });
      expect(health.score).toBeCloseTo(100 * 0.05 ** 0.2, 4);
      expect(health.status).toBe('POOR');
    }
  });

  it('does not call modest predictions worthless when everything succeeds', () => {
    const allSucceed = { succeeded: 1000, mcb: 0.01, unc: 0, claimedUnc: 0.09 }; // all said .9
    expect(healthOf({ ...sound, ...allSucceed }).status).toBe('GOOD');
  });

  it('stays within 0..100, each part within 0..1', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const { score, parts } = healthOf(inputs);
        for (const value of [(score ?? 0) / 100, ...Object.values(parts)]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('never falls when one more task succeeds, nor rises with one more anomaly', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const score = healthOf(inputs).score ?? 0;
        const better = { ...inputs, succeeded: Math.min(inputs.scored, inputs.succeeded + 1) };
        expect(healthOf(better).score ?? 0).toBeGreaterThanOrEqual(score);
        const warned = { ...inputs, warnings: inputs.warnings + 1 };
        const alarmed = { ...inputs, criticals: inputs.criticals + 1 };
        expect(healthOf(warned).score ?? 0).toBeLessThanOrEqual(score);
        expect(healthOf(alarmed).score ?? 0).toBeLessThanOrEqual(healthOf(warned).score ?? 0);
      }),
    );
  });
});

describe('the record of health', () => {
  it('recomputes to what was written, exactly, after a trip through JSON', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const health = healthOf(inputs);
        const written = JSON.stringify(systemHealthRecord(health, [], AT));
        expect(recomputeHealth(JSON.parse(written))).toEqual(health);
      }),
    );
  });

  it('gives away a score that was touched up', () => {
    const record = systemHealthRecord(healthOf({ ...sound, succeeded: 700 }), [], AT);
    const touchedUp = { ...record, score: 99, status: 'EXCELLENT' };
    expect(recomputeHealth(touchedUp)).toMatchObject({ score: record.score, status: 'FAIR' });
  });

  it('uses the weights that the record carries', () => {
    const record = systemHealthRecord(healthOf({ ...sound, succeeded: 700 }), [], AT);
    const indifferent = { ...record, weights: { ...record.weights, reliability: 0 } };
    expect(recomputeHealth(indifferent).score).toBe(100);
  });

  it('is refused when a field is missing or cannot be', () => {
    const record = systemHealthRecord(healthOf(sound), [], AT);
    expect(() => recomputeHealth({ ...record, inputs: { scored: 3 } })).toThrow('inputs.succeeded');
    const impossible = { ...record, inputs: { ...record.inputs, succeeded: 2000 } };
    expect(() => recomputeHealth(impossible)).toThrow('no more tasks can succeed than were scored');
  });

  it('is in snake_case, with at most 6 decimals, its keys in a fixed order', () => {
    const text = JSON.stringify(systemHealthRecord(healthOf({ ...sound, mcb: 1 / 7000 }), [], AT));
    expect(text).toBe(
      '{"v":1,"at":"2026-11-21T00:00:00.000Z","score":98.439433,"status":"EXCELLENT",' +
        '"parts":{"reliability":1,"efficiency":1,"calibration":0.924369,"availability":1},' +
        '"weights":{"reliability":0.4,"efficiency":0.2,"calibration":0.2,"availability":0.2},' +
        '"inputs":{"scored":1000,"succeeded":980,"lower_bound_ms":95,"makespan_ms":100,"mcb":0.000143,' +
        '"mcb_null":0,"unc":0.1,"claimed_unc":0.1,"capacity_ms":400,"timed_out_ms":0,"criticals":0,' +
        '"warnings":0},"anomalies":[]}',
    );
  });
});

function anomaly(kind: Anomaly['kind'], severity: Anomaly['severity']): Anomaly {
  return {
    kind,
    severity,
    wave: 1,
    scope: { kind: 'wave' },
    statistic: 1,
    threshold: 0,
    count: 50,
    evidence: [],
    recommendation: '',
    at: AT,
  };
}

describe('the anomalies that count against health', () => {
  it('are the warnings and the critical ones, however many alarms each stands for', () => {
    expect(
      countedAnomalies([
        anomaly('latency_outlier', 'info'),
        anomaly('latency_shift', 'warning'),
        anomaly('stalled', 'critical'),
      ]),
    ).toEqual({ criticals: 1, warnings: 1 });
  });

  it('are at most three of a kind, the critical ones first', () => {
    const fleet = [
      ...Array.from({ length: 30 }, () => anomaly('agent_failure', 'warning')),
      ...Array.from({ length: 2 }, () => anomaly('agent_failure', 'critical')),
    ];
    expect(countedAnomalies(fleet)).toEqual({ criticals: 2, warnings: 1 });
  });
});
