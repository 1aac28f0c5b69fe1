import {
  createFeedbackLoop,
  type FeedbackLoop,
  feedbackRecords,
  type Learning,
  type Outcome,
  type OutcomeStatus,
} from '@buddy/agents';
import { countingId, quantile, seededRandom } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankOutcome, blankWave } from './feedback-known-truth.ts';

const createLoop = () => createFeedbackLoop({}, { random: seededRandom(7) });

const newId = countingId('task');
function settleSome(loop: FeedbackLoop, count: number, fields: Partial<Outcome> = {}): void {
  for (let task = 0; task < count; task += 1) {
    loop.settle({ ...blankOutcome(newId()), ...fields });
  }
}

/** Settles a share of successes, all predicted alike. */
function settleShare(loop: FeedbackLoop, successes: number, of: number, fields: Partial<Outcome>) {
  settleSome(loop, successes, { ...fields, status: 'completed' });
  settleSome(loop, of - successes, { ...fields, status: 'failed' });
}

function stated(probability: number): Partial<Outcome> {
  return { successProbability: probability, calibratedProbability: probability };
}

/** What a loop writes about these outcomes, taken in this order. */
function recordsOf(outcomes: readonly Outcome[]): string {
  const loop = createLoop();
  for (const outcome of outcomes) loop.settle(outcome);
  return JSON.stringify(feedbackRecords(loop.closeWave(blankWave(1))));
}

function answersOf(learning: Learning) {
  return [
    learning.calibrate(0.9, 'crm.save'),
    learning.posterior('ada', 'crm.save'),
    learning.speed('ada'),
    learning.typicalDurationMs('crm.save'),
  ];
}

function recordsOfAWave() {
  const loop = createLoop();
  const third = stated(1 / 3);
  settleShare(loop, 3, 10, { ...third, heuristics: ['b', 'a'], agentId: 'bob' });
  settleShare(loop, 3, 10, { ...third, heuristics: ['a'], action: 'mail.send' });
  return feedbackRecords(loop.closeWave({ ...blankWave(1), endedAt: 1234 }));
}

describe('settling', () => {
  it('takes each prediction once', () => {
    const loop = createLoop();
    expect(loop.settle(blankOutcome('task-1'))).toBe(true);
    expect(loop.settle({ ...blankOutcome('task-1'), status: 'failed' })).toBe(false);
    const { predictions } = loop.closeWave(blankWave(1));
    expect(predictions[0]).toMatchObject({ n: 1, brier: expect.closeTo(0.04, 9) });

    expect(loop.settle(blankOutcome('task-1', 2))).toBe(false); // nor in a later wave
    expect(loop.closeWave(blankWave(2)).predictions).toEqual([]);
  });

  it.each<OutcomeStatus>(['denied', 'cancelled', 'skipped'])(
    'does not score what was %s',
    (status) => {
      const loop = createLoop();
      expect(loop.settle({ ...blankOutcome('task-1'), status })).toBe(true);
      const { predictions, agents, heuristics } = loop.closeWave(blankWave(1));
      expect([predictions, agents, heuristics]).toEqual([[], [], []]);
      expect(loop.settle(blankOutcome('task-1', 2))).toBe(false);
    },
  );

  it('leaves a task that waits open, and counts it in the wave in which it ends', () => {
    const loop = createLoop();
    expect(loop.settle({ ...blankOutcome('task-1'), status: 'waiting' })).toBe(false);
    expect(loop.closeWave(blankWave(1)).predictions).toEqual([]);

    expect(loop.settle(blankOutcome('task-1', 1))).toBe(true);
    const { predictions, agents } = loop.closeWave(blankWave(2));
    expect(predictions[0]).toMatchObject({ n: 1 });
    expect(agents[0]).toMatchObject({ agentId: 'ada', successes: 1, n: 1 });
  });

  it('counts a task that timed out as one that failed', () => {
    const loop = createLoop();
    loop.settle({ ...blankOutcome('task-1'), status: 'timed_out' });
    expect(loop.closeWave(blankWave(1)).agents[0]).toMatchObject({ successes: 0, n: 1 });
  });

  it('does not mind the order in which tasks end', () => {
    const outcomes = Array.from({ length: 60 }, (_, task) => ({
      ...blankOutcome(`task-${task}`),
      ...stated(((task * 7) % 10) / 10),
      action: `action-${task % 2}`,
      agentId: `agent-${task % 3}`,
      attemptMs: 50 + ((task * 31) % 97),
      heuristics: task % 2 === 0 ? ['early'] : ['late', 'early'],
      status: task % 4 === 0 ? ('failed' as const) : ('completed' as const),
    }));
    const expected = recordsOf(outcomes);
    fc.assert(
      fc.property(fc.shuffledSubarray(outcomes, { minLength: 60 }), (shuffled) => {
        expect(recordsOf(shuffled)).toBe(expected);
      }),
      { numRuns: 10 },
    );
  });
});

