import {
  agentMetricsRecord,
  type Attempt,
  createMonitor,
  type Monitor,
  type MonitorEvents,
  type MonitorInput,
  type Outcome,
  type OutcomeStatus,
  type Plan,
  waveMetricsRecord,
  type WaveReportMetrics,
} from '@buddy/agents';
import { seededRandom } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  attemptOf as anAttemptOf,
  outcomeOf as anOutcomeOf,
  planOf,
  START,
} from './task-fixture.ts';

/** Two agents, one of them with two slots; 12 s of work on three slots. */
const plan = planOf({
  agents: [
    { agentId: 'ada', capacity: 2, speed: 1, taskIds: ['a', 'b', 'c'], loadMs: 8000 },
    { agentId: 'bob', capacity: 1, speed: 1, taskIds: ['d', 'e'], loadMs: 4000 },
  ],
  makespanMs: 4500,
  lowerBoundMs: 4000,
  ratio: 1.125,
  loadBalanceScore: 4000 / 4500,
  baselineRoundRobinMs: 5000,
});

/** A task that ada completed in the 2 s that were predicted. */
function outcomeOf(taskId: string, change: Partial<Outcome> = {}): Outcome {
  const times = { predictedDurationMs: 2000, endedAt: START + 2000, attemptMs: 2000 };
  const agents = { agentId: 'ada', plannedAgentId: 'ada' };
  return anOutcomeOf(taskId, { ...agents, calibratedProbability: 0.8, ...times, ...change });
}

function attemptOf(taskId: string, change: Partial<Attempt> = {}): Attempt {
  return anAttemptOf(taskId, { agentId: 'ada', endedAt: START + 2000, ...change });
}

interface Told {
  outcomes?: readonly Outcome[];
  attempts?: readonly Attempt[];
  plan?: Plan;
  durationMs?: number;
}

/** What the monitor says of a wave of 5 s. */
function reportOf({ outcomes = [], attempts = [], ...wave }: Told): WaveReportMetrics {
  const monitor = createMonitor({}, { random: seededRandom(1) });
  const { plan: wavePlan = plan, durationMs = 5000 } = wave;
  monitor.startWave(wavePlan, START);
  for (const attempt of attempts) monitor.observeAttempt(attempt);
  for (const outcome of outcomes) monitor.observe(outcome);
  const endedAt = START + durationMs;
  return monitor.closeWave({ wave: 1, startedAt: START, endedAt, plan: wavePlan, steals: 2 });
}

/** Ada completes `a` and `b`, fails `c` at the second try; bob completes `d`, times out on `e`. */
const small: Told = {
  outcomes: [
    outcomeOf('a'),
    outcomeOf('b', { endedAt: START + 1000 }),
    outcomeOf('c', {
      status: 'failed',
      startedAt: START + 1000,
      endedAt: START + 5000,
      attempts: 2,
    }),
    outcomeOf('d', { agentId: 'bob', endedAt: START + 3000, calibratedProbability: 1 }),
    outcomeOf('e', {
      agentId: 'bob',
      status: 'timed_out',
      startedAt: START + 3000,
      endedAt: START + 5000,
      timedOutMs: 2000,
    }),
  ],
  attempts: [
    attemptOf('a'),
    attemptOf('b', { endedAt: START + 1000 }),
    attemptOf('c', { startedAt: START + 1000, status: 'failed', backoffMs: 1000 }),
    attemptOf('c', {
      attempt: 2,
      startedAt: START + 3000,
      endedAt: START + 5000,
      status: 'failed',
    }),
    attemptOf('d', { agentId: 'bob', endedAt: START + 3000 }),
    attemptOf('e', {
      agentId: 'bob',
      startedAt: START + 3000,
      endedAt: START + 5000,
      status: 'timed_out',
    }),
  ],
};

