/**
 * The tests that the original system names for its phase 21, with real agents, waves and files. It counts 29 and names 27;
 * these are the 27.
 */
import {
  type AgentOptions,
  BackoffOptions,
  backoffMs,
  createAgentExecutor,
  createAgentManager,
  createFeedbackLoop,
  createHarness,
  createMonitor,
  feedbackRecords,
  type Harness,
  type HarnessInput,
  MemoryOutput,
  numberedAgents,
  type Outcome,
  type Plan,
  recomputeHealth,
  type RunResult,
  SystemHealthRecord,
  type TaskRequest,
} from '@buddy/agents';
import {
  countingId,
  defineTool,
  ManualClock,
  seededRandom,
  type Tool,
  wilsonInterval,
} from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { attemptOf, outcomeOf, planOf, START } from './task-fixture.ts';

const TASKS_PER_WAVE = 12;

function sampleAgents(): AgentOptions[] {
  return numberedAgents(4);
}

/** Twelve tasks of a wave: task_0 takes 100 ms, task_1 200 ms, …; every fourth fails, as the predictor half expects. */
function sampleTasks(wave = 1): object[] {
  return Array.from({ length: TASKS_PER_WAVE }, (_, at) => ({
    task_id: `task_${(wave - 1) * TASKS_PER_WAVE + at}`,
    agent_id: null,
    predicted_success_probability: isGood(at) ? 0.9 : 0.5,
    priority: at % 3,
    wave,
    action: 'demo.work',
    input: { ms: 100 * (at + 1), isGood: isGood(at) },
    predicted_execution_time: 0.1 * (at + 1),
    heuristics: [at % 2 === 0 ? 'even' : 'odd'],
  }));
}

function isGood(at: number): boolean {
  return at % 4 !== 3;
}

function lines(records: object[]): string[] {
  return records.map((record) => `${JSON.stringify(record)}\n`);
}

function phase20(waves: number): { tasks: string[]; schedule: string[] } {
  const numbers = Array.from({ length: waves }, (_, at) => at + 1);
  return {
    tasks: lines(numbers.flatMap((wave) => sampleTasks(wave))),
    schedule: lines(numbers.map((wave) => ({ wave, tasks_count: TASKS_PER_WAVE }))),
  };
}

/** Works for as long as it is told on the clock, then succeeds or not; and how many did so at once. */
function workTool(clock: ManualClock): { tool: Tool; peak: () => number } {
  let active = 0;
  let peak = 0;
  const tool = defineTool({
    name: 'demo.work',
    description: 'Works for a while.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ ms: z.number(), isGood: z.boolean() }),
    output: z.object({ isDone: z.literal(true) }),
    execute: async ({ ms, isGood: succeeds }) => {
      active += 1;
      peak = Math.max(peak, active);
      await clock.sleep(ms);
      active -= 1;
      if (!succeeds) throw new Error('It was not to be');
      return { isDone: true as const };
    },
  });
  return { tool, peak: () => peak };
}

interface Setting {
  harness: Harness;
  clock: ManualClock;
  output: MemoryOutput;
  peak: () => number;
}

function setting(options: HarnessInput = {}): Setting {
  const clock = new ManualClock(START);
  const { tool, peak } = workTool(clock);
  const output = new MemoryOutput();
  const harness = createHarness(
    { agents: sampleAgents(), ...options },
    { tools: [tool], clock, output, newId: countingId('run') },
  );
  return { harness, clock, output, peak };
}

async function runWaves(waves: number, options: HarnessInput = {}) {
  const parts = setting(options);
  const result: RunResult = await parts.clock.run(async () => {
    await parts.harness.load(phase20(waves));
    return parts.harness.run();
  });
  return { ...parts, result };
}

const JsonObject = z.record(z.string(), z.unknown());

function linesIn(output: MemoryOutput, path: string): Record<string, unknown>[] {
  const text = output.files.get(path) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JsonObject.parse(JSON.parse(line)));
}