describe('waves', () => {
  it('are closed once each, in their order', () => {
    const loop = createLoop();
    loop.closeWave(blankWave(3));
    expect(() => loop.closeWave(blankWave(3))).toThrow('Wave 3 cannot be closed after wave 3');
    expect(() => loop.closeWave(blankWave(2))).toThrow(
      expect.objectContaining({ code: 'AGENTS_WAVE_ORDER', wave: 2, lastClosedWave: 3 }),
    );
  });

  it('leave what was learnt as it was while they run', () => {
    const loop = createLoop();
    settleShare(loop, 50, 100, { ...stated(0.9), attemptMs: 50 });
    loop.closeWave(blankWave(1));
    const frozen = loop.learning;
    const before = answersOf(frozen);
    settleShare(loop, 0, 100, { ...stated(0.9), attemptMs: 500 });
    expect(loop.learning).toBe(frozen);
    loop.closeWave(blankWave(2));
    expect(answersOf(frozen)).toEqual(before);
    expect(answersOf(loop.learning)).not.toEqual(before);
  });
});

describe('what is learnt', () => {
  it('is nothing at first', () => {
    const { learning } = createLoop();
    expect(learning.calibrate(0.9, 'crm.save')).toBe(0.9);
    expect(learning.posterior('ada', 'crm.save')).toEqual({ a: 2, b: 2, mean: 0.5 });
    expect(learning.speed('ada')).toBe(1);
    expect(learning.typicalDurationMs('crm.save')).toBeUndefined();
  });

  it('is a Beta posterior for each agent and action', () => {
    const loop = createLoop();
    settleShare(loop, 7, 10, {});
    loop.closeWave(blankWave(1));
    expect(loop.learning.posterior('ada', 'crm.save')).toEqual({ a: 9, b: 5, mean: 9 / 14 });
    expect(loop.learning.posterior('ada', 'mail.send').mean).toBe(0.5);
    expect(loop.learning.posterior('bob', 'crm.save').mean).toBe(0.5);
  });

  it('is the speed of an agent, to which a task twice as fast and one twice as slow are even', () => {
    const loop = createLoop();
    settleSome(loop, 5, { attemptMs: 50 });
    settleSome(loop, 5, { attemptMs: 200 });
    settleSome(loop, 10, { agentId: 'bob', attemptMs: 50 });
    loop.closeWave(blankWave(1));
    expect(loop.learning.speed('ada')).toBeCloseTo(1, 12);
    expect(loop.learning.speed('bob')).toBeCloseTo(2, 12);
  });

  it('forgets old speeds with a half-life of 1.5 waves', () => {
    const loop = createLoop();
    settleSome(loop, 10, { attemptMs: 50 });
    loop.closeWave(blankWave(1));
    settleSome(loop, 10, { attemptMs: 200 });
    loop.closeWave(blankWave(2));
    const age = 0.5 ** (1 / 1.5);
    const expected = Math.exp((Math.LN2 * age - Math.LN2) / (age + 1));
    expect(loop.learning.speed('ada')).toBeCloseTo(expected, 9);
  });

  it('is acted on up to 100 times what was predicted, either way, though it is written as it is', () => {
    const loop = createLoop();
    settleSome(loop, 10, { predictedDurationMs: 1e9, attemptMs: 1 });
    settleSome(loop, 10, { agentId: 'bob', predictedDurationMs: 1, attemptMs: 1e9 });
    const { agents } = loop.closeWave(blankWave(1));
    expect(agents[0]?.speed).toBeCloseTo(1e9, 0);
    expect(loop.learning.speed('ada')).toBe(100);
    expect(loop.learning.speed('bob')).toBe(0.01);
  });

  it('is no speed from calls that took no time, nor from ones that failed', () => {
    const loop = createLoop();
    settleSome(loop, 20, { attemptMs: 0 });
    settleSome(loop, 20, { predictedDurationMs: 0 });
    settleSome(loop, 20, { attemptMs: 1, status: 'failed' });
    const { agents } = loop.closeWave(blankWave(1));
    expect(agents[0]?.speed).toBeNull();
    expect(loop.learning.speed('ada')).toBe(1);
  });

  it('is the median duration of an action, of late waves more than of early ones', () => {
    const loop = createLoop();
    settleSome(loop, 1, { attemptMs: 10 });
    settleSome(loop, 1, { attemptMs: 30 });
    settleSome(loop, 1, { attemptMs: 5, status: 'failed' });
    loop.closeWave(blankWave(1));
    expect(loop.learning.typicalDurationMs('crm.save')).toBe(quantile([10, 30], 0.5));
    settleSome(loop, 3, { attemptMs: 90 });
    loop.closeWave(blankWave(2));
    expect(loop.learning.typicalDurationMs('crm.save')).toBe(90);
    expect(loop.learning.typicalDurationMs('mail.send')).toBeUndefined();
  });

  it('is not acted on with fewer than 8 observations, though it is written', () => {
    const loop = createLoop();
    settleShare(loop, 0, 7, { ...stated(0.99), attemptMs: 10, heuristics: ['early'] });
    const { predictions, heuristics, agents } = loop.closeWave(blankWave(1));
    expect(predictions[0]?.z).toBeGreaterThan(3);
    for (const signal of [...predictions, ...heuristics, ...agents]) {
      expect(signal).toMatchObject({ n: 7, recommendation: 'keep' });
    }
    expect(loop.learning.calibrate(0.99, 'crm.save')).toBe(0.99);
    expect(loop.learning.posterior('ada', 'crm.save').mean).toBe(0.5);
  });
});

