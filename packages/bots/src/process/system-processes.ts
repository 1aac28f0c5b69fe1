import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { type Logger, silentLogger } from '@buddy/core';
import type { ProcessIdentity } from '../bot/bot.ts';
import { Cgroup, cgroupFolder, findCgroupBase } from './cgroups.ts';
import { LaunchError, UnsupportedPlatformError } from './errors.ts';
import { FileFollower } from './follow-file.ts';
import { MarkedTree } from './marked-tree.ts';
import { ownProcessTable } from './own-process-table.ts';
import { keyOf, MARK_NAME, type ProcessTable } from './process-table.ts';
import type {
  Adoption,
  EndableTree,
  Launch,
  OutputFiles,
  OutputStream,
  Processes,
  ProcessEnd,
  ProcessTree,
  TreeUsage,
} from './processes.ts';
import { Reaper } from './reaper.ts';
import { Sweeps } from './sweeps.ts';

export interface SystemProcessesOptions {
  /** Where processes are looked up: `/proc` on Linux and `ps` elsewhere when left out. `ps` is slower, and knows less. */
  readonly lookUp?: 'proc' | 'ps';
  /** Whether control groups (cgroup v2) are used where this user may make some. Default true. */
  readonly useCgroups?: boolean;
  /** How big a file that a bot writes to itself may get before it is emptied. Default 10 MiB. */
  readonly maxOutputFileBytes?: number;
  readonly logger?: Logger;
}

/** How often everything that runs is looked at, to find who has left its parents; between that, only what is below the known. */
const FULL_LOOK_EVERY_MS = 10_000;
const FOLLOW_EVERY_MS = 100;
const SETTLE_AFTER_MS = 20;
/** How often an adopted process is looked at, for nobody tells us of its end. */
const ADOPTED_LOOK_EVERY_MS = 100;
/** How long what a process wrote may take to arrive after its end; its children may hold the pipe open for ever. */
const DRAIN_MS = 50;

/**
 * The processes of this machine.
 * @throws {UnsupportedPlatformError} On Windows.
 */
export function createSystemProcesses(options: SystemProcessesOptions = {}): Processes {
  const table = ownProcessTable(options.lookUp);
  if (!table) throw new UnsupportedPlatformError(process.platform);
  return new SystemProcesses(table, options);
}

