import { type Random, seededRandom } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import type { Anomaly } from '../src/monitor/anomaly.ts';
import {
  findLatencyOutliers,
  type LatencySample,
} from '../src/monitor/detectors/latency-outliers.ts';
import { createMonitor, type Monitor } from '../src/monitor/monitor.ts';
import type { Plan } from '../src/plan/plan.ts';
import type { Attempt, Outcome } from '../src/task/outcome.ts';

const START = Date.UTC(2026, 10, 21);
const SPEEDS = [1.25, 1, 0.8, 0.5];

/** A plan for as many agents as there are lists of tasks. */
function planOf(tasks: readonly (readonly string[])[], change: Partial<Plan> = {}): Plan {
  const loads = tasks.map((taskIds) => taskIds.length * 100);
  const makespanMs = Math.max(0, ...loads);
  return {
    wave: 1,
    strategy: 'load_balanced',
    agents: tasks.map((taskIds, index) => ({
      agentId: `agent_${index}`,
      capacity: 1,
      speed: 1,
      taskIds,
      loadMs: loads[index] ?? 0,
    })),
    controlTaskIds: [],
    makespanMs,
    lowerBoundMs: makespanMs,
    ratio: 1,
    loadBalanceScore: 1,
    baselineRoundRobinMs: makespanMs,
    guarantee: null,
    ...change,
  };
}

function outcomeOf(taskId: string, change: Partial<Outcome> = {}): Outcome {
  return {
    taskId,
    wave: 1,
    action: 'crm.save',
    priority: 0,
    status: 'completed',
    agentId: 'agent_0',
    plannedAgentId: 'agent_0',
    isControl: false,
    heuristics: [],
    successProbability: 0.9,
    calibratedProbability: 0.9,
    predictedDurationMs: 100,
    queuedAt: START,
    startedAt: START,
    endedAt: START + 100,
    attemptMs: 100,
    timedOutMs: 0,
    attempts: 1,
    isHealed: false,
    failure: null,
    ...change,
  };
}

function attemptOf(taskId: string, change: Partial<Attempt> = {}): Attempt {
  return {
    taskId,
    wave: 1,
    agentId: 'agent_0',
    action: 'crm.save',
    attempt: 1,
    status: 'succeeded',
    startedAt: START,
    endedAt: START + 100,
    failure: null,
    backoffMs: null,
    ...change,
  };
}

function watch(
  plan: Plan,
  seed = 1,
): { monitor: Monitor; heard: Anomaly[]; close: () => Anomaly[] } {
  const monitor = createMonitor({}, { random: seededRandom(seed) });
  const heard: Anomaly[] = [];
  monitor.events.on('anomalyDetected', ({ anomaly }) => heard.push(anomaly));
  monitor.startWave(plan, START);
  const close = () => [
    ...monitor.closeWave({
      wave: plan.wave,
      startedAt: START,
      endedAt: START + 1000,
      plan,
      steals: 0,
    }).anomalies,
  ];
  return { monitor, heard, close };
}

/** Standard normal draws, by Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Mixed actions: durations lognormal with sigma .5 around the action's own, estimates off by sigma .35, unequal agents. */
function drawLatencies(random: Random, { tasks, slowShare }: { tasks: number; slowShare: number }) {
  const slowIds = new Set<string>();
  const samples = Array.from({ length: tasks }, (_, index): LatencySample => {
    const taskId = `t-${index}`;
    const typicalMs = [40, 120, 350, 900, 2500, 60, 8000][index % 7] ?? 100;
    const actualMs = typicalMs * Math.exp(0.5 * gaussian(random));
    const isSlow = random() < slowShare;
    if (isSlow) slowIds.add(taskId);
    return {
      taskId,
      agentId: `agent_${index % 4}`,
      predictedDurationMs: actualMs * Math.exp(0.35 * gaussian(random)),
      attemptMs: (actualMs * (isSlow ? 6 : 1)) / (SPEEDS[index % 4] ?? 1),
    };
  });
  return { samples, slowIds };
}

