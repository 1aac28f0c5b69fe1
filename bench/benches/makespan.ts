import { z } from 'zod';
import {
  createHarness,
  createWorkQueue,
  makePlan,
  NOTHING_LEARNT,
  type Learning,
  type Outcome,
  type Plan,
  type Strategy,
  type WorkQueue,
} from '../../packages/agents/src/index.ts';
import {
  defineTool,
  ManualClock,
  quantile,
  type Random,
  seededRandom,
} from '../../packages/core/src/index.ts';
import { lognormal } from '../measure/draws.ts';
import type { Figure } from '../measure/figure.ts';

const SPEEDS: ReadonlyMap<string, number> = new Map([
  ['agent_0', 1.25],
  ['agent_1', 1],
  ['agent_2', 0.8],
  ['agent_3', 0.5],
]);
const SMALL = { tasks: 48, seeds: 200 };
const LARGE = { tasks: 1000, seeds: 40 };
const LEARNING_WAVES = 6;
const LEARNING_SEEDS = 60;

/** How close to the best possible end a wave comes when neither durations nor, at first, speeds are known for sure. */
export async function measureMakespan(): Promise<Figure[]> {
  const settings: { name: string; strategy: Strategy; size: typeof SMALL }[] = [
    { name: 'Buddy load_balanced, speeds known', strategy: 'load_balanced', size: SMALL },
    { name: 'Buddy load_balanced, speeds known', strategy: 'load_balanced', size: LARGE },
    { name: 'round-robin, as the original system dealt', strategy: 'round_robin', size: SMALL },
    { name: 'round-robin, as the original system dealt', strategy: 'round_robin', size: LARGE },
  ];
  const figures: Figure[] = [];
  for (const { name, strategy, size } of settings) {
    const ratios: number[] = [];
    for (let seed = 0; seed < size.seeds; seed += 1) {
      const jobs = drawJobs(seededRandom(`makespan/${size.tasks}/${seed}`), size.tasks);
      const makespanMs = await runPlanned(jobs, strategy, seed);
      ratios.push(makespanMs / trueLowerBound(jobs));
    }
    const label = `${name}, ${size.tasks} tasks, ${size.seeds} seeds`;
    figures.push(
      ...ratioFigures(
        label,
        ratios,
        strategy === 'round_robin' ? 'peer' : size === SMALL ? 'promised' : 'shown',
      ),
    );
  }
  const learnt: number[] = [];
  for (let seed = 0; seed < LEARNING_SEEDS; seed += 1) learnt.push(await runLearning(seed));
  const label = `Buddy, whole harness, wave ${LEARNING_WAVES} of ${SMALL.tasks} tasks, speeds learnt, ${LEARNING_SEEDS} seeds`;
  return [...figures, ...ratioFigures(label, learnt, 'shown')];
}

function ratioFigures(
  label: string,
  ratios: readonly number[],
  role: 'promised' | 'shown' | 'peer',
): Figure[] {
  const range = [Math.min(...ratios), Math.max(...ratios)] as const;
  const figure = (name: string, q: number, atMost: number): Figure => ({
    name: `${label}: ${name}`,
    unit: '',
    measured: quantile(ratios, q),
    range,
    ...(role === 'promised' && { target: { is: 'at most', value: atMost } }),
    ...(role === 'peer' && { isPeer: true }),
  });
  return [figure('median', 0.5, 1.03), figure('p95', 0.95, 1.08)];
}

interface Job {
  taskId: string;
  /** For an agent of speed 1. */
  trueMs: number;
  estimatedMs: number;
}

function drawJobs(random: Random, count: number, prefix = 'task'): Job[] {
  return Array.from({ length: count }, (_, at) => {
    const trueMs = 1_000 * lognormal(random, 0.5);
    return { taskId: `${prefix}-${at}`, trueMs, estimatedMs: trueMs * lognormal(random, 0.35) };
  });
}

/** By the true durations and speeds; worked out here, not by what is measured. */
function trueLowerBound(jobs: readonly Job[]): number {
  const speeds = [...SPEEDS.values()];
  const workMs = jobs.reduce((sum, { trueMs }) => sum + trueMs, 0);
  const speed = speeds.reduce((sum, one) => sum + one, 0);
  return Math.max(
    workMs / speed,
    Math.max(...jobs.map(({ trueMs }) => trueMs)) / Math.max(...speeds),
  );
}

const KNOWN_SPEEDS: Learning = { ...NOTHING_LEARNT, speed: (agentId) => SPEEDS.get(agentId) ?? 1 };