function jsonIn(output: MemoryOutput, path: string): Record<string, unknown> {
  return JsonObject.parse(JSON.parse(output.files.get(path) ?? 'null'));
}

function sampleOutcome(at: number, change: Partial<Outcome> = {}): Outcome {
  const successProbability = isGood(at) ? 0.9 : 0.5;
  const agentId = `agent_${at % 4}`;
  return outcomeOf(`task_${at}`, {
    action: 'demo.work',
    status: isGood(at) ? 'completed' : 'failed',
    agentId,
    plannedAgentId: agentId,
    heuristics: [at % 2 === 0 ? 'even' : 'odd'],
    successProbability,
    calibratedProbability: successProbability,
    predictedDurationMs: 1_000,
    endedAt: START + 1_000,
    attemptMs: 1_000,
    ...change,
  });
}

/** Three tasks of a second for each of four agents. */
function samplePlan(): Plan {
  return planOf({
    strategy: 'round_robin',
    agents: sampleAgents().map(({ id, capacity }, agent) => ({
      agentId: id,
      capacity,
      speed: 1,
      taskIds: [agent, agent + 4, agent + 8].map((at) => `task_${at}`),
      loadMs: 3_000,
    })),
    makespanMs: 3_000,
    lowerBoundMs: 3_000,
    baselineRoundRobinMs: 3_000,
  });
}

const sampleRecord = {
  wave: 1,
  startedAt: START,
  endedAt: START + 3_000,
  plan: samplePlan(),
  steals: 0,
};

function monitorOf(outcomes: readonly Outcome[]) {
  const monitor = createMonitor({}, { random: seededRandom(23) });
  monitor.startWave(samplePlan(), START);
  for (const outcome of outcomes) {
    const { taskId, wave, action, agentId, attemptMs, startedAt, status } = outcome;
    monitor.observeAttempt(
      attemptOf(taskId, {
        wave,
        agentId: agentId ?? '',
        action,
        status: status === 'completed' ? 'succeeded' : 'failed',
        startedAt: startedAt ?? START,
        endedAt: (startedAt ?? START) + attemptMs,
      }),
    );
    monitor.observe(outcome);
  }
  return monitor;
}

describe('TestAgentManager', () => {
  it('test_agent_manager_initialization', () => {
    const manager = createAgentManager({ agents: sampleAgents() });
    expect(manager.agents).toHaveLength(4);
    expect(manager.loaded).toEqual({ taskCount: 0, waves: [], problems: [] });
  });

  it('test_load_phase20_predictions', async () => {
    const manager = createAgentManager({ agents: sampleAgents() });
    const summary = await manager.load(phase20(2));
    expect(summary).toEqual({ taskCount: 24, waves: [1, 2], problems: [] });
  });

  it('test_assign_tasks_to_agents', async () => {
    const manager = createAgentManager({ agents: sampleAgents(), strategy: 'round_robin' });
    await manager.load(phase20(1));
    const { plan } = manager.planWave(1);
    expect(plan.agents.map(({ taskIds }) => taskIds)).toEqual(
      samplePlan().agents.map(({ taskIds }) => taskIds),
    );
  });

  it('test_evaluate_agent_performance', () => {
    const manager = createAgentManager({ agents: sampleAgents() });
    const outcomes = Array.from({ length: 12 }, (_, at) =>
      sampleOutcome(at, { attemptMs: 100 * at }),
    );
    const performance = manager.evaluatePerformance([
      ...outcomes,
      sampleOutcome(0, { taskId: 'denied', status: 'denied' }), // censored
    ]);
    expect(performance).toMatchObject([
      { agentId: 'agent_0', completed: 3, failed: 0, successRate: 1, medianDurationMs: 400 },
      { agentId: 'agent_1', completed: 3, failed: 0, successRate: 1, medianDurationMs: 500 },
      { agentId: 'agent_2', completed: 3, failed: 0, successRate: 1, medianDurationMs: 600 },
      { agentId: 'agent_3', completed: 0, failed: 3, successRate: 0, medianDurationMs: 700 },
    ]);
    expect(performance[0]?.interval).toEqual(wilsonInterval(3, 3));
    expect(manager.evaluatePerformance([])[0]).toMatchObject({
      successRate: Number.NaN,
      interval: null,
    });
  });

  it('test_generate_coordination_plan', async () => {
    const manager = createAgentManager({ agents: sampleAgents(), controlShare: 0 });
    await manager.load(phase20(1));
    const { plan } = manager.planWave(1);
    // 100 + 200 + … + 1200 ms over four agents: 1950 each at best
    expect(plan.lowerBoundMs).toBeCloseTo(1_950, 6);
    expect(plan.makespanMs).toBeLessThan(plan.baselineRoundRobinMs);
    expect(plan.loadBalanceScore).toBeGreaterThan(0.9);
    expect(plan.agents.flatMap(({ taskIds }) => taskIds).toSorted()).toEqual(
      Array.from({ length: 12 }, (_, at) => `task_${at}`).toSorted(),
    );
  });
});

