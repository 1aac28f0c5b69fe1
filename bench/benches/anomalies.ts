import {
  type Anomaly,
  createMonitor,
  findLatencyOutliers,
  type LatencySample,
  type Monitor,
  type Plan,
} from '../../packages/agents/src/index.ts';
import { median, type Random, seededRandom } from '../../packages/core/src/index.ts';
import { gaussian, lognormal } from '../measure/draws.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const SEEDS = 50;
const TASKS = 1000;
const SPEEDS = [1.25, 1, 0.8, 0.5];
/** The usual durations of the actions in the mix. */
const TYPICAL_MS = [40, 120, 350, 900, 2_500, 60, 8_000];
const SLOW_SHARE = 0.05;
const SLOWDOWN = 6;
const CLEAN_WAVES = 10;

/** Whether slow tasks are found among tasks of all sizes, and whether the monitor keeps quiet when nothing is wrong. */
export async function measureAnomalies(): Promise<Figure[]> {
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seededRandom(`anomalies/${seed}`));
  const waves = seeds.map(drawWave);
  const methods: { name: string; find: Find; isPeer: boolean }[] = [
    { name: 'Buddy', find: findWithBuddy, isPeer: false },
    { name: 'modified z > 3.5 of the duration', find: findByDuration, isPeer: true },
  ];
  return [
    ...methods.flatMap(({ name, find, isPeer }) => qualityOf(name, isPeer, waves, find)),
    ...soundOfSilence(),
  ];
}

interface Wave {
  samples: LatencySample[];
  slowIds: ReadonlySet<string>;
}
type Find = (wave: Wave) => readonly string[];

function qualityOf(name: string, isPeer: boolean, waves: readonly Wave[], find: Find): Figure[] {
  const perSeed = waves.map((wave) => {
    const found = find(wave);
    const right = found.filter((taskId) => wave.slowIds.has(taskId)).length;
    return { right, found: found.length, slow: wave.slowIds.size };
  });
  const total = (of: 'right' | 'found' | 'slow') =>
    perSeed.reduce((sum, seed) => sum + seed[of], 0);
  const precisions = perSeed.map(({ right, found }) => (found === 0 ? 1 : right / found));
  const recalls = perSeed.map(({ right, slow }) => right / slow);
  return [
    {
      name: `precision, ${name}`,
      unit: '',
      measured: total('right') / total('found'),
      range: summary(precisions).range,
      ...(isPeer ? { isPeer } : { target: { is: 'at least', value: 0.97 } }),
    },
    {
      name: `recall, ${name}`,
      unit: '',
      measured: total('right') / total('slow'),
      range: summary(recalls).range,
      ...(isPeer ? { isPeer } : { target: { is: 'at least', value: 0.95 } }),
    },
  ];
}

function drawWave(random: Random): Wave {
  const slowIds = new Set<string>();
  const samples = Array.from({ length: TASKS }, (_, at): LatencySample => {
    const taskId = `t-${at}`;
    const agent = Math.floor(random() * SPEEDS.length);
    const workMs = pick(TYPICAL_MS, random) * lognormal(random, 0.5);
    const isSlow = random() < SLOW_SHARE;
    if (isSlow) slowIds.add(taskId);
    return {
      taskId,
      agentId: `agent_${agent}`,
      predictedDurationMs: workMs * lognormal(random, 0.35),
      attemptMs: (workMs * (isSlow ? SLOWDOWN : 1)) / (SPEEDS[agent] ?? 1),
    };
  });
  return { samples, slowIds };
}

function findWithBuddy({ samples }: Wave): string[] {
  return findLatencyOutliers(samples).outliers.map(({ taskId }) => taskId);
}

/** Without predictions: Iglewicz & Hoaglin 1993 as it is, 0.6745 (x - median) / MAD, above only. */
function findByDuration({ samples }: Wave): string[] {
  const middle = median(samples.map(({ attemptMs }) => attemptMs));
  const mad = median(samples.map(({ attemptMs }) => Math.abs(attemptMs - middle)));
  return samples
    .filter(({ attemptMs }) => (0.6745 * (attemptMs - middle)) / mad > 3.5)
    .map(({ taskId }) => taskId);
}