/** Waves in which nothing is wrong: outcomes and durations as predicted, up to chance. */
function runCleanWaves(seed: number, waves: number, tasksPerWave: number): Anomaly[] {
  const random = seededRandom(seed);
  const monitor = createMonitor({}, { random });
  const agents = SPEEDS.map((speed, index) => ({ agentId: `agent_${index}`, speed }));
  return Array.from({ length: waves }, (_, index) => index + 1).flatMap((wave) => {
    const taskIds = Array.from({ length: tasksPerWave }, (_, task) => `w${wave}-${task}`);
    const plan = planOf([taskIds, [], [], []], { wave });
    const freeAt = agents.map(() => START);
    monitor.startWave(plan, START);
    for (const taskId of taskIds) {
      const next = freeAt.indexOf(Math.min(...freeAt));
      const { agentId, speed } = agents[next] ?? { agentId: 'agent_0', speed: 1 };
      const startedAt = freeAt[next] ?? START;
      const predictedDurationMs = 200 * Math.exp(0.5 * gaussian(random));
      const attemptMs = (predictedDurationMs * Math.exp(0.35 * gaussian(random))) / speed;
      const endedAt = startedAt + attemptMs;
      freeAt[next] = endedAt;
      const probability = 1 / (1 + Math.exp(-1.8 - gaussian(random)));
      const times = { wave, agentId, startedAt, endedAt };
      monitor.observeAttempt(attemptOf(taskId, times));
      monitor.observe(
        outcomeOf(taskId, {
          ...times,
          status: random() < probability ? 'completed' : 'failed',
          calibratedProbability: probability,
          predictedDurationMs,
          attemptMs,
        }),
      );
      monitor.tick(endedAt);
    }
    const endedAt = Math.max(...freeAt);
    return [...monitor.closeWave({ wave, startedAt: START, endedAt, plan, steals: 0 }).anomalies];
  });
}

/** Tasks that fail, one after the other. */
function fail(monitor: Monitor, count: number, change: Partial<Outcome> = {}): void {
  for (let index = 0; index < count; index += 1) {
    monitor.observe(outcomeOf(`f-${index}`, { status: 'failed', ...change }));
  }
}

/** Tasks that take `slowdown` times as long as predicted, with the usual noise. */
function run(monitor: Monitor, from: number, to: number, slowdown: number): void {
  const random = seededRandom(`shift/${from}`);
  for (let index = from; index < to; index += 1) {
    const attemptMs = 100 * slowdown * Math.exp(0.35 * gaussian(random));
    monitor.observe(outcomeOf(`t-${index}`, { attemptMs }));
  }
}

/** A wave of tasks of one probability, of which so many succeed. */
function settle(monitor: Monitor, count: number, probability: number, succeeded: number): void {
  for (let index = 0; index < count; index += 1) {
    monitor.observe(
      outcomeOf(`t-${index}`, {
        agentId: `agent_${index % 40}`, // spread thin, so that no agent stands out
        status: (index * 37) % count < succeeded ? 'completed' : 'failed',
        calibratedProbability: probability,
      }),
    );
  }
}

function driftOf(anomalies: Anomaly[]): Anomaly | undefined {
  return anomalies.find(({ kind }) => kind === 'prediction_drift');
}

function busy(monitor: Monitor, agentId: string, attempts: number, ms: number): void {
  for (let index = 0; index < attempts; index += 1) {
    const times = { startedAt: START, endedAt: START + ms };
    monitor.observeAttempt(attemptOf(`${agentId}-${index}`, { agentId, ...times }));
  }
}