function executor() {
  const clock = new ManualClock(START);
  const { tool } = workTool(clock);
  const made = createAgentExecutor({ agent: { id: 'agent_0' } }, { tools: [tool], clock });
  return { clock, executor: made };
}

function taskOf(at: number): TaskRequest {
  return {
    taskId: `task_${at}`,
    action: 'demo.work',
    input: { ms: 100 * (at + 1), isGood: isGood(at) },
    successProbability: isGood(at) ? 0.9 : 0.5,
    durationMs: 100 * (at + 1),
  };
}

describe('TestAgentExecutor', () => {
  it('test_agent_executor_initialization', () => {
    const { executor: made } = executor();
    expect(made.agent).toEqual({ id: 'agent_0', capacity: 1 });
    expect(made.metrics()).toMatchObject({ tasks: 0, attempts: 0 });
  });

  it('test_execute_single_task', async () => {
    const { clock, executor: made } = executor();
    const outcome = await clock.run(() => made.executeTask(taskOf(0)));
    expect(outcome).toMatchObject({ status: 'completed', attemptMs: 100, agentId: 'agent_0' });
    expect(made.metrics()).toMatchObject({ tasks: 1, completed: 1, busyMs: 100 });
  });

  it('test_execute_wave_tasks', async () => {
    const { clock, executor: made } = executor();
    const tasks = Array.from({ length: 12 }, (_, at) => taskOf(at));
    const outcomes = await clock.run(() => made.executeWave(tasks));
    expect(outcomes).toHaveLength(12);
    expect(outcomes.filter(({ status }) => status === 'completed')).toHaveLength(9);
    expect(outcomes.filter(({ status }) => status === 'failed')).toHaveLength(3);
    expect(clock.now() - START).toBe(7_800); // one after the other
  });

  it('test_apply_retry_strategy', async () => {
    const options = BackoffOptions.parse({ kind: 'exponential' });
    const waits = [1, 2, 3, 4].map((failures) => backoffMs(options, failures, { draw: [] }));
    expect(waits).toEqual([0, 1, 2, 3].map((retryCount) => 1_000 * 2 ** retryCount));

    const clock = new ManualClock(0);
    const startedAt: number[] = [];
    const busy: Tool = {
      ...workTool(clock).tool,
      execute: async () => {
        startedAt.push(clock.now());
        throw Object.assign(new Error('busy'), { retryable: true });
      },
    };
    const made = createAgentExecutor(
      { agent: { id: 'agent_0' }, maxAttempts: 4 },
      { tools: [busy], clock },
    );
    const outcome = await clock.run(() => made.executeTask(taskOf(0)));
    expect(startedAt).toEqual([0, 1_000, 3_000, 7_000]);
    expect(outcome).toMatchObject({ status: 'failed', attempts: 4 });
  });

  it('test_collect_execution_metrics', async () => {
    const { clock, executor: made } = executor();
    await clock.run(() => made.executeWave([taskOf(0), taskOf(3)]));
    const metrics = made.metrics();
    expect(metrics).toMatchObject({ tasks: 2, completed: 1, failed: 1, attempts: 2, busyMs: 500 });
    expect(metrics.meanConfidenceDelta).toBeCloseTo((1 - 0.9 + (0 - 0.5)) / 2, 12);
  });
});

