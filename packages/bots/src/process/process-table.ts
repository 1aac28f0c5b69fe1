/** One process, as the system tells of it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** When it started, a whole number that grows; equal for the same process only, as far as the system counts. */
  readonly startedAtTicks: string;
  /** Dead and not yet reaped: it runs no more, but the number is still its own. */
  readonly isZombie: boolean;
  readonly rssBytes: number;
  /** With that of the children it has reaped. */
  readonly cpuMs: number;
}

/** A process that is never mistaken for a later one of the same number. */
export type ProcessKey = Pick<ProcessRow, 'pid' | 'startedAtTicks'>;

interface MarkedRows {
  readonly rows: readonly ProcessRow[];
  /** By pid. */
  readonly marks: ReadonlyMap<number, string>;
}

/** How a system tells which processes there are, and signals them. */
export interface ProcessTable {
  readonly bootId: string;
  /** Every process there is, looked up after this was called, and the marks of those that are asked for. */
  all(isAsked: (row: ProcessRow) => boolean): Promise<MarkedRows>;
  /** At once where the system allows, for a process that has just been started; undefined when there is none. */
  find(pid: number): ProcessRow | undefined;
  /** These trees alone, each from where it starts down to the children; cheap, but who was handed to init is missed. */
  below(starts: readonly (readonly number[])[]): Promise<readonly (readonly ProcessRow[])[]>;
  /** The marks in the environments of these processes, as far as this user may see them. */
  marksOf(rows: readonly ProcessRow[]): Promise<ReadonlyMap<number, string>>;
  /** Signals the process if it is still this one, checked right before; false when it is not. */
  signal(key: ProcessKey, signal: NodeJS.Signals): boolean;
  /** How often the kernel has ended a process for want of memory since it booted; undefined where it does not tell. */
  outOfMemoryKills(): number | undefined;
}

/** The variable of the environment that a tree is known by. */
export const MARK_NAME = 'BUDDY_BOT_MARK';

/** Equal for the same process only. */
export function keyOf({ pid, startedAtTicks }: ProcessKey): string {
  return `${pid}@${startedAtTicks}`;
}