describe('latency outliers', () => {
  it('are found with precision >= .97 and recall >= .95 when 5 % of mixed tasks are 6 times slow', () => {
    let found = 0;
    let right = 0;
    let slow = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const drawn = drawLatencies(seededRandom(seed), { tasks: 1000, slowShare: 0.05 });
      const { outliers } = findLatencyOutliers(drawn.samples);
      found += outliers.length;
      right += outliers.filter(({ taskId }) => drawn.slowIds.has(taskId)).length;
      slow += drawn.slowIds.size;
    }
    expect(right / found).toBeGreaterThanOrEqual(0.97);
    expect(right / slow).toBeGreaterThanOrEqual(0.95);
  });

  it('are rare among clean tasks: less than one in 1000', () => {
    let found = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const { samples } = drawLatencies(seededRandom(seed), { tasks: 1000, slowShare: 0 });
      found += findLatencyOutliers(samples).outliers.length;
    }
    expect(found / 20).toBeLessThan(1);
  });

  it('are measured against the agent, so that a slow agent is none by itself', () => {
    const { samples } = drawLatencies(seededRandom(7), { tasks: 400, slowShare: 0 });
    const lame = samples.map((sample) =>
      sample.agentId === 'agent_0' ? { ...sample, attemptMs: sample.attemptMs * 20 } : sample,
    );
    expect(findLatencyOutliers(lame)).toEqual(findLatencyOutliers(samples));
  });

  it('come slowest first, and have a modified z as Iglewicz and Hoaglin define it', () => {
    const times = [1, 2, 3, 4, 5, 6, 7, 8, 60, 90].map((tenths) => Math.exp(tenths / 10));
    const samples = times.map((attemptMs, index) => ({
      taskId: `t-${index}`,
      agentId: 'a',
      attemptMs,
      predictedDurationMs: 1,
    }));
    // log times: median .55, median distance from it .25
    const { outliers, threshold } = findLatencyOutliers(samples);
    expect(outliers.map(({ taskId }) => taskId)).toEqual(['t-9', 't-8']);
    expect(outliers[0]?.z).toBeCloseTo((0.6745 * (9 - 0.55)) / 0.25, 6);
    expect(threshold).toBeGreaterThanOrEqual(3);
    expect(threshold).toBeLessThanOrEqual(3.5);
  });

  it('need twice the usual time, when all else is as regular as a clock', () => {
    const samples = Array.from({ length: 20 }, (_, index) => ({
      taskId: `t-${index}`,
      agentId: 'a',
      attemptMs: index === 0 ? 170 : index === 1 ? 230 : 100,
      predictedDurationMs: 100,
    }));
    expect(findLatencyOutliers(samples).outliers.map(({ taskId }) => taskId)).toEqual(['t-1']);
  });

  it('are not sought where there is nothing to compare', () => {
    const sample = { taskId: 't', agentId: 'a', attemptMs: 1e6, predictedDurationMs: 1 };
    expect(findLatencyOutliers([]).outliers).toEqual([]);
    expect(findLatencyOutliers([sample, { ...sample, attemptMs: 0 }]).outliers).toEqual([]);
  });

  it('are one anomaly for each agent, which informs and does not warn', () => {
    const { monitor, close } = watch(planOf([[]]));
    for (let index = 0; index < 200; index += 1) {
      const attemptMs = index % 10 === 0 ? 900 : 90 + (index % 7) * 5;
      monitor.observe(outcomeOf(`t-${index}`, { attemptMs }));
    }
    const [outliers] = close().filter(({ kind }) => kind === 'latency_outlier');
    expect(outliers).toMatchObject({
      severity: 'info',
      scope: { kind: 'agent', agentId: 'agent_0' },
      count: 20,
      at: START + 1000,
    });
    expect(outliers?.evidence).toHaveLength(10);
  });
});

describe('agent_failure', () => {
  it('warns of an agent that fails sure tasks one after the other, then calls it critical', () => {
    // Each failure at .9 adds ln(3 / (1 + 2 x .1)) = .916: past 5 at the 6th, past 8 at the 9th.
    const { monitor, heard } = watch(planOf([[]]));
    fail(monitor, 5);
    expect(heard).toEqual([]);
    fail(monitor, 1);
    expect(heard).toMatchObject([
      {
        kind: 'agent_failure',
        severity: 'warning',
        scope: { kind: 'agent', agentId: 'agent_0' },
        statistic: expect.closeTo(6 * Math.log(2.5), 6),
        threshold: 5,
      },
    ]);
    fail(monitor, 3);
    expect(heard.map(({ severity }) => severity)).toEqual(['warning', 'critical']);
  });

  it('is not raised by hard tasks: what was expected to fail may fail', () => {
    const { monitor, heard } = watch(planOf([[]]));
    fail(monitor, 100, { calibratedProbability: 0.05 });
    expect(heard).toEqual([]);
  });

  it('judges by the calibrated probability, not by the one first said', () => {
    const { monitor, heard } = watch(planOf([[]]));
    fail(monitor, 100, { successProbability: 0.99, calibratedProbability: 0.05 });
    expect(heard).toEqual([]);
  });

  it('is not moved by what is censored', () => {
    const { monitor, heard } = watch(planOf([[]]));
    for (const status of ['denied', 'cancelled', 'skipped', 'waiting'] as const) {
      fail(monitor, 100, { status });
    }
    expect(heard).toEqual([]);
  });

  it('is one anomaly however often it alarms, with the latest failed tasks as evidence', () => {
    const { monitor, close } = watch(planOf([[]]));
    fail(monitor, 60);
    const anomalies = close().filter(({ kind }) => kind === 'agent_failure');
    expect(anomalies).toHaveLength(1);
    expect(anomalies[0]?.count).toBeGreaterThan(5);
    expect(anomalies[0]?.evidence).toHaveLength(10);
  });

  it('carries doubts over to the next wave, but does not repeat what it has told', () => {
    const { monitor, heard, close } = watch(planOf([[]]));
    fail(monitor, 5);
    close();
    monitor.startWave(planOf([[]], { wave: 2 }), START);
    fail(monitor, 1, { wave: 2 });
    expect(heard).toMatchObject([{ kind: 'agent_failure', wave: 2 }]);
    monitor.closeWave({
      wave: 2,
      startedAt: START,
      endedAt: START + 1000,
      plan: planOf([[]], { wave: 2 }),
      steals: 0,
    });
    monitor.startWave(planOf([[]], { wave: 3 }), START);
    fail(monitor, 5, { wave: 3 });
    expect(heard).toHaveLength(1);
  });
});