function loopWith(outcomes: readonly Outcome[]) {
  const loop = createFeedbackLoop({}, { random: seededRandom(23) });
  for (const outcome of outcomes) loop.settle(outcome);
  return loop;
}

describe('TestPhase21FeedbackLoop', () => {
  const outcomes = Array.from({ length: 12 }, (_, at) => sampleOutcome(at));

  it('test_feedback_loop_initialization', () => {
    const { learning } = loopWith([]);
    expect(learning.speed('agent_0')).toBe(1);
    expect(learning.calibrate(0.8, 'demo.work')).toBe(0.8);
    expect(learning.posterior('agent_0', 'demo.work')).toEqual({ a: 2, b: 2, mean: 0.5 });
  });

  it('test_evaluate_agent_outcomes', () => {
    const loop = loopWith([]);
    expect(loop.settle(sampleOutcome(0))).toBe(true);
    expect(loop.settle(sampleOutcome(0, { status: 'failed' }))).toBe(false); // each prediction once
    for (const outcome of outcomes.slice(1)) loop.settle(outcome);
    const [overall] = loop.closeWave(sampleRecord).predictions;
    expect(overall?.n).toBe(12);
    // nine times 0.9 came true, three times 0.5 did not
    expect(overall?.brier).toBeCloseTo((9 * 0.1 ** 2 + 3 * 0.5 ** 2) / 12, 12);
  });

  it('test_generate_feedback_signals', () => {
    const signals = loopWith(outcomes).closeWave(sampleRecord);
    expect(
      signals.heuristics.map(({ heuristic, n, successes }) => [heuristic, n, successes]),
    ).toEqual([
      ['even', 6, 6],
      ['odd', 6, 3],
    ]);
    expect(signals.agents.map(({ agentId, successes }) => [agentId, successes])).toEqual([
      ['agent_0', 3],
      ['agent_1', 3],
      ['agent_2', 3],
      ['agent_3', 0],
    ]);
    expect(signals.coordination).toMatchObject({ makespanMs: 3_000, ratio: 1, steals: 0 });
  });

  it('test_write_feedback_outputs', () => {
    const output = new MemoryOutput();
    const signals = loopWith(outcomes).closeWave(sampleRecord);
    for (const { path, record } of feedbackRecords(signals)) output.append(path, record);
    expect([...output.files.keys()].toSorted()).toEqual([
      'phase16/heuristic_feedback.jsonl',
      'phase18/agent_performance_feedback.jsonl',
      'phase18/coordination_feedback.jsonl',
      'phase20/prediction_feedback.jsonl',
    ]);
    expect(linesIn(output, 'phase16/heuristic_feedback.jsonl')).toMatchObject([
      { heuristic: 'even', wave: 1, n: 6 },
      { heuristic: 'odd', wave: 1, n: 6 },
    ]);
  });
});