class SystemProcesses implements Processes {
  readonly #table: ProcessTable;
  readonly #sweeps: Sweeps;
  readonly #reaper: Reaper;
  readonly #logger: Logger;
  readonly #cgroupBase: string | undefined;
  readonly #maxOutputFileBytes: number;
  /** Each tree that is looked after. */
  readonly #trees = new Map<ProcessTree, SystemTree>();
  /** By mark, of control groups whose last process is being buried. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #unsettled: (() => void)[] = [];
  #fullLookAt = performance.now();
  #outOfMemoryKills: { count: number | undefined; at: number };

  constructor(table: ProcessTable, options: SystemProcessesOptions) {
    this.#table = table;
    this.#sweeps = new Sweeps(table);
    this.#logger = options.logger ?? silentLogger;
    this.#reaper = new Reaper(this.#logger, options.lookUp);
    this.#cgroupBase = options.useCgroups === false ? undefined : findCgroupBase();
    this.#maxOutputFileBytes = options.maxOutputFileBytes ?? 10 * 2 ** 20;
    this.#outOfMemoryKills = { count: table.outOfMemoryKills(), at: performance.now() };
  }

  async launch(launch: Launch): Promise<ProcessTree> {
    const { mark, outputFiles, stopGraceMs: graceMs } = launch;
    await this.#removals.get(mark); // or the group would go under the one that comes now
    const folder = this.#cgroupFolder(mark);
    const cgroup = folder === undefined ? undefined : new Cgroup(folder);
    const watch = { mark, graceMs, cgroup: folder };
    // Before it is there: this process may end right after.
    if (!outputFiles) this.#reaper.watch(watch);
    const followers = this.#follow(outputFiles, launch);
    try {
      const child = await spawnDetached(launch);
      const pid = child.pid ?? 0;
      const row = this.#table.find(pid); // nobody has reaped it yet, so it is there, be it dead
      if (!row) throw new LaunchError(launch.command, 'it cannot be looked up', false, undefined);
      const leader = { pid, startedAtTicks: row.startedAtTicks };
      const identity = { ...leader, bootId: this.#table.bootId };
      const isLeaderHeld = () => child.exitCode === null && child.signalCode === null;
      const marked = new MarkedTree(
        { mark, leader, cgroup, isLeaderHeld },
        this.#table,
        this.#sweeps,
      );
      const exited = endOfChild(child, followers, launch, () => this.#wasOutOfMemory());
      this.#settleSoon(() => {
        if (!outputFiles) this.#reaper.watchOn({ ...watch, leader });
        if (cgroup) void this.#gather(marked, cgroup);
      });
      return this.#keep({ identity, mark, marked, cgroup, exited, child, followers });
    } catch (error) {
      for (const follower of followers) follower.close();
      this.#reaper.forget(mark);
      throw error;
    }
  }

  async adopt(adoption: Adoption): Promise<ProcessTree | undefined> {
    const { identity, mark, outputFiles, stopGraceMs: graceMs } = adoption;
    if (identity.bootId !== this.#table.bootId) return undefined;
    const row = this.#table.find(identity.pid);
    if (!row || row.isZombie || keyOf(row) !== keyOf(identity)) return undefined;
    // Number, start and boot are the identity. The mark may be gone, for a program may write over its environment (nginx, Perl's
    // `$0`); another one tells a stranger where starts are counted in whole seconds.
    const found = (await this.#table.marksOf([row])).get(row.pid);
    if (found !== undefined && found !== mark) return undefined;
    const cgroup = this.#existingCgroup(mark);
    const leader = { pid: row.pid, startedAtTicks: row.startedAtTicks };
    if (!outputFiles) {
      this.#reaper.watch({ mark, graceMs, cgroup: cgroup && this.#cgroupFolder(mark), leader });
    }
    const options = { mark, leader, cgroup, isLeaderHeld: () => false };
    const marked = new MarkedTree(options, this.#table, this.#sweeps);
    const followers = this.#follow(outputFiles, adoption);
    const exited = endOfAdopted(identity, this.#table, followers);
    return this.#keep({ identity, mark, marked, cgroup, exited, child: undefined, followers });
  }

  async remains(mark: string): Promise<EndableTree> {
    const cgroup = this.#existingCgroup(mark);
    const options = { mark, cgroup, isLeaderHeld: () => false };
    const marked = new MarkedTree(options, this.#table, this.#sweeps);
    return {
      signal: (signal) => marked.signal(signal),
      survivors: () => marked.survivors(),
      release: () => this.#remove(mark, cgroup),
    };
  }

  async usage(trees: readonly ProcessTree[]): Promise<readonly (TreeUsage | undefined)[]> {
    this.#countOutOfMemoryKills();
    const now = performance.now();
    if (now - this.#fullLookAt >= FULL_LOOK_EVERY_MS) {
      this.#fullLookAt = now;
      await Promise.all([...this.#trees.values()].map(({ marked }) => marked.survivors()));
    }
    const marked = trees.map((tree) => this.#trees.get(tree));
    const starts = marked.map((tree) => tree?.marked.startingPids() ?? []);
    const below = await this.#table.below(starts);
    return marked.map((tree, index) => {
      const rows = tree?.marked.admit(below[index] ?? []) ?? [];
      if (rows.length === 0) return undefined;
      return {
        processes: rows.length,
        rssBytes: rows.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
        cpuMs: tree?.cgroup?.cpuMs() ?? rows.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      };
    });
  }

  async close(): Promise<void> {
    for (const tree of this.#trees.values())
      for (const follower of tree.followers) follower.close();
    this.#trees.clear();
    await Promise.all([...this.#removals.values(), this.#reaper.close()]);
  }

  #keep(tree: SystemTree): ProcessTree {
    const { identity, mark, marked, exited, cgroup, child, followers } = tree;
    const drop = () => {
      this.#reaper.forget(mark);
      this.#trees.delete(kept);
      for (const follower of followers) follower.close();
    };
    const kept: ProcessTree = {
      identity,
      exited,
      signal: (signal) => marked.signal(signal),
      survivors: () => marked.survivors(),
      release: () => {
        drop();
        child?.stdout?.destroy();
        child?.stderr?.destroy();
        this.#remove(mark, cgroup);
      },
      leave: () => {
        drop();
        cgroup?.close();
        if (child?.connected) child.disconnect();
        child?.unref();
      },
    };
    this.#trees.set(kept, tree);
    return kept;
  }

  /**
   * What can wait a moment is done for all that were started meanwhile: moving a process to another control group stops every fork
   * of the machine for some milliseconds, once for many; and each message wakes the reaper.
   */
  #settleSoon(settle: () => void): void {
    this.#unsettled.push(settle);
    if (this.#unsettled.length > 1) return;
    setTimeout(() => {
      for (const next of this.#unsettled.splice(0)) next();
    }, SETTLE_AFTER_MS).unref();
  }

  /** Into the control group with all of a tree; what they start from then on is in it by itself. */
  async #gather(marked: MarkedTree, cgroup: Cgroup): Promise<void> {
    try {
      if (cgroup.isClosed || !cgroup.make()) return;
      const [rows = []] = await this.#table.below([marked.startingPids()]);
      for (const row of marked.admit(rows)) {
        const now = this.#table.find(row.pid);
        if (now && keyOf(now) === keyOf(row)) cgroup.add(row.pid);
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'A tree could not be put into its control group');
    }
  }