describe('latency_shift', () => {
  it('warns of an agent that has become twice as slow, within 30 tasks', () => {
    const { monitor, heard } = watch(planOf([[]]));
    run(monitor, 0, 100, 1);
    expect(heard).toEqual([]);
    run(monitor, 100, 130, 2);
    expect(heard).toMatchObject([
      { kind: 'latency_shift', severity: 'warning', scope: { agentId: 'agent_0' }, threshold: 3.5 },
    ]);
  });

  it('needs no known speed: an agent that was slow from the start has not changed', () => {
    const { monitor, heard } = watch(planOf([[]]));
    run(monitor, 0, 200, 5);
    expect(heard).toEqual([]);
  });

  it('is silent about an agent that becomes faster', () => {
    const { monitor, heard } = watch(planOf([[]]));
    run(monitor, 0, 100, 1);
    run(monitor, 100, 200, 0.3);
    expect(heard).toEqual([]);
  });

  it('is not raised by a single slow task', () => {
    const { monitor, heard } = watch(planOf([[]]));
    run(monitor, 0, 100, 1);
    monitor.observe(outcomeOf('slow', { attemptMs: 1e6 }));
    expect(heard).toEqual([]);
  });
});

describe('prediction_drift', () => {
  it('warns when the probabilities of a wave were too high', () => {
    const { monitor, close } = watch(planOf([[]]));
    settle(monitor, 400, 0.9, 320);
    const drift = driftOf(close());
    // |Z| = |.8 - .9| x 400 / sqrt(400 x .9 x .1)
    expect(drift).toMatchObject({ severity: 'warning', scope: { kind: 'wave' }, threshold: 3 });
    expect(drift?.statistic).toBeCloseTo(40 / 6, 6);
    expect(drift?.evidence).toHaveLength(10);
  });

  it('is critical when they were worth nothing', () => {
    const { monitor, close } = watch(planOf([[]]));
    settle(monitor, 400, 0.95, 200);
    expect(driftOf(close())?.severity).toBe('critical');
  });

  it('is silent when they were right, and with fewer than 30 tasks', () => {
    const right = watch(planOf([[]]));
    settle(right.monitor, 400, 0.9, 360);
    expect(driftOf(right.close())).toBeUndefined();
    const few = watch(planOf([[]]));
    settle(few.monitor, 29, 0.9, 5);
    expect(driftOf(few.close())).toBeUndefined();
  });
});

