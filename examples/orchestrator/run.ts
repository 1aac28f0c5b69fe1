import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createHarness,
  type LoadSummary,
  nextRunFolder,
  openFolderOutput,
  prepareOutputFolder,
  type RunResult,
} from '@buddy/agents';
import {
  appendJsonLines,
  BuddyError,
  type Clock,
  countingId,
  ManualClock,
  systemClock,
  type Tool,
  writeFileAtomic,
} from '@buddy/core';
import { crew } from '../world/agents.ts';
import { createWorld, DEFAULT_ACTION } from '../world/tools.ts';
import { loadTruth } from '../world/truth.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { type ProgramCounts, type ProgramLedger, USAGE_FILE } from './program-ledger.ts';
import { createPrograms } from './programs.ts';
import { showProgress, type ProgressTarget } from './progress.ts';

export interface Surroundings extends ProgressTarget {
  /** Where `out/run-N` goes. */
  folder: string;
  signal: AbortSignal;
}

export interface RunReport {
  result: RunResult;
  /** Absolute. */
  folder: string;
  reportPath: string;
  programs: ProgramCounts;
  notes: readonly string[];
}

/** The main job: predictions in, waves of tasks over all agents, files out. */
export async function runOrchestrator(
  options: Arguments,
  surroundings: Surroundings,
): Promise<RunReport> {
  const { seed, strategy, waves } = options;
  const { environment, signal } = surroundings;
  const began = performance.now();
  const manual = options.clock === 'manual' ? new ManualClock() : undefined;
  const clock: Clock = manual ?? systemClock;
  const truth = await truthBeside(options.input);
  const world = createWorld({ seed, truth, environment }, clock);
  await requireInput(options.input);
  const folder = await outputFolder(options, surroundings.folder);
  const output = await openFolderOutput(folder, { clock });
  const programs = createPrograms(world, { clock, output, seed });
  const tools = [...world.tools, programs.tool];
  const notes = notesOn(tools);
  const harness = createHarness(
    {
      agents: crew(options.agents),
      strategy,
      seed,
      defaultAction: DEFAULT_ACTION,
      allowUngoverned: true,
      ...(waves && { waves }),
    },
    {
      tools,
      clock,
      output,
      newId: countingId(`run-${seed}`),
      notes,
      sections: () => programs.ledger.sections(),
    },
  );
  const progress = showProgress(harness, surroundings);
  try {
    const work = async () => {
      const loaded = await harness.load(options.input);
      requireWaves(options, loaded);
      // Not before the input has proved to be there: until now, nothing was written.
      if (options.force) await clock.external(() => replaceFolder(folder, options, surroundings));
      return harness.run({ signal });
    };
    const result = await (manual ? manual.run(work) : work());
    await writeMeasured(folder, performance.now() - began, programs.ledger);
    const reportPath = join(folder, 'phase21', 'report.md');
    return { result, folder, reportPath, programs: programs.ledger.counts, notes };
  } finally {
    progress.stop();
    await programs.close();
    await harness.close();
  }
}

function notesOn(tools: readonly Tool[]): string[] {
  const ungated = tools.filter(({ tier }) => tier === 3).map(({ name }) => name);
  return [
    'DRY_RUN: the providers are mocks in memory. Nothing left this process.',
    `Tools of tier 3 ran without a gate, for there is none yet: ${ungated.join(', ')}. Outside a dry run they are refused.`,
  ];
}

/** Predictions that come without the truth are of the kind in which nothing goes wrong but what providers do. */
async function truthBeside(input: string) {
  const path = truthPath(input);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? loadTruth(path) : new Map();
}

function truthPath(input: string): string {
  return join(dirname(input), 'truth.jsonl');
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

function requireWaves({ waves, input }: Arguments, loaded: LoadSummary): void {
  if (!waves || loaded.waves.some((wave) => wave >= waves.from && wave <= waves.to)) return;
  const known = loaded.waves.join(', ') || 'none';
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

/** What differs from machine to machine stays out of the `phase*` folders. */
async function writeMeasured(
  folder: string,
  wallMs: number,
  { usage }: ProgramLedger,
): Promise<void> {
  const state = join(folder, 'state');
  await mkdir(state, { recursive: true });
  const { maxRSS } = process.resourceUsage();
  const measured = {
    wall_ms: Math.round(wallMs),
    peak_rss_mb: Math.round(maxRSS / 1024),
    node: process.version,
  };
  await writeFileAtomic(join(state, 'measured.json'), `${JSON.stringify(measured, null, 2)}\n`);
  if (usage.length > 0) await appendJsonLines(join(folder, USAGE_FILE), usage);
}
