import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createEngine,
  createHarness,
  type Harness,
  openEngineSocket,
  openFolderOutput,
  type PredictionSource,
  type RunResult,
  type WorkflowStore,
} from '@buddy/agents';
import {
  appendJsonLines,
  type Clock,
  countingId,
  ManualClock,
  randomId,
  silentLogger,
  writeFileAtomic,
} from '@buddy/core';
import type { Governance } from '@buddy/governance';
import type { HealingCounts } from '../healing/healing-ledger.ts';
import { type Healing, planHealing } from '../healing/healing.ts';
import { crew } from '../world/agents.ts';
import { createWorld, DEFAULT_ACTION, type World } from '../world/tools.ts';
import { loadTruth } from '../world/truth.ts';
import { startWire, type Wire } from '../world/wire.ts';
import type { Arguments } from './arguments.ts';
import { clockOf } from './clocks.ts';
import { followWaiting, type GateCounts, GateLedger } from './gate-ledger.ts';
import { followDecisions } from './follow-decisions.ts';
import { datedClock, inTheNameOf, openGate } from './gate.ts';
import { type ProgramCounts, type ProgramLedger, USAGE_FILE } from './program-ledger.ts';
import { createPrograms } from './programs.ts';
import { showProgress } from './progress.ts';
import type { Surroundings } from './run.ts';
import { saveWaiting, stateFolderOf, type WaitingTask } from './saved-run.ts';

/** What there is to do: a whole run, or what one left waiting. */
export interface Job extends Pick<
  Arguments,
  'seed' | 'agents' | 'strategy' | 'waves' | 'approveAll'
> {
  source: PredictionSource;
  /** Where it writes. Absolute, as is the other. */
  folder: string;
  /** Of the run: holds policy, log and arguments. */
  runFolder: string;
  /** Names the process among those that work on the run. */
  part: string;
  /** Which agents asked for approval before, by task. */
  askedBy: ReadonlyMap<string, string>;
  /** Where the run is remembered; undefined when it is not. */
  store: WorkflowStore | undefined;
  /** Whether the store holds the run already. */
  isResumed: boolean;
  /** What waits still, and is no part of this job. */
  left: readonly WaitingTask[];
  notes: readonly string[];
}

export interface RunReport extends Pick<Job, 'folder' | 'runFolder' | 'notes'> {
  result: RunResult;
  /** Absolute. */
  reportPath: string;
  programs: ProgramCounts;
  gate: GateCounts;
  /** Undefined when nothing was broken. */
  healing: HealingCounts | undefined;
}

/** How often to look for what people have decided in other processes, in real ms. */
const POLL_MS = 1_000;

/** What a job runs on. */
export interface Setting {
  clock: Clock;
  /** How many times faster than it does time passes on the clock. */
  speed: number;
  world: World;
  /** The servers of the providers; undefined when these are in memory. */
  wire: Wire | undefined;
  /** The same as processes of their own, which are broken and healed; undefined when they are not. */
  healing: Healing | undefined;
  /** By `performance.now()`. */
  began: number;
}

/**
 * @throws {UsageError} When things are to be broken, and the environment forbids it.
 * @throws {NotConfiguredError} Outside a dry run, when a provider's address or credentials are missing.
 */
export async function openJob(
  options: Pick<Arguments, 'seed' | 'input' | 'clock' | 'speed' | 'wire' | 'faults' | 'faultEvery'>,
  environment: Surroundings['environment'],
): Promise<Setting> {
  const began = performance.now();
  const { seed, input } = options;
  const clock = clockOf(options);
  const truth = await truthBeside(input);
  const { wire: isOverWire, faults, speed, faultEvery: faultEverySeconds } = options;
  const healing = faults
    ? await planHealing({ seed, speed, faultEverySeconds, environment })
    : undefined;
  const wire = isOverWire && !healing ? await startWire(seed, clock) : undefined;
  const own = healing?.environment ?? wire?.environment;
  const world = createWorld(
    { seed, truth, environment: { ...environment, ...own }, secrets: healing?.secrets },
    clock,
  );
  return { clock, speed, world, wire, healing, began };
}

