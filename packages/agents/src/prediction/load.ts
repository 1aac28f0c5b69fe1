import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonLinesSource, readJsonLines } from '@buddy/core';
import { z } from 'zod';
import { PredictionsUnreadableError } from '../errors.ts';
import { checkDependencies, type LinkedTask } from './dependencies.ts';
import type { LoadProblem, LoadProblemKind } from './load-problem.ts';
import { type Prediction, PredictionRecord } from './prediction.ts';

/** Where predictions come from: a folder with `predicted_tasks.jsonl`, or streams. */
export type PredictionSource = string | { tasks: JsonLinesSource; schedule?: JsonLinesSource };

export interface LoadedPredictions {
  taskCount: number;
  /** Tasks per wave, waves ascending, each in the order of the file. */
  waves: Map<number, Prediction[]>;
  problems: LoadProblem[];
  /** Why a task can never start, by its id. */
  impossible: Map<string, string>;
  /** The tasks that others depend on. */
  awaited: Set<string>;
}

const TASKS_FILE = 'predicted_tasks.jsonl';
const SCHEDULE_FILE = 'predicted_schedule.jsonl';

const ScheduleRecord = z.object({ wave: z.int().min(1), tasks_count: z.int().min(0) });

/**
 * Reads predictions, and reports each thing that is wrong with them.
 * @param options.defaultAction The tool for lines that name neither an action nor code; such a line is bad without it. A task
 * that gets it and has no input is given `{ taskId, successProbability }`.
 * @throws {PredictionsUnreadableError} When the folder does not hold `predicted_tasks.jsonl`.
 */
export async function loadPredictions(
  source: PredictionSource,
  { defaultAction }: { defaultAction?: string | undefined } = {},
): Promise<LoadedPredictions> {
  const { tasks, schedule } =
    typeof source === 'string' ? await filesIn(source) : { schedule: undefined, ...source };
  const reading = await readTasks(tasks, defaultAction);
  const { problems, impossible } = checkDependencies(reading.linked, reading.waveById);
  const waves = new Map([...reading.waves].toSorted(([a], [b]) => a - b));
  const scheduleProblems = schedule === undefined ? [] : await checkSchedule(schedule, waves);
  const awaited = new Set(reading.linked.flatMap(({ prediction }) => prediction.dependsOn));
  return {
    taskCount: reading.waveById.size,
    waves,
    problems: [...reading.problems, ...problems, ...scheduleProblems],
    impossible,
    awaited,
  };
}

async function filesIn(folder: string): Promise<{ tasks: string; schedule: string | undefined }> {
  const tasks = join(folder, TASKS_FILE);
  const schedule = join(folder, SCHEDULE_FILE);
  if (!(await exists(tasks))) {
    throw new PredictionsUnreadableError(
      `No predictions: ${tasks} does not exist or cannot be read. Name a folder that holds ${TASKS_FILE}.`,
    );
  }
  return { tasks, schedule: (await exists(schedule)) ? schedule : undefined };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

interface Reading {
  waves: Map<number, Prediction[]>;
  waveById: Map<string, number>;
  linked: LinkedTask[];
  problems: LoadProblem[];
}

async function readTasks(
  source: JsonLinesSource,
  defaultAction: string | undefined,
): Promise<Reading> {
  const file = typeof source === 'string' ? source : TASKS_FILE;
  const waves = new Map<number, Prediction[]>();
  const waveById = new Map<string, number>();
  const linked: LinkedTask[] = [];
  const problems: LoadProblem[] = [];
  for await (const read of readJsonLines(source, { file, schema: PredictionRecord })) {
    const { line } = read;
    if (read.kind === 'problem') {
      problems.push({
        kind: 'BAD_LINE',
        file,
        line,
        taskId: null,
        path: read.path ?? null,
        message: read.message,
      });
      continue;
    }
    const prediction = read.value;
    const { taskId, wave } = prediction;
    if (prediction.action === undefined) {
      if (defaultAction === undefined) {
        const message = `Task ${taskId} names neither an action nor code, and there is no default action`;
        problems.push({ kind: 'BAD_LINE', file, line, taskId, path: 'action', message });
        continue;
      }
      prediction.action = defaultAction;
      prediction.input ??= { taskId, successProbability: prediction.successProbability };
    }
    if (waveById.has(taskId)) {
      const message = `Task ${taskId} is there already; this line was passed over`;
      problems.push({ kind: 'DUPLICATE_ID', file, line, taskId, path: 'task_id', message });
      continue;
    }
    waveById.set(taskId, wave);
    if (prediction.dependsOn.length > 0) linked.push({ prediction, file, line });
    const tasks = waves.get(wave);
    if (tasks) tasks.push(prediction);
    else waves.set(wave, [prediction]);
  }
  return { waves, waveById, linked, problems };
}

async function checkSchedule(
  source: JsonLinesSource,
  waves: ReadonlyMap<number, readonly Prediction[]>,
): Promise<LoadProblem[]> {
  const file = typeof source === 'string' ? source : SCHEDULE_FILE;
  const problems: LoadProblem[] = [];
  const scheduled = new Set<number>();
  const warn = (kind: LoadProblemKind, line: number, path: string | null, message: string) =>
    problems.push({ kind, file, line, taskId: null, path, message });
  for await (const read of readJsonLines(source, { file, schema: ScheduleRecord })) {
    if (read.kind === 'problem') {
      warn('BAD_SCHEDULE_LINE', read.line, read.path ?? null, read.message);
      continue;
    }
    const { wave, tasks_count: expected } = read.value;
    scheduled.add(wave);
    const found = waves.get(wave)?.length ?? 0;
    if (found !== expected) {
      const message = `Wave ${wave} should have ${expected} tasks and has ${found}`;
      warn('SCHEDULE_MISMATCH', read.line, 'tasks_count', message);
    }
  }
  for (const [wave, tasks] of waves) {
    if (scheduled.has(wave)) continue;
    warn(
      'SCHEDULE_MISMATCH',
      0,
      null,
      `Wave ${wave} has ${tasks.length} tasks and is not scheduled`,
    );
  }
  return problems;
}
