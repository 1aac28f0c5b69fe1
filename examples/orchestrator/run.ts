import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createAgentManager, nextRunFolder, openJournal, prepareOutputFolder } from '@buddy/agents';
import { BuddyError, ManualClock } from '@buddy/core';
import { builtinPlaybooks } from '@buddy/guardian';
import { withGuardianRules } from '../healing/guarded-policy.ts';
import { DEFAULT_ACTION } from '../world/tools.ts';
import { type Arguments, type GoOnArguments, UsageError } from './arguments.ts';
import { requireDevelopment } from './gate.ts';
import { goOnInput } from './go-on-input.ts';
import { openJob, runJob, type RunReport, truthPath } from './job.ts';
import { checkedPolicy } from './policy.ts';
import type { ProgressTarget } from './progress.ts';
import {
  GoOnError,
  journalOf,
  nextGoOnFolder,
  resumptions,
  saveArguments,
  savedArguments,
  setPhasesAside,
  waitingOf,
} from './saved-run.ts';

export interface Surroundings extends ProgressTarget {
  /** Where `out/run-N` goes. */
  folder: string;
  signal: AbortSignal;
}

/**
 * The main job: predictions in, waves of tasks over all agents, files out. What the policy wants a person for waits.
 * @throws {PolicyNotLoadedError} When the policy has problems; like all that is wrong with the input, before anything is written.
 */
export async function runOrchestrator(
  options: Arguments,
  surroundings: Surroundings,
): Promise<RunReport> {
  const { environment } = surroundings;
  const own = await checkedPolicy(options.policy);
  const policy = options.faults ? withGuardianRules(own, builtinPlaybooks) : own;
  if (options.approveAll) requireDevelopment(environment);
  const setting = await openJob(options, environment);
  await requireTasks(options);
  const folder = await outputFolder(options, surroundings.folder);
  // Not before the input has proved to be there.
  if (options.force) await replaceFolder(folder, options, surroundings);
  await saveArguments(folder, options, policy);
  const { seed, agents, strategy, waves, approveAll, input: source } = options;
  const { clock } = setting;
  // A run that costs no time is sooner begun anew than remembered.
  const isRemembered = !(clock instanceof ManualClock);
  return runJob(
    {
      seed,
      agents,
      strategy,
      waves,
      approveAll,
      source,
      folder,
      runFolder: folder,
      part: '',
      askedBy: new Map(),
      store: isRemembered ? openJournal({ file: journalOf(folder) }, { clock }) : undefined,
      isResumed: false,
      left: [],
      notes: [],
    },
    setting,
    surroundings,
  );
}

/**
 * Goes on with a run that was killed, or that waits, from its journal: nothing that is in there is done again.
 * @throws {ResumeError} When the run kept no journal. @throws {JournalOpenError} While another process works on it.
 */
export async function resume(
  { run, approveAll }: GoOnArguments,
  surroundings: Surroundings,
): Promise<RunReport> {
  const { environment } = surroundings;
  const saved = await savedArguments(run);
  const { seed, agents, strategy, waves, input, wire } = saved;
  if (approveAll) requireDevelopment(environment);
  const file = journalOf(run);
  await access(file).catch((error: unknown) => {
    const message = `The run in ${run} kept no journal to go on from; only runs on the real clock do. Begin it anew`;
    throw new ResumeError(message, { cause: error });
  });
  const setting = await openJob(saved, environment);
  // Before anything is touched: it proves that nobody else works on the run.
  const store = openJournal({ file }, { clock: setting.clock });
  await setPhasesAside(run);
  return runJob(
    {
      seed,
      agents,
      strategy,
      waves,
      approveAll,
      source: input,
      folder: run,
      runFolder: run,
      part: `-resumed-${await resumptions(run)}`,
      askedBy: new Map(),
      store,
      isResumed: true,
      left: [],
      notes: [
        'This run was interrupted and gone on with. What programs and the gate did is counted from there on.',
        ...(wire ? ['Its mock servers began anew, and know nothing of what was done before.'] : []),
      ],
    },
    setting,
    surroundings,
  );
}

class ResumeError extends BuddyError {
  readonly code = 'EXAMPLES_RESUME';
}

/**
 * Goes on with what a run left waiting: its tasks, under its policy, at its gate and with its keys, so that what people
 * have approved since goes through.
 * @throws {GoOnError} When there is nothing to go on with.
 */
export async function goOn(
  { run, approveAll }: GoOnArguments,
  surroundings: Surroundings,
): Promise<RunReport> {
  const { environment } = surroundings;
  const saved = { ...(await savedArguments(run)), faults: false };
  if (approveAll) requireDevelopment(environment);
  const { lines, askedBy, left } = await goOnInput(saved.input, await waitingOf(run));
  if (lines.length === 0) throw new GoOnError(`Nothing in ${run} waits for approval`);
  const setting = await openJob(saved, environment);
  const { name, folder } = await nextGoOnFolder(run);
  const { seed, agents, strategy } = saved;
  return runJob(
    {
      seed,
      agents,
      strategy,
      waves: undefined,
      approveAll,
      source: { tasks: lines },
      folder,
      runFolder: run,
      part: `-${name}`,
      askedBy,
      store: undefined,
      isResumed: false,
      left,
      notes: ['This goes on with what a run left waiting. Its mock providers began anew.'],
    },
    setting,
    surroundings,
  );
}

/** Before a folder is made for a run that cannot be. */
async function requireInput(folder: string): Promise<void> {
  const path = join(folder, 'predicted_tasks.jsonl');
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const message = `--input ${folder} holds no predicted_tasks.jsonl that can be read`;
    throw new InputMissingError(message, { cause: error });
  }
}

class InputMissingError extends BuddyError {
  readonly code = 'EXAMPLES_INPUT_MISSING';
}

/**
 * Reads the input once before anything is written: a run that cannot be leaves nothing behind.
 * @throws {InputMissingError} When it holds no task. @throws {UsageError} When it has no such wave.
 */
async function requireTasks({ waves, input }: Arguments): Promise<void> {
  await requireInput(input);
  const loaded = await createAgentManager({ defaultAction: DEFAULT_ACTION }).load(input);
  if (loaded.taskCount === 0) {
    throw new InputMissingError(`--input ${input} needs at least one good line, and has none`);
  }
  if (!waves || loaded.waves.some((wave) => wave >= waves.from && wave <= waves.to)) return;
  const known = loaded.waves.join(', ');
  throw new UsageError(
    `--waves ${waves.from}-${waves.to} names no wave of ${input}; there are ${known}`,
  );
}

/** With `--force`, what is in the folder stays until the run begins. */
async function outputFolder({ out, force }: Arguments, folder: string): Promise<string> {
  if (out === undefined) return nextRunFolder(join(folder, 'out'));
  if (!force) await prepareOutputFolder(out);
  return out;
}

/** Never the input, nor the folder somebody works in. */
function replaceFolder(
  folder: string,
  { input }: Arguments,
  surroundings: Surroundings,
): Promise<void> {
  const keep = [input, truthPath(input), surroundings.folder, process.cwd(), homedir()];
  return prepareOutputFolder(folder, { force: true }, { keep });
}