/** Runs a job with every tool behind the gate: those of the agents, those inside programs, and the running of programs. */
export async function runJob(
  job: Job,
  { clock, speed, world, wire, healing, began }: Setting,
  surroundings: Surroundings,
): Promise<RunReport> {
  const { folder, runFolder, seed, strategy, waves, part, approveAll } = job;
  const { environment, signal } = surroundings;
  // Closed in the opposite order, wherever this ends; the log last, for all others act behind it until they are closed.
  await using last = new AsyncDisposableStack();
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => healing?.close());
  opened.defer(async () => wire?.close());
  const logClock = datedClock(clock);
  const governance = last.use(
    await openGate(
      {
        stateFolder: stateFolderOf(runFolder),
        seed,
        part,
        approveAll,
        isTimeless: clock instanceof ManualClock,
        pollMs: POLL_MS * speed,
      },
      { clock: logClock, environment },
    ),
  );
  const gate = new GateLedger(governance, () => logClock.now());
  const output = await openFolderOutput(folder, { clock });
  const programTools = governance.govern(world.programTools);
  const programs = createPrograms({ work: world.work, programTools }, { clock, output, seed });
  opened.defer(() => programs.close());
  const tools = governance.govern([...world.tools, programs.tool]);
  governance.assertCovered([...tools, ...programTools]);
  const notes = [...notesOn(job, { wire, healing }), ...job.notes];
  const harness = createHarness(
    {
      agents: crew(job.agents),
      strategy,
      seed,
      defaultAction: DEFAULT_ACTION,
      ...(waves && { waves }),
    },
    {
      tools: inTheNameOf(job.askedBy, tools),
      clock,
      output,
      // What outlives this process must not be taken for what another run of this seed has done.
      newId: job.store ? randomId(`run-${seed}`) : countingId(`run-${seed}`),
      ...(healing && { heal: healing.heal }),
      ...(job.store && { engine: createEngine({ clock, store: job.store }) }),
      notes,
      sections: async () => {
        // First, for it waits until what was broken is healed, which the gate counts, too.
        const healed = (await healing?.sections()) ?? [];
        return [
          ...programs.ledger.sections(),
          ...healed,
          ...gate.sections(),
          ...(wire?.sections() ?? []),
        ];
      },
    },
  );
  opened.defer(() => harness.close());
  const waiting = followWaiting(harness, job.askedBy);
  const progress = showProgress(harness, surroundings);
  opened.defer(() => progress.stop());
  const stopFollowing = job.store
    ? followDecisions(harness, governance.approvals, silentLogger)
    : () => undefined;
  opened.defer(stopFollowing);
  if (job.store) {
    const socket = await openEngineSocket(harness.control, { runFolder });
    opened.defer(() => socket.close());
  }
  const work = async () => {
    await harness.load(job.source);
    await healing?.begin({ stateFolder: stateFolderOf(folder), governance, signal });
    if (!job.store) return harness.run({ signal });
    const result = await (job.isResumed ? harness.resume({ signal }) : harness.run({ signal }));
    stopFollowing();
    return decideAll(harness, governance, result);
  };
  const result = await (clock instanceof ManualClock ? clock.run(work) : work());
  await writeMeasured(folder, performance.now() - began, programs.ledger);
  if (result.status !== 'cancelled') await saveWaiting(folder, [...job.left, ...waiting.values()]);
  return {
    result,
    folder,
    runFolder,
    reportPath: join(folder, 'phase21', 'report.md'),
    programs: programs.ledger.counts,
    gate: gate.counts,
    healing: healing?.counts(),
    notes,
  };
}

/** Carries out what people have decided about tasks that wait. What that was is for the gate to say. */
async function decideAll(
  harness: Harness,
  governance: Governance,
  resumed: RunResult,
): Promise<RunResult> {
  let result = resumed;
  while (result.status === 'waiting') {
    const decided = result.waiting.filter(({ approvalId }) => isDecided(governance, approvalId));
    if (decided.length === 0) return result;
    const results = await Promise.all(
      decided.map(({ taskId }) => harness.decide(taskId, { kind: 'proceed' })),
    );
    result = results.at(-1) ?? result;
  }
  return result;
}

function isDecided({ approvals }: Governance, approvalId: string | null): boolean {
  const approval = approvalId === null ? undefined : approvals.get(approvalId);
  return approval !== undefined && approval.state !== 'pending';
}

function notesOn(
  { approveAll }: Job,
  { wire, healing }: Pick<Setting, 'wire' | 'healing'>,
): string[] {
  return [
    healing
      ? 'The real clients spoke over HTTP to mock servers in processes of their own, which were broken on purpose and healed by the guardian. Nothing left this machine.'
      : wire
        ? 'The real clients spoke over HTTP to mock servers in this process. Nothing left this machine.'
        : 'DRY_RUN: the providers are mocks in memory. Nothing left this process.',
    ...(approveAll
      ? ['Approvals were given by nobody: --approve-all-dev granted each request as it came.']
      : []),
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

export function truthPath(input: string): string {
  return join(dirname(input), 'truth.jsonl');
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
