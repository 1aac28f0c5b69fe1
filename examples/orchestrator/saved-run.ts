import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BuddyError,
  describeFailure,
  readJsonLines,
  stringifyJsonLine,
  writeFileAtomic,
} from '@buddy/core';
import { z } from 'zod';
import {
  type Arguments,
  CLOCKS,
  FASTEST,
  MOST_AGENTS,
  SELDOMEST,
  STRATEGIES,
} from './arguments.ts';
import { LOG_FILE, POLICY_FILE } from './gate.ts';
import type { CheckedPolicy } from './policy.ts';

/** What a run leaves in its folder `state`, so that another process can go on with it. */
const ARGUMENTS_FILE = 'arguments.json';
const WAITING_FILE = 'waiting.jsonl';

const SavedArguments = z.strictObject({
  version: z.literal(1),
  /** Absolute. */
  input: z.string(),
  seed: z.int().nonnegative(),
  agents: z.int().positive().max(MOST_AGENTS),
  strategy: z.enum(STRATEGIES),
  waves: z.strictObject({ from: z.int(), to: z.int() }).optional(),
  clock: z.enum(CLOCKS),
  speed: z.int().min(1).max(FASTEST).default(1),
  wire: z.boolean().default(false),
  faults: z.boolean().default(false),
  /** Seconds. */
  fault_every: z.int().min(0).max(SELDOMEST).default(10),
});
export type SavedArguments = Pick<
  Arguments,
  'input' | 'seed' | 'agents' | 'strategy' | 'clock' | 'speed' | 'wire' | 'faults' | 'faultEvery'
> & { waves?: Arguments['waves'] };

/** A task that waits, and for what: an approval, to be told what became of a lost call, or another task that waits. */
export interface WaitingTask {
  taskId: string;
  why: 'approval' | 'indeterminate' | 'dependency';
  /** Who asked; null when nobody took it up. */
  agentId: string | null;
  approvalId: string | null;
}

const WaitingRecord = z.codec(
  z.strictObject({
    task_id: z.string(),
    why: z.enum(['approval', 'indeterminate', 'dependency']),
    agent_id: z.string().nullable(),
    approval_id: z.string().nullable(),
  }),
  z.custom<WaitingTask>(),
  {
    decode: ({ task_id: taskId, why, agent_id: agentId, approval_id: approvalId }) => ({
      taskId,
      why,
      agentId,
      approvalId,
    }),
    encode: ({ taskId, why, agentId, approvalId }) => ({
      task_id: taskId,
      why,
      agent_id: agentId,
      approval_id: approvalId,
    }),
  },
);

/** The folder is no run, or nothing of it can go on. */
export class GoOnError extends BuddyError {
  readonly code = 'EXAMPLES_GO_ON';
}

export function stateFolderOf(run: string): string {
  return join(run, 'state');
}

/** What a run on the real clock remembers by. */
export function journalOf(run: string): string {
  return join(stateFolderOf(run), 'journal.db');
}

/** How often the run was interrupted and gone on with. */
export async function resumptions(run: string): Promise<number> {
  const names = await readdir(stateFolderOf(run));
  return names.filter((name) => name.startsWith('interrupted-')).length;
}

/** Takes what an interrupted run wrote out of the way, for it is written anew: into `state/interrupted-N`. */
export async function setPhasesAside(run: string): Promise<void> {
  const aside = join(stateFolderOf(run), `interrupted-${(await resumptions(run)) + 1}`);
  await mkdir(aside);
  for (const name of await readdir(run)) {
    if (name.startsWith('phase')) await rename(join(run, name), join(aside, name));
  }
}