  #follow(
    files: OutputFiles | undefined,
    { onOutput }: Pick<Launch, 'onOutput'>,
  ): readonly FileFollower[] {
    if (!files) return [];
    return OUTPUT_STREAMS.map(
      (stream) =>
        new FileFollower(files[stream], {
          everyMs: FOLLOW_EVERY_MS,
          maxBytes: this.#maxOutputFileBytes,
          onBytes: (bytes) => onOutput(stream, bytes),
          onLost: (bytes) =>
            this.#logger.warn(
              { bytes, file: files[stream] },
              'A bot writes faster than it is read; some of it was skipped',
            ),
          onError: (error) =>
            this.#logger.warn({ err: error, file: files[stream] }, "A bot's output cannot be read"),
        }),
    );
  }

  #remove(mark: string, cgroup: Cgroup | undefined): void {
    if (!cgroup) return;
    const removal = cgroup.remove().finally(() => this.#removals.delete(mark));
    this.#removals.set(mark, removal);
  }

  #cgroupFolder(mark: string): string | undefined {
    return this.#cgroupBase && cgroupFolder(this.#cgroupBase, mark);
  }

  #existingCgroup(mark: string): Cgroup | undefined {
    const folder = this.#cgroupFolder(mark);
    return folder !== undefined && existsSync(folder) ? new Cgroup(folder) : undefined;
  }

  /** So often that a kill counts as the cause of an end only when both came within about a second. */
  #countOutOfMemoryKills(): void {
    const at = performance.now();
    if (at - this.#outOfMemoryKills.at < 1_000) return;
    this.#outOfMemoryKills = { count: this.#table.outOfMemoryKills(), at };
  }

  #wasOutOfMemory(): boolean {
    const before = this.#outOfMemoryKills.count;
    const count = this.#table.outOfMemoryKills();
    return before !== undefined && count !== undefined && count > before;
  }
}

interface SystemTree {
  readonly identity: ProcessIdentity;
  readonly mark: string;
  readonly marked: MarkedTree;
  readonly cgroup: Cgroup | undefined;
  readonly exited: Promise<ProcessEnd>;
  /** Undefined when it is adopted. */
  readonly child: ChildProcess | undefined;
  readonly followers: readonly FileFollower[];
}