/** Runs in which everything goes as predicted, up to chance. */
function soundOfSilence(): Figure[] {
  const runs = Array.from({ length: SEEDS }, (_, seed) =>
    runCleanWaves(seededRandom(`clean/${seed}`)),
  );
  const tasks = CLEAN_WAVES * TASKS;
  const perThousand = (severity: Anomaly['severity']) =>
    runs.map(
      (found) => (found.filter((anomaly) => anomaly.severity === severity).length * 1000) / tasks,
    );
  const criticals = perThousand('critical');
  const warnings = perThousand('warning');
  return [
    {
      name: `false criticals per 1000 clean tasks, createMonitor, ${CLEAN_WAVES} waves a seed`,
      unit: '',
      measured: mean(criticals),
      range: summary(criticals).range,
      target: { is: 'at most', value: 1 },
    },
    {
      name: 'false warnings per 1000 clean tasks, the same',
      unit: '',
      measured: mean(warnings),
      range: summary(warnings).range,
    },
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function runCleanWaves(random: Random): Anomaly[] {
  const monitor = createMonitor({}, { random: random.child('monitor') });
  return Array.from({ length: CLEAN_WAVES }, (_, at) =>
    runCleanWave(monitor, at + 1, random),
  ).flat();
}

/** The tasks go to whoever is free first, so that the load is balanced, as a queue with stealing would have it. */
function runCleanWave(monitor: Monitor, wave: number, random: Random): readonly Anomaly[] {
  const startedAt = Date.UTC(2026, 0, wave);
  const taskIds = Array.from({ length: TASKS }, (_, at) => `w${wave}-${at}`);
  const plan = planOf(wave, taskIds);
  monitor.startWave(plan, startedAt);
  const freeAt = SPEEDS.map(() => startedAt);
  for (const taskId of taskIds) {
    const next = freeAt.indexOf(Math.min(...freeAt));
    const begin = freeAt[next] ?? startedAt;
    const workMs = pick(TYPICAL_MS, random) * lognormal(random, 0.5);
    const attemptMs = workMs / (SPEEDS[next] ?? 1);
    const endedAt = begin + attemptMs;
    freeAt[next] = endedAt;
    const probability = 1 / (1 + Math.exp(-1.6 - gaussian(random)));
    const isSuccess = random() < probability;
    const agentId = `agent_${next}`;
    const action = 'crm.contacts.upsert';
    const failure = isSuccess
      ? null
      : {
          name: 'Error',
          message: 'it failed',
          code: 'FAILED',
          retryable: false,
          effect: 'none' as const,
        };
    monitor.observeAttempt({
      taskId,
      wave,
      agentId,
      action,
      attempt: 1,
      status: isSuccess ? 'succeeded' : 'failed',
      startedAt: begin,
      endedAt,
      failure,
      backoffMs: null,
    });
    monitor.observe({
      taskId,
      wave,
      action,
      priority: 0,
      status: isSuccess ? 'completed' : 'failed',
      agentId,
      plannedAgentId: agentId,
      isControl: false,
      heuristics: [],
      successProbability: probability,
      calibratedProbability: probability,
      predictedDurationMs: workMs * lognormal(random, 0.35),
      queuedAt: startedAt,
      startedAt: begin,
      endedAt,
      attemptMs,
      timedOutMs: 0,
      attempts: 1,
      isHealed: false,
      failure,
    });
    monitor.tick(endedAt);
  }
  const record = { wave, startedAt, endedAt: Math.max(...freeAt), plan, steals: 0 };
  return monitor.closeWave(record).anomalies;
}

function planOf(wave: number, taskIds: readonly string[]): Plan {
  return {
    wave,
    strategy: 'load_balanced',
    agents: SPEEDS.map((speed, at) => ({
      agentId: `agent_${at}`,
      capacity: 1,
      speed,
      taskIds: taskIds.filter((_, task) => task % SPEEDS.length === at),
      loadMs: 0,
    })),
    controlTaskIds: [],
    makespanMs: 100_000,
    lowerBoundMs: 100_000,
    ratio: 1,
    loadBalanceScore: 1,
    baselineRoundRobinMs: 100_000,
    guarantee: null,
  };
}

function pick(values: readonly number[], random: Random): number {
  return values[Math.floor(random() * values.length)] ?? 0;
}