describe('recalibration', () => {
  it('brings what was stated to what happened', () => {
    const loop = createLoop();
    settleShare(loop, 140, 200, stated(0.95));
    settleShare(loop, 110, 200, stated(0.7));
    const { predictions } = loop.closeWave(blankWave(1));
    expect(predictions[0]).toMatchObject({ recommendation: 'recalibrate' });
    expect(loop.learning.calibrate(0.95, 'crm.save')).toBeCloseTo(0.7, 1);
    expect(loop.learning.calibrate(0.7, 'crm.save')).toBeCloseTo(0.55, 1);
  });

  it('leaves a predictor alone that is right', () => {
    const loop = createLoop();
    settleShare(loop, 190, 200, stated(0.95));
    settleShare(loop, 60, 200, stated(0.3));
    const { predictions } = loop.closeWave(blankWave(1));
    expect(predictions[0]).toMatchObject({ recommendation: 'keep', calibrator: null });
    expect(loop.learning.calibrate(0.95, 'crm.save')).toBe(0.95);
  });

  it('serves an action that was hardly seen with what all actions taught', () => {
    const loop = createLoop();
    settleShare(loop, 140, 200, stated(0.95));
    settleShare(loop, 2, 4, { ...stated(0.95), action: 'mail.send' });
    loop.closeWave(blankWave(1));
    const { learning } = loop;
    expect(learning.calibrate(0.95, 'mail.send')).toBeCloseTo(0.7, 1);
    expect(learning.calibrate(0.95, 'never.seen')).toBe(learning.calibrate(0.95, 'mail.send'));
  });

  it('lets an action differ from the others that has proved it', () => {
    const loop = createLoop();
    settleShare(loop, 250, 500, stated(0.9));
    settleShare(loop, 270, 300, { ...stated(0.9), action: 'mail.send' });
    loop.closeWave(blankWave(1));
    expect(loop.learning.calibrate(0.9, 'crm.save')).toBeCloseTo(0.5, 1);
    expect(loop.learning.calibrate(0.9, 'mail.send')).toBeCloseTo(0.9, 1);
  });

  it('ends when the predictor has been right for long', () => {
    const loop = createLoop();
    settleShare(loop, 100, 200, stated(0.9));
    loop.closeWave(blankWave(1));
    expect(loop.learning.calibrate(0.9, 'crm.save')).toBeLessThan(0.6);
    for (let wave = 2; wave <= 12; wave += 1) {
      const calibratedProbability = loop.learning.calibrate(0.9, 'crm.save');
      settleShare(loop, 180, 200, { successProbability: 0.9, calibratedProbability });
      loop.closeWave(blankWave(wave));
    }
    expect(loop.learning.calibrate(0.9, 'crm.save')).toBe(0.9);
  });

  it('asks for retraining when it does not help twice in a row', () => {
    const loop = createLoop();
    const recommendations = [150, 10, 150, 10].map((successes, at) => {
      const calibratedProbability = loop.learning.calibrate(0.8, 'crm.save');
      settleShare(loop, successes, 200, { successProbability: 0.8, calibratedProbability });
      return loop.closeWave(blankWave(at + 1)).predictions[0]?.recommendation;
    });
    expect(recommendations[0]).toBe('keep');
    expect(recommendations.slice(2)).toContain('retrain');
  });

  it('asks for retraining when high predictions do not mean more success', () => {
    const loop = createLoop();
    settleShare(loop, 300, 600, stated(0.95));
    settleShare(loop, 300, 600, stated(0.2));
    const { predictions } = loop.closeWave(blankWave(1));
    expect(predictions[0]?.recommendation).toBe('retrain');
  });
});