/** Buddy's plan and queue, with agents that only sleep. */
async function runPlanned(jobs: readonly Job[], strategy: Strategy, seed: number): Promise<number> {
  const clock = new ManualClock();
  const startedAt = clock.now();
  const trueMs = new Map(jobs.map((job) => [job.taskId, job.trueMs]));
  const plan = planOf(jobs, strategy, seed);
  const queue = queueOf(jobs, plan, clock);
  await clock.run(() =>
    Promise.all(
      [...SPEEDS].map(async ([agentId, speed]) => {
        for (;;) {
          const claim = await queue.claim(agentId);
          if (claim.kind !== 'work') return;
          const { taskId } = claim.work;
          await clock.sleep((trueMs.get(taskId) ?? 0) / speed);
          trueMs.delete(taskId);
          queue.settle(taskId, 'completed');
        }
      }),
    ),
  );
  if (trueMs.size > 0) throw new Error(`${trueMs.size} of ${jobs.length} tasks were left undone`);
  return clock.now() - startedAt;
}

function planOf(jobs: readonly Job[], strategy: Strategy, seed: number): Plan {
  return makePlan({
    wave: 1,
    tasks: jobs.map(({ taskId, estimatedMs }) => ({
      taskId,
      action: ACTION,
      durationMs: estimatedMs,
      priority: 0,
      confidence: 0.5,
      calibratedProbability: 0.9,
      dependsOn: [],
    })),
    agents: [...SPEEDS.keys()].map((agentId) => ({
      agentId,
      capacity: 1,
      speed: KNOWN_SPEEDS.speed(agentId),
    })),
    strategy,
    learning: KNOWN_SPEEDS,
    controlShare: 0.05, // the harness's default
    seed,
  });
}

function queueOf(jobs: readonly Job[], plan: Plan, clock: ManualClock): WorkQueue {
  const agentOf = new Map(
    plan.agents.flatMap(({ agentId, taskIds }) => taskIds.map((id) => [id, agentId] as const)),
  );
  const controls = new Set(plan.controlTaskIds);
  return createWorkQueue({
    plan,
    earlier: new Map(),
    now: () => clock.now(),
    tasks: jobs.map(({ taskId, estimatedMs }) => ({
      dependsOn: [],
      impossible: undefined,
      work: {
        taskId,
        wave: 1,
        action: ACTION,
        input: null,
        priority: 0,
        effect: 'pure',
        canReconcile: false,
        plannedAgentId: agentOf.get(taskId) ?? null,
        isControl: controls.has(taskId),
        heuristics: [],
        successProbability: 0.9,
        calibratedProbability: 0.9,
        predictedDurationMs: estimatedMs,
        queuedAt: clock.now(),
      },
    })),
  });
}

const ACTION = 'bench.work.do';

/** A whole run that starts with no idea of the agents' speeds; the ratio of its last wave. */
async function runLearning(seed: number): Promise<number> {
  const random = seededRandom(`makespan/learning/${seed}`);
  const waves = Array.from({ length: LEARNING_WAVES }, (_, at) =>
    drawJobs(random, SMALL.tasks, `wave-${at + 1}`),
  );
  const trueMs = new Map(waves.flat().map((job) => [job.taskId, job.trueMs]));
  const clock = new ManualClock();
  const work = defineTool({
    name: ACTION,
    description: 'Takes as long as the task is large and the agent is slow',
    tier: 1,
    effect: 'pure',
    input: z.unknown(),
    output: z.null(),
    execute: async (_input, { taskId = '', actor, signal }) => {
      await clock.sleep((trueMs.get(taskId) ?? 0) / (SPEEDS.get(actor.id) ?? 1), signal);
      return null;
    },
  });
  const agents = [...SPEEDS.keys()].map((id) => ({ id, capacity: 1 }));
  const harness = createHarness({ agents, seed }, { tools: [work], clock });
  const outcomes: Outcome[] = [];
  harness.events.on('taskSettled', ({ outcome }) => outcomes.push(outcome));
  await clock.run(async () => {
    await harness.load({ tasks: linesOf(waves) });
    await harness.run();
    await harness.close();
  });
  const last = outcomes.filter(({ wave }) => wave === LEARNING_WAVES);
  const startedAt = Math.min(...last.map(({ queuedAt }) => queuedAt));
  const endedAt = Math.max(...last.map((outcome) => outcome.endedAt ?? 0));
  return (endedAt - startedAt) / trueLowerBound(waves.at(-1) ?? []);
}

function linesOf(waves: readonly (readonly Job[])[]): string[] {
  return waves.flatMap((jobs, at) =>
    jobs.map(({ taskId, estimatedMs }) => {
      const line = {
        task_id: taskId,
        wave: at + 1,
        action: ACTION,
        predicted_success_probability: 0.9,
      };
      return `${JSON.stringify({ ...line, predicted_execution_time: estimatedMs / 1000 })}\n`;
    }),
  );
}
