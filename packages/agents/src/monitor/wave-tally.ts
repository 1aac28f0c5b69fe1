import type { Plan } from '../plan/plan.ts';
import {
  type Attempt,
  isScored,
  isSuccess,
  type Outcome,
  type OutcomeStatus,
} from '../task/outcome.ts';
import type { LatencySample } from './detectors/latency-outliers.ts';

/**
 * What is remembered of an agent's tasks while their wave runs. A column holds one value per task: plain arrays of doubles
 * are as small as typed ones in V8, and grow by themselves.
 */
export interface AgentTally {
  /** Null for the tasks that nobody took. */
  agentId: string | null;
  /** 0 for an agent that the plan does not know. */
  capacity: number;
  speed: number;
  counts: Record<OutcomeStatus, number>;
  attempts: number;
  repeats: number;
  busyMs: number;
  timedOutMs: number;
  longestAttempt: { taskId: string; ms: number } | undefined;
  /** Of scored tasks. */
  durationsMs: number[];
  queuesMs: number[];
  /** The calibrated probabilities of the tasks that succeeded, and of those that did not. */
  succeeded: number[];
  failed: number[];
  /** Of completed tasks. */
  latencies: LatencySample[];
}

export interface WaveTally {
  readonly plan: Plan;
  addAttempt(attempt: Attempt): void;
  addOutcome(outcome: Outcome): void;
  /** In the order of their ids; who has nothing to show is there if the plan names it. */
  agents(): AgentTally[];
  /** Agents first, then the tasks that nobody took. */
  all(): AgentTally[];
  /** Scored tasks whose outcome was furthest from its probability, at most 10. */
  mostSurprising(): string[];
  /** Planned tasks that are neither settled nor waiting. */
  openTaskIds(): string[];
}

const MOST_SURPRISING_KEPT = 10;

export function createWaveTally(plan: Plan): WaveTally {
  const byAgent = new Map<string, AgentTally>();
  for (const { agentId, capacity, speed } of plan.agents) {
    byAgent.set(agentId, emptyTally(agentId, capacity, speed));
  }
  const unassigned = emptyTally(null, 0, 1);
  const planned = plan.agents.reduce((count, { taskIds }) => count + taskIds.length, 0);
  const settledIds: string[] = [];
  const waiting = new Map<string, AgentTally>();
  let surprises: { taskId: string; size: number }[] = [];

  function tallyOf(agentId: string | null): AgentTally {
    if (agentId === null) return unassigned;
    const known = byAgent.get(agentId);
    if (known) return known;
    const added = emptyTally(agentId, 0, 1);
    byAgent.set(agentId, added);
    return added;
  }

  function noteSurprise({ taskId, calibratedProbability }: Outcome, y: 0 | 1): void {
    const size = Math.abs(y - calibratedProbability);
    const least = surprises.at(-1);
    if (surprises.length === MOST_SURPRISING_KEPT && least && size <= least.size) return;
    surprises = [...surprises, { taskId, size }]
      .toSorted((a, b) => b.size - a.size)
      .slice(0, MOST_SURPRISING_KEPT);
  }

  function agents(): AgentTally[] {
    return [...byAgent.values()].toSorted((a, b) => compare(a.agentId ?? '', b.agentId ?? ''));
  }

  return {
    plan,
    addAttempt(attempt) {
      const tally = tallyOf(attempt.agentId);
      const ms = attempt.endedAt - attempt.startedAt;
      tally.busyMs += ms;
      if (ms > (tally.longestAttempt?.ms ?? 0)) {
        tally.longestAttempt = { taskId: attempt.taskId, ms };
      }
    },
    addOutcome(outcome) {
      const tally = tallyOf(outcome.agentId);
      moveWaiting(waiting, outcome, tally);
      if (outcome.status === 'waiting') return;

      settledIds.push(outcome.taskId);
      tally.counts[outcome.status] += 1;
      tally.attempts += outcome.attempts;
      tally.repeats += Math.max(0, outcome.attempts - 1);
      tally.timedOutMs += outcome.timedOutMs;
      if (!isScored(outcome)) return;

      addScored(tally, outcome);
      noteSurprise(outcome, isSuccess(outcome) ? 1 : 0);
    },
    agents,
    all: () => [...agents(), unassigned],
    mostSurprising: () => surprises.map(({ taskId }) => taskId),
    openTaskIds() {
      if (settledIds.length + waiting.size >= planned) return []; // often asked when nothing is open
      const settled = new Set(settledIds);
      return plan.agents
        .flatMap(({ taskIds }) => taskIds)
        .filter((taskId) => !settled.has(taskId) && !waiting.has(taskId));
    },
  };
}

/** A task that waits is counted under whoever has it, until it goes on. */
function moveWaiting(waiting: Map<string, AgentTally>, outcome: Outcome, tally: AgentTally): void {
  const before = waiting.get(outcome.taskId);
  if (before) before.counts.waiting -= 1;
  if (outcome.status === 'waiting') {
    tally.counts.waiting += 1;
    waiting.set(outcome.taskId, tally);
  } else {
    waiting.delete(outcome.taskId);
  }
}

function addScored(tally: AgentTally, outcome: Outcome): void {
  const { taskId, agentId, attemptMs, predictedDurationMs, queuedAt, startedAt, endedAt } = outcome;
  (isSuccess(outcome) ? tally.succeeded : tally.failed).push(outcome.calibratedProbability);
  if (startedAt !== null) tally.queuesMs.push(startedAt - queuedAt);
  if (startedAt !== null && endedAt !== null) tally.durationsMs.push(endedAt - startedAt);
  if (isSuccess(outcome) && agentId !== null) {
    tally.latencies.push({ taskId, agentId, attemptMs, predictedDurationMs });
  }
}

function emptyTally(agentId: string | null, capacity: number, speed: number): AgentTally {
  return {
    agentId,
    capacity,
    speed,
    counts: {
      completed: 0,
      failed: 0,
      timed_out: 0,
      denied: 0,
      cancelled: 0,
      skipped: 0,
      waiting: 0,
    },
    attempts: 0,
    repeats: 0,
    busyMs: 0,
    timedOutMs: 0,
    longestAttempt: undefined,
    durationsMs: [],
    queuesMs: [],
    succeeded: [],
    failed: [],
    latencies: [],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
