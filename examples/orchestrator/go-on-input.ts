import { join } from 'node:path';
import { PredictionRecord } from '@buddy/agents';
import { readJsonLines, stringifyJsonLine } from '@buddy/core';
import { GoOnError, type WaitingTask } from './saved-run.ts';

/** What can go on of what waits. */
export interface GoOnInput {
  /** Of `predicted_tasks.jsonl`, for the tasks that go on. */
  lines: readonly string[];
  /** The agents that asked for approval, by task. */
  askedBy: ReadonlyMap<string, string>;
  /** Those of which nobody knows whether their call has happened, and those that depend on them: they stay as they are. */
  left: readonly WaitingTask[];
}

interface Task {
  dependsOn: readonly string[];
  line: object;
}

/**
 * Takes from the run's input what it left waiting. What a task depended on and does not wait was completed, or the task
 * would have been skipped.
 * @throws {GoOnError} When the input does not have the tasks any more.
 */
export async function goOnInput(
  input: string,
  waiting: readonly WaitingTask[],
): Promise<GoOnInput> {
  const tasks = await tasksOf(input, new Set(waiting.map(({ taskId }) => taskId)));
  const missing = waiting.filter(({ taskId }) => !tasks.has(taskId));
  if (missing.length > 0) {
    throw new GoOnError(
      `${input} has changed: ${missing.length} of the tasks that wait are not in it any more, such as ${missing[0]?.taskId}`,
    );
  }
  const stuck = new Set(idsOf(waiting, 'indeterminate'));
  const dependents = idsOf(waiting, 'dependency');
  const isStuck = (id: string) => tasks.get(id)?.dependsOn.some((needed) => stuck.has(needed));
  for (let found = dependents; found.length > 0;) {
    found = dependents.filter((id) => !stuck.has(id) && isStuck(id));
    for (const id of found) stuck.add(id);
  }
  const lines = [...tasks].flatMap(([id, { line, dependsOn }]) =>
    stuck.has(id)
      ? []
      : [
          stringifyJsonLine({
            ...line,
            depends_on: dependsOn.filter((needed) => tasks.has(needed)),
          }),
        ],
  );
  const askedBy = new Map(
    waiting.flatMap(({ taskId, agentId }) =>
      agentId === null ? [] : [[taskId, agentId] as const],
    ),
  );
  return { lines, askedBy, left: waiting.filter(({ taskId }) => stuck.has(taskId)) };
}

function idsOf(waiting: readonly WaitingTask[], which: WaitingTask['why']): string[] {
  return waiting.filter(({ why }) => why === which).map(({ taskId }) => taskId);
}

/** The first good line of each, as the run read it. */
async function tasksOf(input: string, ids: ReadonlySet<string>): Promise<Map<string, Task>> {
  const tasks = new Map<string, Task>();
  for await (const read of readJsonLines(join(input, 'predicted_tasks.jsonl'))) {
    if (read.kind === 'problem') continue; // the run has told of it
    const { data } = PredictionRecord.safeParse(read.value);
    if (!data || !ids.has(data.taskId) || tasks.has(data.taskId)) continue;
    tasks.set(data.taskId, { dependsOn: data.dependsOn, line: Object(read.value) });
  }
  return tasks;
}
