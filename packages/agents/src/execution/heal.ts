import type { FailureDescription } from '@buddy/core';

/** A task that failed for good, as told to a healer. */
export interface TaskFailure {
  runId: string;
  taskId: string;
  wave: number;
  action: string;
  agentId: string;
  attempts: number;
  failure: FailureDescription;
}

/**
 * Mends what made a task fail, and says whether it is worth one more try. Guardian is one.
 * @example
 * const heal: Heal = async ({ failure }) => ({ isHealed: failure.code === 'CRM_SESSION_EXPIRED' && (await crm.login()) });
 */
export type Heal = (
  failure: TaskFailure,
  options: { signal: AbortSignal },
) => Promise<{ isHealed: boolean }>;