const anyOutcomes = fc
  .array(
    fc.record({
      agentId: fc.constantFrom('ada', 'bob'),
      status: fc.constantFrom<OutcomeStatus[]>('completed', 'failed', 'timed_out'),
      calibratedProbability: fc.double({ min: 0, max: 1, noNaN: true }),
      attemptMs: fc.integer({ min: 0, max: 5000 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      startedAt: fc.integer({ min: START, max: START + 2000 }),
    }),
    { maxLength: 40 },
  )
  .map((changes) => changes.map((change, index) => outcomeOf(`t-${index}`, change)));

describe('the metrics of a wave', () => {
  it('are as worked out by hand', () => {
    const { wave } = reportOf(small);
    expect(wave).toMatchObject({
      wave: 1,
      capacity: 3,
      makespanMs: 5000,
      steals: 2,
      scored: 5,
      successRate: 0.6,
      throughputPerS: 1,
      busyMs: 11_000, // ada 2 + 1 + 1 + 2 s, bob 3 + 2 s
      utilisation: 11 / 15,
      durationMs: { p50: 2000 }, // of 1, 2, 2, 3 and 4 s
      queueMs: { p50: 0 }, // of 0, 0, 0, 1 and 3 s
      retryRatio: 1 / 6,
      availability: 1 - 2 / 15,
    });
    expect(wave.durationMs.p95).toBeCloseTo(3800, 6);
    expect(wave.queueMs.p95).toBeCloseTo(2600, 6);
    expect(wave.brier).toBeCloseTo((0.04 + 0.04 + 0.64 + 0 + 0.64) / 5, 12);
    // Wilson's interval for 3 of 5, from the literature's tables
    expect(wave.successInterval.lower).toBeCloseTo(0.2307, 4);
    expect(wave.successInterval.upper).toBeCloseTo(0.8824, 4);
  });

  it('are there for each agent as well', () => {
    const { agents } = reportOf(small);
    expect(agents).toMatchObject([
      { agentId: 'ada', capacity: 2, scored: 3, busyMs: 6000, utilisation: 0.6, availability: 1 },
      { agentId: 'bob', capacity: 1, scored: 2, busyMs: 5000, utilisation: 1, availability: 0.6 },
    ]);
    expect(agents.map(({ retryRatio }) => retryRatio)).toEqual([0.25, 0]);
  });

  it('judge the makespan by the work as it turned out, not as it was estimated', () => {
    // 12 s planned, bound 4 s; 11 s done: bound 3.667 s
    const { wave } = reportOf(small);
    expect(wave.lowerBoundMs).toBeCloseTo((4000 * 11) / 12, 9);
    expect(wave.makespanRatio).toBeCloseTo(5000 / ((4000 * 11) / 12), 9);

    const agents = plan.agents.map((agent) => ({ ...agent, loadMs: agent.loadMs * 3 }));
    const pessimistic = { ...plan, agents, makespanMs: 13_500, lowerBoundMs: 12_000 };
    expect(reportOf({ ...small, plan: pessimistic }).wave.makespanRatio).toBeCloseTo(
      wave.makespanRatio ?? 0,
      9,
    );
  });

  it('expect all slots to be busy when the plan had no estimates', () => {
    const agents = plan.agents.map((agent) => ({ ...agent, loadMs: 0 }));
    const { wave } = reportOf({ ...small, plan: { ...plan, agents, lowerBoundMs: 0 } });
    expect(wave.lowerBoundMs).toBeCloseTo(11_000 / 3, 9);
  });

  it('expect no wave to be faster than its longest attempt on its fastest agent', () => {
    const attempts = [attemptOf('a', { endedAt: START + 5000 })];
    expect(reportOf({ attempts }).wave).toMatchObject({ lowerBoundMs: 5000, makespanRatio: 1 });
  });

  it('show what is censored, and let no rate be moved by it', () => {
    const censored: OutcomeStatus[] = ['denied', 'cancelled', 'skipped', 'waiting'];
    fc.assert(
      fc.property(anyOutcomes, fc.constantFrom(...censored), fc.nat(9), (outcomes, status, n) => {
        const extra = Array.from({ length: n }, (_, index) =>
          outcomeOf(`x-${index}`, { status, attempts: 0, agentId: index % 2 ? 'ada' : null }),
        );
        const without = reportOf({ outcomes });
        const withThem = reportOf({ outcomes: [...outcomes, ...extra] });
        expect(withThem.wave.counts[status]).toBe(n);
        expect({ ...withThem.wave, counts: {} }).toEqual({ ...without.wave, counts: {} });
        expect(withThem.health).toEqual(without.health);
      }),
    );
  });

  it('do not depend on the order of the agents, nor on whose outcomes come first', () => {
    const mirrored = { ...plan, agents: plan.agents.toReversed() };
    fc.assert(
      fc.property(anyOutcomes, (outcomes) => {
        const byAgent = Map.groupBy(outcomes, ({ agentId }) => agentId);
        const bobFirst = [...(byAgent.get('bob') ?? []), ...(byAgent.get('ada') ?? [])];
        const told = reportOf({ outcomes });
        const toldOtherwise = reportOf({ outcomes: bobFirst, plan: mirrored });
        expect(waveMetricsRecord({ ...toldOtherwise, anomalies: [] })).toEqual(
          waveMetricsRecord({ ...told, anomalies: [] }),
        );
        expect(toldOtherwise.agents).toEqual(told.agents);
        expect(new Set(toldOtherwise.anomalies.map(({ kind }) => kind))).toEqual(
          new Set(told.anomalies.map(({ kind }) => kind)),
        );
      }),
    );
  });

  it('count a task as waiting only until it goes on', () => {
    const waits = outcomeOf('a', { status: 'waiting', endedAt: null });
    expect(reportOf({ outcomes: [waits] }).wave.counts).toMatchObject({ waiting: 1, completed: 0 });
    const goesOn = outcomeOf('a', { agentId: 'bob' });
    const { wave, agents } = reportOf({ outcomes: [waits, waits, goesOn] });
    expect(wave.counts).toMatchObject({ waiting: 0, completed: 1 });
    expect(agents.map(({ counts }) => counts.waiting)).toEqual([0, 0]);
  });

  it('are null where there is nothing to compute them from', () => {
    expect(reportOf({ durationMs: 0 }).wave).toMatchObject({
      successRate: null,
      successInterval: { lower: 0, upper: 1 },
      throughputPerS: null,
      utilisation: null,
      durationMs: { p50: null, p95: null },
      queueMs: { p50: null, p95: null },
      retryRatio: null,
      availability: null,
      makespanRatio: null,
      brier: null,
    });
  });

  it('include agents that the plan does not know, without a capacity', () => {
    const { agents } = reportOf({ outcomes: [outcomeOf('a', { agentId: 'cyd' })] });
    expect(agents).toMatchObject([
      { agentId: 'ada', scored: 0 },
      { agentId: 'bob', scored: 0 },
      { agentId: 'cyd', scored: 1, capacity: 0, utilisation: null },
    ]);
  });
});

describe('the records of a wave', () => {
  it('are in snake_case with at most 6 decimals, their keys in a fixed order', () => {
    const report = reportOf(small);
    const [ada] = report.agents;
    expect(ada && JSON.stringify(agentMetricsRecord(ada, report))).toBe(
      '{"v":1,"wave":1,"agent_id":"ada","capacity":2,' +
        '"counts":{"completed":2,"failed":1,"timed_out":0,"denied":0,"cancelled":0,"skipped":0,"waiting":0},' +
        '"scored":3,"success_rate":0.666667,"success_rate_wilson_95":[0.20766,0.938508],' +
        '"throughput_per_s":0.6,"busy_ms":6000,"utilisation":0.6,"duration_ms":{"p50":2000,"p95":3800},' +
        '"queue_ms":{"p50":0,"p95":900},"retry_ratio":0.25,"availability":1,"brier":0.24,"anomalies":[]}',
    );
    expect(Object.keys(waveMetricsRecord(report)).slice(0, 10)).toEqual([
      'v',
      'wave',
      'started_at',
      'ended_at',
      'agents',
      'capacity',
      'makespan_ms',
      'lower_bound_ms',
      'makespan_ratio',
      'steals',
    ]);
  });

  it('hold the anomalies: all in the wave’s, its own in an agent’s', () => {
    const failures = Array.from({ length: 6 }, (_, index) =>
      outcomeOf(`f-${index}`, { status: 'failed', calibratedProbability: 0.95 }),
    );
    const report = reportOf({ outcomes: failures });
    const [ada, bob] = report.agents.map((agent) => agentMetricsRecord(agent, report));
    expect(waveMetricsRecord(report).anomalies).toEqual(ada?.anomalies);
    expect(bob?.anomalies).toEqual([]);
    expect(ada?.anomalies).toMatchObject([
      {
        kind: 'agent_failure',
        severity: 'warning',
        wave: 1,
        scope: 'agent',
        agent_id: 'ada',
        threshold: 5,
        at: '2026-11-21T00:00:02.000Z',
      },
    ]);
  });
});

function start() {
  return createMonitor({}, { random: seededRandom(1) });
}

function end(wave: number) {
  return { wave, startedAt: START, endedAt: START + 4000, plan: { ...plan, wave }, steals: 0 };
}

/** Two tasks on each of three slots: as good as the plan's bound. */
function fullAttempts(wave: number): Attempt[] {
  return ['ada', 'ada', 'ada', 'ada', 'bob', 'bob'].map((agentId, index) =>
    attemptOf(`t-${index}`, { wave, agentId }),
  );
}

function settle(monitor: Monitor, wave: number, status: OutcomeStatus, tasks: number): void {
  for (let index = 0; index < tasks; index += 1) {
    monitor.observe(outcomeOf(`${status}-${index}`, { wave, status, calibratedProbability: 0.95 }));
  }
}

describe('a monitor', () => {
  it('knows nothing at first', () => {
    expect(start().health()).toMatchObject({ score: null, status: 'UNKNOWN' });
  });

  it('has a health while the first wave runs, from what has settled', () => {
    const monitor = start();
    monitor.startWave(plan, START);
    settle(monitor, 1, 'completed', 100);
    expect(monitor.health()).toMatchObject({ status: 'EXCELLENT', inputs: { scored: 100 } });
  });

  it('adds up its waves', () => {
    const monitor = start();
    for (const wave of [1, 2, 3]) {
      monitor.startWave({ ...plan, wave }, START);
      for (const attempt of fullAttempts(wave)) monitor.observeAttempt(attempt);
      settle(monitor, wave, 'completed', 20);
      const { health } = monitor.closeWave(end(wave));
      expect(health).toEqual(monitor.health());
    }
    expect(monitor.health()).toMatchObject({
      status: 'EXCELLENT',
      inputs: {
        scored: 60,
        succeeded: 60,
        makespanMs: 12_000,
        lowerBoundMs: 12_000,
        capacityMs: 36_000,
      },
    });
  });

  it('holds the anomalies of a wave against health until the next one has ended', () => {
    const monitor = start();
    monitor.startWave(plan, START);
    settle(monitor, 1, 'completed', 200);
    settle(monitor, 1, 'failed', 6);
    expect(monitor.closeWave(end(1)).health.inputs.warnings).toBe(1);
    monitor.startWave({ ...plan, wave: 2 }, START);
    settle(monitor, 2, 'completed', 20);
    expect(monitor.health().inputs.warnings).toBe(1);
    expect(monitor.closeWave(end(2)).health.inputs.warnings).toBe(0);
  });

  it('tells of an anomaly and of the health it has changed, when both can be seen', () => {
    const monitor = start();
    monitor.startWave(plan, START);
    settle(monitor, 1, 'completed', 200);
    const heard: string[] = [];
    monitor.events.on('anomalyDetected', ({ at, anomaly }) => {
      heard.push(`${anomaly.kind} at ${at - START}`);
      expect(monitor.health().inputs.warnings).toBe(1);
    });
    monitor.events.on('healthChanged', ({ health, previous }) => {
      heard.push(`${previous.status} to ${health.status}`);
      expect(monitor.health()).toEqual(health);
    });
    settle(monitor, 1, 'failed', 6);
    expect(heard).toEqual(['agent_failure at 2000', 'UNKNOWN to EXCELLENT']);
  });

  it('says when an anomaly became worse, and keeps when it began', () => {
    const monitor = start();
    const heard: unknown[] = [];
    monitor.events.on('anomalyDetected', ({ at, anomaly }) => {
      heard.push([anomaly.severity, at - START, anomaly.at - START]);
    });
    monitor.startWave(plan, START);
    monitor.tick(START + 12_001);
    monitor.tick(START + 36_001);
    expect(heard).toEqual([
      ['warning', 12_001, 12_001],
      ['critical', 36_001, 12_001],
    ]);
  });

  it('goes on when a listener throws, and says so', () => {
    const errors: unknown[] = [];
    const thrown = new Error('listener broke');
    const monitor = createMonitor(
      {},
      { random: seededRandom(1), onListenerError: (error) => errors.push(error) },
    );
    monitor.events.on('anomalyDetected', () => {
      throw thrown;
    });
    monitor.startWave(plan, START);
    settle(monitor, 1, 'failed', 6);
    expect(monitor.closeWave(end(1)).anomalies).toHaveLength(1);
    expect(errors).toEqual([thrown]);
  });

  it('refuses to be told of a wave that does not run', () => {
    const monitor = start();
    const code = 'AGENTS_MONITOR_SEQUENCE';
    expect(() => monitor.observe(outcomeOf('a'))).toThrow(expect.objectContaining({ code }));
    monitor.startWave(plan, START);
    expect(() => monitor.startWave(plan, START)).toThrow('call closeWave first');
    expect(() => monitor.observeAttempt(attemptOf('a', { wave: 2 }))).toThrow(
      'told of wave 2, but wave 1 runs',
    );
    monitor.closeWave(end(1));
    expect(() => monitor.closeWave(end(1))).toThrow('no wave runs');
    monitor.tick(START + 1e9); // a timer may still fire between waves
  });

  it('says the same of the same, whatever was drawn from its random stream elsewhere', () => {
    const [undisturbed, disturbed] = [0, 3].map((draws) => {
      const random = seededRandom(1);
      for (let draw = 0; draw < draws; draw += 1) random();
      const monitor = createMonitor({}, { random });
      monitor.startWave(plan, START);
      settle(monitor, 1, 'completed', 50);
      settle(monitor, 1, 'failed', 5);
      return JSON.stringify(waveMetricsRecord(monitor.closeWave(end(1))));
    });
    expect(disturbed).toBe(undisturbed);
  });

  it('takes its thresholds as options, and no others', () => {
    const monitor = createMonitor({ stalledFactor: 1 }, { random: seededRandom(1) });
    const heard: unknown[] = [];
    monitor.events.on('anomalyDetected', ({ anomaly }) => heard.push(anomaly.threshold));
    monitor.startWave(plan, START);
    monitor.tick(START + 4001);
    expect(heard).toEqual([4000]);
    expectTypeOf<MonitorEvents>().toHaveProperty('healthChanged');
    expectTypeOf<MonitorInput>().toEqualTypeOf<{
      outlierZ?: number | undefined;
      imbalanceRatio?: number | undefined;
      retryStormShare?: number | undefined;
      stalledFactor?: number | undefined;
    }>();
    // @ts-expect-error: a misspelt option
    expect(() => createMonitor({ stallFactor: 1 }, { random: seededRandom(1) })).toThrow(
      'stallFactor',
    );
  });
});