describe('load_imbalance', () => {
  it('warns when the busiest slot has more than 1.25 times the mean', () => {
    const { monitor, close } = watch(planOf([[], []]));
    busy(monitor, 'agent_0', 20, 100);
    busy(monitor, 'agent_1', 10, 100);
    const [imbalance] = close();
    expect(imbalance).toMatchObject({ kind: 'load_imbalance', severity: 'warning' });
    expect(imbalance?.statistic).toBeCloseTo(2000 / 1500, 9);
    expect(imbalance?.recommendation).toContain('agent_0');
  });

  it('counts time per slot: an agent with two may be busy twice as long', () => {
    const plan = planOf([[], []]);
    const agents = plan.agents.map((agent, index) => ({ ...agent, capacity: 2 - index }));
    const { monitor, close } = watch({ ...plan, agents });
    busy(monitor, 'agent_0', 20, 100);
    busy(monitor, 'agent_1', 10, 100);
    expect(close()).toEqual([]);
  });

  it('is silent when the last task alone makes the difference: it could not be shared', () => {
    const { monitor, close } = watch(planOf([[], []]));
    busy(monitor, 'agent_0', 1, 1000);
    busy(monitor, 'agent_1', 1, 100);
    expect(close()).toEqual([]);
  });
});

describe('retry_storm', () => {
  it('warns once when more than half of the last 30 attempts are repeats', () => {
    const { monitor, heard } = watch(planOf([[]]));
    for (let index = 0; index < 90; index += 1) {
      monitor.observeAttempt(attemptOf(`t-${Math.floor(index / 3)}`, { attempt: (index % 3) + 1 }));
    }
    expect(heard).toMatchObject([
      { kind: 'retry_storm', severity: 'warning', scope: { kind: 'wave' }, statistic: 20 / 30 },
    ]);
  });

  it('is silent when every second attempt is a repeat, or when there were few', () => {
    const { monitor, heard } = watch(planOf([[]]));
    for (let index = 0; index < 90; index += 1) {
      monitor.observeAttempt(attemptOf(`t-${Math.floor(index / 2)}`, { attempt: (index % 2) + 1 }));
    }
    expect(heard).toEqual([]);
    const few = watch(planOf([[]]));
    for (let n = 2; n < 31; n += 1) few.monitor.observeAttempt(attemptOf('t', { attempt: n }));
    expect(few.heard).toEqual([]);
  });
});

describe('stalled', () => {
  const plan = planOf([['t-0', 't-1']], { lowerBoundMs: 1000 });

  it('warns when nothing settles for 3 times the longest prediction, and is critical at 9', () => {
    const { monitor, heard } = watch(plan);
    monitor.tick(START + 3000);
    expect(heard).toEqual([]);
    monitor.tick(START + 3001);
    monitor.tick(START + 3002);
    expect(heard).toMatchObject([
      { kind: 'stalled', severity: 'warning', threshold: 3000, evidence: ['t-0', 't-1'] },
    ]);
    monitor.tick(START + 9001);
    expect(heard).toMatchObject([{}, { severity: 'critical', threshold: 9000, at: START + 3001 }]);
  });

  it('takes the longest prediction from whoever knows it', () => {
    const monitor = createMonitor({}, { random: seededRandom(1) });
    const heard: Anomaly[] = [];
    monitor.events.on('anomalyDetected', ({ anomaly }) => heard.push(anomaly));
    monitor.startWave(plan, START, { longestPredictionMs: 10 });
    monitor.tick(START + 31);
    expect(heard).toMatchObject([{ kind: 'stalled', threshold: 30 }]);
  });

  it('is silent after any sign of life, an announced pause included', () => {
    const { monitor, heard } = watch(plan);
    monitor.observeAttempt(
      attemptOf('t-0', { status: 'failed', endedAt: START + 2000, backoffMs: 60_000 }),
    );
    monitor.tick(START + 65_000);
    expect(heard).toEqual([]);
    monitor.tick(START + 65_001);
    expect(heard).toHaveLength(1);
  });

  it('is silent when all that is open waits for a person, or nothing is open', () => {
    const { monitor, heard } = watch(plan);
    monitor.observe(outcomeOf('t-0', { status: 'waiting', endedAt: null }));
    monitor.observe(outcomeOf('t-1'));
    monitor.tick(START + 1e9);
    expect(heard).toEqual([]);
  });
});

describe('a system in which nothing is wrong', () => {
  it('has at most 1 critical anomaly in 1000 tasks, and few warnings', () => {
    const anomalies = Array.from({ length: 12 }, (_, seed) => runCleanWaves(seed, 4, 250)).flat();
    const ofSeverity = (severity: Anomaly['severity']) =>
      anomalies.filter((anomaly) => anomaly.severity === severity).length;
    expect(ofSeverity('critical')).toBeLessThanOrEqual(12);
    expect(ofSeverity('warning') / 12).toBeLessThanOrEqual(1.5);
  });
});
