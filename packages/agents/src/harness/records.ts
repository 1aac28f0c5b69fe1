import { basename } from 'node:path';
import type { FailureDescription } from '@buddy/core';
import type { PlannedTask } from '../manager/agent-manager.ts';
import { UNASSIGNED } from '../manager/options.ts';
import type { Plan } from '../plan/plan.ts';
import type { LoadProblem } from '../prediction/load-problem.ts';
import type { Attempt, Outcome } from '../task/outcome.ts';
import type { HarnessOptions } from './options.ts';
import type { RunResult, RunStatus } from './run-result.ts';

/** What the files of a run hold: snake_case, ISO 8601 in UTC, durations in seconds where the original system had them. */

/** Of a wave, or of an agent in it; null: of the tasks that nobody was given. */
export function folderOf(wave: number, agentId?: string | null): string {
  return agentId === undefined
    ? `phase21/wave_${wave}`
    : `phase21/wave_${wave}/${agentId ?? UNASSIGNED}`;
}

export function planRecord(plan: Plan): object {
  return {
    wave: plan.wave,
    strategy: plan.strategy,
    makespan_ms: rounded(plan.makespanMs),
    lower_bound_ms: rounded(plan.lowerBoundMs),
    ratio: rounded(plan.ratio),
    load_balance_score: rounded(plan.loadBalanceScore),
    guarantee: plan.guarantee === null ? null : rounded(plan.guarantee),
    baseline_round_robin_ms: rounded(plan.baselineRoundRobinMs),
    control_task_ids: plan.controlTaskIds,
    agents: plan.agents.map((agent) => ({
      agent_id: agent.agentId,
      capacity: agent.capacity,
      speed: rounded(agent.speed),
      load_ms: rounded(agent.loadMs),
      task_ids: agent.taskIds,
    })),
  };
}

/** The ten fields of the original ExecutionTask, as planned. */
export function assignmentRecord(task: PlannedTask): object {
  return {
    task_id: task.taskId,
    agent_id: task.plannedAgentId,
    predicted_success_probability: task.successProbability,
    priority: task.priority,
    wave: task.wave,
    status: 'pending',
    start_time: null,
    end_time: null,
    actual_success: null,
    error_message: null,
    execution_time: null,
    action: task.action,
    predicted_execution_time: seconds(task.durationMs),
    is_control: task.isControl,
  };
}

/** The ten fields of the original ExecutionTask, as it came out, and what they leave unsaid. */
export function outcomeRecord(outcome: Outcome): object {
  const { startedAt, endedAt, queuedAt, failure } = outcome;
  return {
    task_id: outcome.taskId,
    agent_id: outcome.agentId,
    predicted_success_probability: outcome.successProbability,
    priority: outcome.priority,
    wave: outcome.wave,
    status: outcome.status,
    start_time: isoTime(startedAt),
    end_time: isoTime(endedAt),
    actual_success: ACTUAL_SUCCESS[outcome.status],
    error_message: failure?.message ?? null,
    execution_time: startedAt === null || endedAt === null ? null : seconds(endedAt - startedAt),
    action: outcome.action,
    planned_agent_id: outcome.plannedAgentId,
    is_control: outcome.isControl,
    attempts: outcome.attempts,
    attempt_time: seconds(outcome.attemptMs),
    queue_time: startedAt === null ? null : seconds(startedAt - queuedAt),
    calibrated_success_probability: rounded(outcome.calibratedProbability),
    predicted_execution_time: seconds(outcome.predictedDurationMs),
    is_healed: outcome.isHealed,
    error_code: failure?.code ?? null,
    heuristics: outcome.heuristics,
  };
}

const ACTUAL_SUCCESS: Record<Outcome['status'], boolean | null> = {
  completed: true,
  failed: false,
  timed_out: false,
  denied: null,
  cancelled: null,
  skipped: null,
  waiting: null,
};

export function attemptRecord(attempt: Attempt): object {
  return {
    task_id: attempt.taskId,
    attempt: attempt.attempt,
    agent_id: attempt.agentId,
    wave: attempt.wave,
    action: attempt.action,
    status: attempt.status,
    start_time: isoTime(attempt.startedAt),
    end_time: isoTime(attempt.endedAt),
    error_code: attempt.failure?.code ?? null,
    error_message: attempt.failure?.message ?? null,
    effect: attempt.failure?.effect ?? null,
    backoff_ms: attempt.backoffMs,
  };
}

/** The file by its name alone: where the folder stands is not the run's business, and differs between machines. */
export function problemRecord({ kind, file, line, taskId, path, message }: LoadProblem): object {
  return { kind, file: basename(file), line, task_id: taskId, path, message };
}

/** `running` in a file that nobody writes to any more: the process died. */
export type RecordedStatus = RunStatus | 'running' | 'failed';

/** `run.json`. While the run goes on, and when it failed, `result` is null. */
export function runRecord({
  runId,
  status,
  error,
  startedAt,
  waves,
  result,
  options,
}: {
  runId: string;
  status: RecordedStatus;
  /** Why it failed; null when it did not. */
  error: FailureDescription | null;
  startedAt: number;
  waves: readonly number[];
  result: RunResult | null;
  options: HarnessOptions;
}): object {
  return {
    run_id: runId,
    status,
    error: error && { code: error.code, message: error.message },
    started_at: isoTime(startedAt),
    ended_at: isoTime(result?.endedAt ?? null),
    strategy: options.strategy,
    seed: options.seed,
    max_attempts: options.maxAttempts,
    agents: options.agents.map(({ id, capacity }) => ({ agent_id: id, capacity })),
    waves,
    unfinished_waves: result?.unfinishedWaves ?? waves,
    tasks: result?.tasks ?? null,
    counts: result?.counts ?? null,
    load_problems: result?.problems ?? null,
    health: result ? { score: result.health.score, status: result.health.status } : null,
    waiting:
      result?.waiting.map(({ taskId, approvalId, why }) => ({
        task_id: taskId,
        approval_id: approvalId,
        why,
      })) ?? [],
  };
}

export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function seconds(ms: number): number {
  return rounded(ms / 1000);
}

/** Six decimals: more would be noise, and noise differs between machines. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** As whole files are written. */
export function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