const OUTPUT_STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/** Codes of spawn that will not change by trying again. */
const CONFIGURATION_CODES = [
  'ENOENT',
  'EACCES',
  'ENOTDIR',
  'ENOEXEC',
  'ELOOP',
  'ENAMETOOLONG',
  'E2BIG',
  'EPERM',
  'EISDIR',
];

/** In a session of its own, so that a terminal's Ctrl-C is not for it and its whole group can be signalled. */
async function spawnDetached(launch: Launch): Promise<ChildProcess> {
  const { command, args, cwd, environment, mark, hasMessages, outputFiles } = launch;
  const files =
    outputFiles && OUTPUT_STREAMS.map((name) => openSync(outputFiles[name], 'a', 0o600));
  const [stdout = 'pipe', stderr = 'pipe'] = files ?? [];
  const stdio: StdioOptions = ['ignore', stdout, stderr, ...(hasMessages ? ['ipc' as const] : [])];
  try {
    const child = spawn(command, args, {
      cwd,
      env: { ...environment, [MARK_NAME]: mark },
      detached: true,
      stdio,
    });
    if (child.pid === undefined) {
      const error = await new Promise((resolve) => child.once('error', resolve));
      throw launchErrorOf(launch, error);
    }
    child.on('error', () => undefined); // a message that could not be sent, a signal that could not be given: seen elsewhere
    return child;
  } catch (error) {
    throw error instanceof LaunchError ? error : launchErrorOf(launch, error); // spawn throws for EAGAIN, say
  } finally {
    for (const file of files ?? []) closeSync(file);
  }
}

function launchErrorOf({ command, cwd }: Launch, error: unknown): LaunchError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const isConfiguration = CONFIGURATION_CODES.includes(code) || code.startsWith('ERR_');
  // The system says the same of both.
  const isFolderMissing = code === 'ENOENT' && cwd !== undefined && !existsSync(cwd);
  const reason = isFolderMissing
    ? `its folder ${cwd} does not exist`
    : (REASONS[code] ?? (error instanceof Error ? error.message : String(error)));
  return new LaunchError(command, reason, isConfiguration, error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it is no program that this user may run',
  ENOTDIR: 'a part of the path is not a folder',
  ENOEXEC: 'it is no program of this machine',
  EAGAIN: 'this user has too many processes',
};

async function endOfChild(
  child: ChildProcess,
  followers: readonly FileFollower[],
  { onOutput, onMessage }: Launch,
  wasOutOfMemory: () => boolean,
): Promise<ProcessEnd> {
  child.stdout?.on('data', (bytes: Buffer) => onOutput('stdout', bytes));
  child.stderr?.on('data', (bytes: Buffer) => onOutput('stderr', bytes));
  for (const pipe of [child.stdout, child.stderr]) pipe?.on('error', () => undefined); // its end is told by the exit
  child.on('message', onMessage);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = await new Promise<ProcessEnd>((resolve) =>
    child.once('exit', (exitCode, signal) =>
      resolve({ exitCode, signal, isKernelOutOfMemory: wasOutOfMemory() }),
    ),
  );
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  await Promise.race([closed, late]);
  clearTimeout(timer);
  for (const follower of followers) follower.drain();
  return end;
}

async function endOfAdopted(
  identity: ProcessIdentity,
  table: ProcessTable,
  followers: readonly FileFollower[],
): Promise<ProcessEnd> {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const row = table.find(identity.pid);
      if (row && !row.isZombie && keyOf(row) === keyOf(identity)) return;
      clearInterval(timer);
      resolve();
    }, ADOPTED_LOOK_EVERY_MS);
    timer.unref();
  });
  for (const follower of followers) follower.drain();
  return { exitCode: null, signal: null, isKernelOutOfMemory: false };
}