describe('TestPhase21Monitor', () => {
  const thirds = Array.from({ length: 12 }, (_, at) => {
    const startedAt = START + 1_000 * Math.floor(at / 4);
    return sampleOutcome(at, { startedAt, endedAt: startedAt + 1_000 });
  });

  it('test_monitor_initialization', () => {
    const monitor = createMonitor({}, { random: seededRandom(23) });
    expect(monitor.health()).toMatchObject({ status: 'UNKNOWN', score: null });
  });

  it('test_calculate_metrics', () => {
    const { wave, agents } = monitorOf(thirds).closeWave(sampleRecord);
    expect(wave).toMatchObject({ scored: 12, successRate: 0.75, utilisation: 1, makespanRatio: 1 });
    expect(wave.throughputPerS).toBeCloseTo(4, 12); // 12 tasks in 3 s
    expect(agents.map(({ agentId, successRate }) => [agentId, successRate])).toEqual([
      ['agent_0', 1],
      ['agent_1', 1],
      ['agent_2', 1],
      ['agent_3', 0],
    ]);
  });

  it('test_detect_anomalies', () => {
    // 40 tasks take about what was predicted, and one 20 times as long
    const tasks = Array.from({ length: 41 }, (_, at) => {
      const attemptMs = at === 20 ? 20_000 : 950 + 5 * (at % 20);
      return sampleOutcome(at, { status: 'completed', attemptMs, endedAt: START + attemptMs });
    });
    const { anomalies } = monitorOf(tasks).closeWave({ ...sampleRecord, endedAt: START + 30_000 });
    const outliers = anomalies.filter(({ kind }) => kind === 'latency_outlier');
    expect(outliers).toHaveLength(1);
    expect(JSON.stringify(outliers[0])).toContain('task_20');
  });

  it('test_generate_system_health', () => {
    // Sure of nine that come true and one that does not, and that two fail; one of those times out; the wave takes 4 s.
    const told = thirds.map((outcome, at): Outcome => {
      const calibratedProbability = isGood(at) || at === 3 ? 1 : 0;
      if (at !== 11) return { ...outcome, calibratedProbability };
      return { ...outcome, calibratedProbability, status: 'timed_out', timedOutMs: 1_000 };
    });
    const monitor = monitorOf(told);
    const { anomalies } = monitor.closeWave({ ...sampleRecord, endedAt: START + 4_000 });
    expect(anomalies).toEqual([]);

    // By the formula that `healthOf` documents, worked out from the numbers above.
    const wilson = // lower bound of 9 of 12, one-sided: z of 95 %
      (0.75 + 1.644854 ** 2 / 24 - 1.644854 * Math.sqrt(0.1875 / 12 + 1.644854 ** 2 / 576)) /
      (1 + 1.644854 ** 2 / 12);
    const reliability = (wilson - 0.5) / (0.95 - 0.5);
    const efficiency = (3 / 4 - 0.3) / (0.9 - 0.3);
    // Of ten sure ones nine come true, so 1 should have been 0.9; nothing of that is chance, as 0 and 1 leave it no room.
    const miscalibration = 1 / 12 - (10 * 0.9 * 0.1) / 12;
    const calibration = 1 - Math.sqrt(miscalibration / (0.75 * 0.25)) / 0.5;
    const availability = (15 / 16 - 0.25) / (1 - 0.25); // of 4 slots x 4 s one was lost
    const expected = 100 * reliability ** 0.4 * (efficiency * calibration * availability) ** 0.2;
    const { score, status } = monitor.health();
    expect(score).toBeCloseTo(expected, 3);
    expect(status).toBe('POOR');
  });
});

describe('TestPhase21Harness', () => {
  it('test_harness_initialization', async () => {
    const { harness } = setting();
    expect(harness.manager.agents).toEqual(sampleAgents());
    await expect(harness.run()).rejects.toMatchObject({ code: 'AGENTS_HARNESS_MISUSE' });
  });

  it('test_harness_has_components', () => {
    const { harness, output } = setting();
    expect(harness.manager.loaded.taskCount).toBe(0);
    expect(harness.feedback.learning.speed('agent_0')).toBe(1);
    expect(harness.monitor.health().status).toBe('UNKNOWN');
    expect(harness.output).toBe(output);
    expect(harness.events.listenerCount('runCompleted')).toBe(0);
  });

  it('test_load_phase20_data', async () => {
    const { harness, clock } = setting();
    const summary = await clock.run(() => harness.load(phase20(3)));
    expect(summary).toEqual({ taskCount: 36, waves: [1, 2, 3], problems: [] });
  });

  it('test_create_output_directories', async () => {
    const { output } = await runWaves(2);
    const folders = new Set(
      [...output.files.keys()].map((path) => path.split('/').slice(0, -1).join('/')),
    );
    for (const wave of [1, 2]) {
      for (const agent of [0, 1, 2, 3]) {
        expect(folders).toContain(`phase21/wave_${wave}/agent_${agent}`);
      }
    }
    expect(folders).toContain('phase16');
    expect(folders).toContain('phase18');
    expect(folders).toContain('phase20');
  });
});