describe('signals', () => {
  it('say what a heuristic is worth', () => {
    const loop = createLoop();
    settleShare(loop, 18, 20, { ...stated(0.9), heuristics: ['valid-email'] });
    settleShare(loop, 2, 20, { ...stated(0.1), heuristics: [] });
    const [signal] = loop.closeWave(blankWave(1)).heuristics;
    // Brier: 18 x 0.1² + 2 x 0.9² over 20 = 0.09. The rate of all is 1/2, which scores 0.25.
    expect(signal).toMatchObject({
      heuristic: 'valid-email',
      n: 20,
      successes: 18,
      brier: expect.closeTo(0.09, 9),
      baselineBrier: expect.closeTo(0.25, 9),
      skill: expect.closeTo(0.64, 9),
      value: expect.closeTo(0.64, 9),
      lift: expect.closeTo(1.8, 9),
      wilson: { lower: expect.closeTo(0.699, 3), upper: expect.closeTo(0.9721, 3) },
      confidence: expect.closeTo(1 - (0.9721 - 0.699), 3),
      recommendation: 'keep',
    });
  });

  it('would retire a heuristic that tells nothing, and retune one that tells too much', () => {
    const loop = createLoop();
    settleShare(loop, 50, 100, { ...stated(0.99), heuristics: ['noise'] });
    settleShare(loop, 85, 100, { ...stated(0.99), heuristics: ['exaggerates'] });
    settleShare(loop, 15, 100, stated(0.15));
    const { heuristics } = loop.closeWave(blankWave(1));
    expect(heuristics.map(({ heuristic, recommendation }) => [heuristic, recommendation])).toEqual([
      ['exaggerates', 'retune'],
      ['noise', 'retire'],
    ]);
  });

  it('judge agents by what their own tasks promised', () => {
    const loop = createLoop();
    settleShare(loop, 30, 100, { ...stated(0.3), agentId: 'has-hard-tasks' });
    settleShare(loop, 70, 100, { ...stated(0.9), agentId: 'fails' });
    settleShare(loop, 80, 100, { ...stated(0.5), agentId: 'shines', attemptMs: 50 });
    const { agents } = loop.closeWave(blankWave(1));
    expect(agents.map(({ agentId, recommendation }) => [agentId, recommendation])).toEqual([
      ['fails', 'avoid'],
      ['has-hard-tasks', 'keep'],
      ['shines', 'prefer'],
    ]);
    const [fails, , shines] = agents;
    expect(fails).toMatchObject({
      successes: 70,
      n: 100,
      expectedSuccesses: expect.closeTo(90, 9),
      posterior: { a: 72, b: 32 },
      value: expect.closeTo(72 / 104, 12),
      speed: 1,
    });
    expect(shines).toMatchObject({
      speed: expect.closeTo(2, 12),
      agentSpeed: expect.closeTo(2, 12),
    });
    const yields = [72, 32, 2 * 82];
    expect(shines?.weight).toBeCloseTo((2 * 82) / yields.reduce((a, b) => a + b), 12);
  });

  it('say how well the agents shared the work', () => {
    const loop = createLoop();
    const record = blankWave(1);
    const agent = { speed: 1, taskIds: [], loadMs: 0 };
    const plan = {
      ...record.plan,
      lowerBoundMs: 800,
      agents: [
        { ...agent, agentId: 'ada', capacity: 1 },
        { ...agent, agentId: 'bob', capacity: 2 },
      ],
    };
    settleSome(loop, 8, { startedAt: 0, endedAt: 100 });
    settleSome(loop, 4, { agentId: 'bob', startedAt: 0, endedAt: 100 });
    settleSome(loop, 9, { agentId: 'bob', wave: 2 }); // not of this wave
    const { coordination } = loop.closeWave({ ...record, plan, steals: 3 });
    expect(coordination).toEqual({
      value: 1.25,
      n: 12,
      confidence: 1,
      recommendation: 'rebalance', // ada 800 ms a slot, the mean of all is 400
      makespanMs: 1000,
      lowerBoundMs: 800,
      ratio: 1.25,
      imbalance: 2,
      steals: 3,
      idleMs: 1800,
    });
  });

  it('do not count the time in which a task waited for a person as work', () => {
    const loop = createLoop();
    const record = blankWave(1);
    const ada = { agentId: 'ada', capacity: 1, speed: 1, taskIds: [], loadMs: 0 };
    loop.settle({ ...blankOutcome('slow'), status: 'waiting' });
    loop.settle({ ...blankOutcome('slow'), endedAt: 900, attemptMs: 100 });
    const { coordination } = loop.closeWave({ ...record, plan: { ...record.plan, agents: [ada] } });
    expect(coordination.idleMs).toBe(900);
  });

  it('say how far off the durations were', () => {
    const loop = createLoop();
    settleSome(loop, 9, { attemptMs: 200 });
    const { predictions } = loop.closeWave(blankWave(1));
    expect(predictions.map(({ action }) => action)).toEqual([null, 'crm.save']);
    for (const { durationLogBias } of predictions) expect(durationLogBias).toBeCloseTo(Math.LN2, 9);
  });

  it('say how far off the probabilities of the plan were', () => {
    const loop = createLoop();
    settleShare(loop, 50, 100, { successProbability: 0.5, calibratedProbability: 0.8 });
    const [overall] = loop.closeWave(blankWave(1)).predictions;
    expect(overall).toMatchObject({
      brier: expect.closeTo(0.25, 9),
      calibratedBrier: expect.closeTo(0.34, 9),
      drift: expect.closeTo(-0.3, 9),
      driftZ: expect.closeTo(7.5, 9), // 100 x -0.3 x -0.6 / sqrt(100 x 0.36 x 0.16)
    });
  });
});

