import type { ProcessIdentity } from '../bot/bot.ts';

/** What the supervisor needs of the operating system. */
export interface Processes {
  /**
   * Starts a process that leads a tree of its own.
   * @throws {LaunchError} It never ran.
   */
  launch(launch: Launch): Promise<ProcessTree>;
  /**
   * The tree that an earlier supervisor launched. Undefined when its first process is gone, or its number is somebody
   * else's by now.
   */
  adopt(adoption: Adoption): Promise<ProcessTree | undefined>;
  /** What is left of a tree whose first process is gone. */
  remains(mark: string): Promise<EndableTree>;
  /** What each of these trees uses just now, in their order; undefined for one of which nothing runs any more. */
  usage(trees: readonly ProcessTree[]): Promise<readonly (TreeUsage | undefined)[]>;
  /** Gives up what is held beside the trees. A tree that was neither ended nor left ends as if this process had died. */
  close(): Promise<void>;
}

export interface Launch {
  /** Carried in the environment by the whole tree; unique. */
  readonly mark: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** All of it: nothing else is handed on, save the mark. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it can `process.send`. */
  readonly hasMessages: boolean;
  /** Between SIGTERM and SIGKILL when this process dies and the tree has to go. */
  readonly stopGraceMs: number;
  /** Left out: it writes to pipes, and ends when this process dies. Else it outlives it, and writes to these files. */
  readonly outputFiles?: OutputFiles | undefined;
  readonly onOutput: (stream: OutputStream, bytes: Buffer) => void;
  readonly onMessage: (message: unknown) => void;
}

export interface Adoption {
  readonly identity: ProcessIdentity;
  readonly mark: string;
  readonly stopGraceMs: number;
  /** Where it has been writing; left out, what it writes is lost. */
  readonly outputFiles?: OutputFiles | undefined;
  readonly onOutput: (stream: OutputStream, bytes: Buffer) => void;
}

export type OutputStream = 'stdout' | 'stderr';
export type OutputFiles = Readonly<Record<OutputStream, string>>;

export interface EndableTree {
  /** Signals every process of the tree that still is the one it was. How many there are, signalled or not. */
  signal(signal: NodeJS.Signals): Promise<number>;
  /** The processes of the tree that run; one that only waits to be reaped does not. */
  survivors(): Promise<readonly number[]>;
  /** It is over: nobody need look after it any more. */
  release(): void;
}

/** A process and all that came of it, in whatever group or session it is now. */
export interface ProcessTree extends EndableTree {
  readonly identity: ProcessIdentity;
  /** When the first process is gone and what it wrote has been handed over. Never rejects. */
  readonly exited: Promise<ProcessEnd>;
  /** Nobody is to end it when this process dies. */
  leave(): void;
}

export interface ProcessEnd {
  /** Both null: it was not our child, so nobody told us. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel ended something for want of memory while this one died. */
  readonly isKernelOutOfMemory: boolean;
}

export interface TreeUsage {
  readonly processes: number;
  /** The sum over the tree: memory that processes share counts for each. */
  readonly rssBytes: number;
  /** Of all cores together, since the tree began; without that of processes which were gone before anybody looked. */
  readonly cpuMs: number;
}
