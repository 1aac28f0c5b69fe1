import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createHarness,
  nextRunFolder,
  openFolderOutput,
  prepareOutputFolder,
  type RunResult,
} from '@buddy/agents';
import { type Clock, countingId, ManualClock, systemClock, writeFileAtomic } from '@buddy/core';
import { crew } from '../world/agents.ts';
import { createTools, DEFAULT_ACTION } from '../world/tools.ts';
import { loadTruth } from '../world/truth.ts';
import type { Arguments } from './arguments.ts';
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
  const tools = createTools({ seed, truth, environment }, clock);
  const notes = [
    'DRY_RUN: the providers are mocks in memory. Nothing left this process.',
    `Tools of tier 3 ran without a gate, for there is none yet: ${tools
      .filter(({ tier }) => tier === 3)
      .map(({ name }) => name)
      .join(', ')}. Outside a dry run they are refused.`,
  ];
  const folder = await outputFolder(options, surroundings.folder);
  const output = await openFolderOutput(folder, { clock });
  const harness = createHarness(
    {
      agents: crew(options.agents),
      strategy,
      seed,
      defaultAction: DEFAULT_ACTION,
      allowUngoverned: true,
      ...(waves && { waves }),
    },
    { tools, clock, output, newId: countingId(`run-${seed}`), notes },
  );
  const progress = showProgress(harness, surroundings);
  try {
    const work = async () => {
      await harness.load(options.input);
      return harness.run({ signal });
    };
    const result = await (manual ? manual.run(work) : work());
    await writeMeasured(folder, performance.now() - began);
    return { result, folder, reportPath: join(folder, 'phase21', 'report.md'), notes };
  } finally {
    progress.stop();
    await harness.close();
  }
}

/** Predictions that come without the truth are of the kind in which nothing goes wrong but what providers do. */
async function truthBeside(input: string) {
  const path = join(dirname(input), 'truth.jsonl');
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? loadTruth(path) : new Map();
}

async function outputFolder({ out, force }: Arguments, folder: string): Promise<string> {
  if (out === undefined) {
    const parent = join(folder, 'out');
    await mkdir(parent, { recursive: true });
    return nextRunFolder(parent);
  }
  await prepareOutputFolder(out, { force });
  return out;
}

/** What differs from machine to machine stays out of the `phase*` folders. */
async function writeMeasured(folder: string, wallMs: number): Promise<void> {
  const state = join(folder, 'state');
  await mkdir(state, { recursive: true });
  const { maxRSS } = process.resourceUsage();
  const measured = {
    wall_ms: Math.round(wallMs),
    peak_rss_mb: Math.round(maxRSS / 1024),
    node: process.version,
  };
  await writeFileAtomic(join(state, 'measured.json'), `${JSON.stringify(measured, null, 2)}\n`);
}