describe('feedback records', () => {
  it('go to the files of their phases, in a fixed order', () => {
    const names = recordsOfAWave().map(({ path, record }) => [
      path,
      record['heuristic'] ?? record['agent_id'] ?? record['scope'],
      record['action'],
    ]);
    expect(names).toEqual([
      ['phase16/heuristic_feedback.jsonl', 'a', undefined],
      ['phase16/heuristic_feedback.jsonl', 'b', undefined],
      ['phase18/agent_performance_feedback.jsonl', 'ada', 'mail.send'],
      ['phase18/agent_performance_feedback.jsonl', 'bob', 'crm.save'],
      ['phase18/coordination_feedback.jsonl', undefined, undefined],
      ['phase20/prediction_feedback.jsonl', 'overall', null],
      ['phase20/prediction_feedback.jsonl', 'action', 'crm.save'],
      ['phase20/prediction_feedback.jsonl', 'action', 'mail.send'],
    ]);
  });

  it('are snake_case, with six digits and times in ISO 8601', () => {
    const [heuristic] = recordsOfAWave();
    expect(heuristic?.record).toEqual({
      v: 1,
      signal: 'heuristic_feedback',
      wave: 1,
      at: '1970-01-01T00:00:01.234Z',
      heuristic: 'a',
      value: -0.00529101,
      n: 20,
      confidence: 0.626504,
      recommendation: 'keep',
      successes: 6,
      predicted_mean: 0.333333,
      brier: 0.211111,
      baseline_brier: 0.21,
      skill: -0.00529101,
      lift: 1,
      wilson: [0.145477, 0.518973],
    });
  });

  it('have the fields that each phase reads', () => {
    const records = recordsOfAWave();
    const fieldsOf = (at: number) =>
      Object.keys(records[at]?.record ?? {})
        .slice(4)
        .join(' ');
    const common = 'value n confidence recommendation';
    expect(fieldsOf(2)).toBe(
      `agent_id action ${common} successes expected_successes posterior p_mean wilson speed agent_speed weight`,
    );
    expect(fieldsOf(4)).toBe(`${common} makespan_ms lower_bound_ms ratio imbalance steals idle_ms`);
    expect(fieldsOf(5)).toBe(
      `scope action ${common} brier log_loss mcb mcb_null dsc unc spiegelhalter_z calibrated_brier ` +
        'drift drift_z recent calibrator duration_log_bias',
    );
  });

  it('are the same for the same seed', () => {
    expect(JSON.stringify(recordsOfAWave())).toBe(JSON.stringify(recordsOfAWave()));
  });
});

it('a feedback loop asks for options it knows', () => {
  // @ts-expect-error: a misspelt option
  expect(() => createFeedbackLoop({ halfLife: 3 })).toThrow('halfLife');
  expect(() => createFeedbackLoop({ halfLifeWaves: 0 })).toThrow('halfLifeWaves');
});