/** Before the run begins: what it was told to do, and a policy of its own that nobody else's edits reach. */
export async function saveArguments(
  run: string,
  { input, seed, agents, strategy, waves, clock, speed, wire, faults, faultEvery }: SavedArguments,
  { text }: Pick<CheckedPolicy, 'text'>,
): Promise<void> {
  const state = stateFolderOf(run);
  await mkdir(state, { recursive: true });
  const saved: z.output<typeof SavedArguments> = {
    version: 1,
    input,
    seed,
    agents,
    strategy,
    waves,
    clock,
    speed,
    wire,
    faults,
    fault_every: faultEvery,
  };
  await writeFileAtomic(join(state, POLICY_FILE), text);
  await writeFileAtomic(join(state, ARGUMENTS_FILE), `${JSON.stringify(saved, null, 2)}\n`);
}

/** @throws {GoOnError} When there is no run in the folder, or its log is gone: a new one would know of no approval. */
export async function savedArguments(run: string): Promise<SavedArguments> {
  const path = join(stateFolderOf(run), ARGUMENTS_FILE);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const message = `--go-on takes the folder of a run, such as out/run-1; ${run} holds no state/${ARGUMENTS_FILE} that can be read`;
    throw new GoOnError(message, { cause: error });
  });
  await access(join(stateFolderOf(run), LOG_FILE)).catch((error: unknown) => {
    const message = `${run} has lost its log, state/${LOG_FILE}, and with it what people approved`;
    throw new GoOnError(message, { cause: error });
  });
  try {
    const { fault_every: faultEvery, ...saved } = SavedArguments.parse(JSON.parse(text));
    return { ...saved, faultEvery };
  } catch (error) {
    throw new GoOnError(`${path} was not written by start: ${describeFailure(error).message}`, {
      cause: error,
    });
  }
}

/** At the end of a run, or of going on; not when it was interrupted, for what it was about is not known. */
export async function saveWaiting(folder: string, tasks: readonly WaitingTask[]): Promise<void> {
  const state = stateFolderOf(folder);
  await mkdir(state, { recursive: true });
  const lines = tasks.map((task) => stringifyJsonLine(WaitingRecord.encode(task)));
  await writeFileAtomic(join(state, WAITING_FILE), lines.join(''));
}

/**
 * What a run left waiting, when it ended or when last somebody went on with it. Where that was interrupted, what it did
 * is done again: a call that needed approval has used it up, and asks anew.
 * @throws {GoOnError} When the run itself was interrupted.
 */
export async function waitingOf(run: string): Promise<readonly WaitingTask[]> {
  const folders = [...(await goOnFolders(run)).toReversed().map((name) => join(run, name)), run];
  for (const folder of folders) {
    const tasks = await waitingIn(folder);
    if (tasks) return tasks;
  }
  throw new GoOnError(
    `The run in ${run} did not come to its end, so there is nothing to go on with`,
  );
}

/** The folder for going on once more: `go-on-N`. Two processes never get the same. */
export async function nextGoOnFolder(run: string): Promise<{ name: string; folder: string }> {
  for (let number = 1 + (await goOnFolders(run)).length; ; number += 1) {
    const name = `go-on-${number}`;
    const folder = join(run, name);
    try {
      await mkdir(folder);
      return { name, folder };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

/** In the order in which they were made. */
async function goOnFolders(run: string): Promise<string[]> {
  const names = (await readdir(run)).filter((name) => numberOf(name) > 0);
  return names.toSorted((a, b) => numberOf(a) - numberOf(b));
}

/** 0 when it is none. */
function numberOf(name: string): number {
  return Number(/^go-on-([1-9]\d{0,8})$/u.exec(name)?.[1] ?? 0);
}

/** Undefined when there is no list. */
async function waitingIn(folder: string): Promise<WaitingTask[] | undefined> {
  const path = join(stateFolderOf(folder), WAITING_FILE);
  const tasks: WaitingTask[] = [];
  try {
    for await (const line of readJsonLines(path, { schema: WaitingRecord })) {
      if (line.kind === 'problem') throw new GoOnError(`${path}:${line.line}: ${line.message}`);
      tasks.push(line.value);
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return tasks;
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