describe('TestPhase21Integration', () => {
  it('test_end_to_end_single_wave', async () => {
    const { result, output } = await runWaves(1);
    expect(result).toMatchObject({
      status: 'completed',
      tasks: 12,
      counts: { completed: 9, failed: 3 },
      waves: [1],
      unfinishedWaves: [],
    });
    const outcomes = [0, 1, 2, 3].flatMap((agent) =>
      linesIn(output, `phase21/wave_1/agent_${agent}/outcomes.jsonl`),
    );
    expect(outcomes).toHaveLength(12);
    expect(outcomes.filter((outcome) => outcome['actual_success'] === true)).toHaveLength(9);
    expect(jsonIn(output, 'phase21/run.json')).toMatchObject({ status: 'completed', tasks: 12 });
    expect(output.files.get('phase21/report.md')).toContain('|');
  });

  it('test_end_to_end_multi_wave', async () => {
    const { result, output } = await runWaves(3);
    expect(result).toMatchObject({ status: 'completed', tasks: 36, waves: [1, 2, 3] });
    const waves = linesIn(output, 'phase21/events.jsonl').filter(({ event }) =>
      ['waveStarted', 'waveCompleted'].includes(String(event)),
    );
    expect(waves.map(({ event, wave }) => [event, wave])).toEqual([
      ['waveStarted', 1],
      ['waveCompleted', 1],
      ['waveStarted', 2],
      ['waveCompleted', 2],
      ['waveStarted', 3],
      ['waveCompleted', 3],
    ]);
  });

  it('test_agent_parallel_execution', async () => {
    const { result, peak } = await runWaves(1);
    expect(peak()).toBe(4);
    const takenMs = result.endedAt - result.startedAt;
    expect(takenMs).toBeLessThan(7_800 / 2); // one agent alone would take 7.8 s
    expect(takenMs).toBeGreaterThanOrEqual(1_950);
  });

  it('test_feedback_loop_integration', async () => {
    const { harness, output } = await runWaves(2);
    const [first, second, ...others] = linesIn(output, 'phase20/prediction_feedback.jsonl').filter(
      ({ scope }) => scope === 'overall',
    );
    expect([first, second, others]).toMatchObject([{ wave: 1, n: 12 }, { wave: 2, n: 12 }, []]);
    expect(linesIn(output, 'phase18/coordination_feedback.jsonl')).toHaveLength(2);
    expect(linesIn(output, 'phase16/heuristic_feedback.jsonl')).toHaveLength(4);
    // the wave that comes next is planned with it
    expect(harness.feedback.learning.typicalDurationMs('demo.work')).toBeGreaterThan(0);
  });

  it('test_monitoring_throughout_execution', async () => {
    const { harness, clock, output } = setting();
    const healthAtWaveEnd: (number | null)[] = [];
    harness.events.on('waveCompleted', ({ metrics }) => {
      healthAtWaveEnd.push(metrics.health.score);
    });
    const { health } = await clock.run(async () => {
      await harness.load(phase20(2));
      return harness.run();
    });
    expect(healthAtWaveEnd).toHaveLength(2);
    expect(healthAtWaveEnd[1]).toBe(health.score);
    const record = SystemHealthRecord.parse(jsonIn(output, 'phase21/system_health.json'));
    expect(recomputeHealth(record).score).toBe(health.score);
    for (const wave of [1, 2]) {
      const metrics = jsonIn(output, `phase21/wave_${wave}/metrics.json`);
      expect(metrics).toMatchObject({ success_rate: 0.75 });
    }
  });
});
