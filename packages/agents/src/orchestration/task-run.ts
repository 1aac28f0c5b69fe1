import type { Work } from '../task/work.ts';
import type { TaskPolicy } from './policy.ts';

/** A task in somebody's hands. */
export interface TaskRun {
  work: Work;
  agentId: string;
  policy: TaskPolicy;
  progress: Progress;
}

/** How far it has come. JSON: a task that waits takes it along. */
export interface Progress {
  /** The attempt that is next or under way, from 1. */
  attempt: number;
  /** Calls made; more than attempts, for one that needed approval is made again. */
  calls: number;
  /** Grows when a failure was definitive and the cause is mended: a new piece of work to the provider, a new key. */
  logicalAttempt: number;
  startedAt: number | null;
  timedOutMs: number;
  healing: 'untried' | 'failed' | 'healed';
}

export const NO_PROGRESS: Progress = {
  attempt: 1,
  calls: 0,
  logicalAttempt: 0,
  startedAt: null,
  timedOutMs: 0,
  healing: 'untried',
};

/** The progress of a task whose last try is over, and counts. */
export function nextTry(progress: Progress): Progress {
  return { ...progress, attempt: progress.attempt + 1 };
}

/** Names one call of the tool within its workflow. */
export function callKey({ taskId }: Work, { calls }: Progress): string {
  return `${taskId}/call/${calls}`;
}

/** The same words for every try that means the same effect. */
export function workKey(
  { runId }: TaskPolicy,
  { taskId }: Work,
  { logicalAttempt }: Progress,
): string {
  return `${runId}/${taskId}/${logicalAttempt}`;
}
