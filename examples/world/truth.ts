import { BuddyError, readJsonLines } from '@buddy/core';
import { z } from 'zod';
import type { AgentTraits } from './agents.ts';

/** What a task is really like: what the predictor could not see. */
export interface TaskTruth {
  taskId: string;
  /** In log-odds: how much harder than the usual task it is to get right. */
  difficulty: number;
  /** The line itself asks for something that cannot be done. */
  isBadInput: boolean;
  /** Thinking and typing of an agent of speed 1, in ms; the provider's latency comes on top. */
  workMs: number;
}

/** One line of `truth.jsonl`. */
export const TruthRecord = z.codec(
  z.strictObject({
    task_id: z.string(),
    difficulty: z.number(),
    is_bad_input: z.boolean(),
    /** Seconds. */
    work_time: z.number().nonnegative(),
  }),
  z.custom<TaskTruth>(),
  {
    decode: (line) => ({
      taskId: line.task_id,
      difficulty: line.difficulty,
      isBadInput: line.is_bad_input,
      workMs: line.work_time * 1000,
    }),
    encode: (truth) => ({
      task_id: truth.taskId,
      difficulty: truth.difficulty,
      is_bad_input: truth.isBadInput,
      work_time: truth.workMs / 1000,
    }),
  },
);

/** The log-odds that an agent of skill 0 gets a task of difficulty 0 right. */
const USUAL_LOG_ODDS = 2.1;

/** The probability that an agent gets a task right, before the providers have their say. */
export function careOf(
  { skill }: Pick<AgentTraits, 'skill'>,
  { difficulty }: Pick<TaskTruth, 'difficulty'>,
): number {
  return 1 / (1 + Math.exp(-(USUAL_LOG_ODDS + skill - difficulty)));
}

/** The truth of the shipped data is made together with the data; a bad line means that one of them was changed. */
class TruthUnreadableError extends BuddyError {
  readonly code = 'EXAMPLES_TRUTH_UNREADABLE';

  constructor(path: string, line: number, message: string) {
    super(`${path}:${line}: ${message}. Make it anew: pnpm example data/generate.ts`);
  }
}

/** Reads the side file that only the world may see. */
export async function loadTruth(path: string): Promise<ReadonlyMap<string, TaskTruth>> {
  const truth = new Map<string, TaskTruth>();
  for await (const line of readJsonLines(path, { schema: TruthRecord })) {
    if (line.kind === 'problem') throw new TruthUnreadableError(path, line.line, line.message);
    truth.set(line.value.taskId, line.value);
  }
  return truth;
}
