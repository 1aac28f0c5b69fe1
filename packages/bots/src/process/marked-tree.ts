import type { Cgroup } from './cgroups.ts';
import { keyOf, type ProcessKey, type ProcessRow, type ProcessTable } from './process-table.ts';
import type { EndableTree } from './processes.ts';
import type { Sweep, Sweeps } from './sweeps.ts';

export interface MarkedTreeOptions {
  readonly mark: string;
  /** Left out when it is long gone. */
  readonly leader?: ProcessKey;
  /** Left out where there are none. */
  readonly cgroup?: Cgroup | undefined;
  /** Whether the leader is our child, and nobody has reaped it: then its number, and that of its group, is surely its own. */
  readonly isLeaderHeld: () => boolean;
}

/** A process that forks and exits in a chain may be between two of its lives whenever we look. */
const EMPTY_LOOKS = 5;
const EMPTY_LOOK_EVERY_MS = 5;

/**
 * A tree that is found however its processes went: below one another, in the leader's group or session, or by the mark in
 * their environment. Who was once seen in it stays in it.
 *
 * One that leaves the group, is handed to init and clears its environment, all before anybody looks, is found only where
 * there are cgroups.
 */
export class MarkedTree implements Pick<EndableTree, 'signal' | 'survivors'> {
  readonly #options: MarkedTreeOptions;
  readonly #table: ProcessTable;
  readonly #sweeps: Sweeps;
  /** Key by pid. */
  #members = new Map<number, string>();
  /** What the control group held then. */
  #grouped: ReadonlySet<number> = new Set();
  /** Groups in which the last look has found nobody else. */
  #ownGroups: readonly number[] = [];

  constructor(options: MarkedTreeOptions, table: ProcessTable, sweeps: Sweeps) {
    this.#options = options;
    this.#table = table;
    this.#sweeps = sweeps;
    if (options.leader) this.#members.set(options.leader.pid, keyOf(options.leader));
  }

  async survivors(): Promise<readonly number[]> {
    return (await this.#look()).map(({ pid }) => pid);
  }

  async signal(signal: NodeJS.Signals): Promise<number> {
    const rows = await this.#look();
    if (signal === 'SIGKILL' && rows.length > 0) this.#options.cgroup?.kill();
    const group = this.#signalGroup(signal);
    if (signal === 'SIGKILL') for (const own of this.#ownGroups) signalGroup(own, signal);
    for (const row of rows) if (row.groupId !== group) this.#table.signal(row, signal);
    // Those that may not be signalled count too: whoever asks must not take them for gone.
    return rows.length;
  }

  /** Where to begin when not every process is looked at. */
  startingPids(): readonly number[] {
    const grouped = this.#options.cgroup?.pids() ?? [];
    this.#grouped = new Set(grouped);
    return [...new Set([...this.#members.keys(), ...grouped])];
  }

  /** Of rows found from there: those that are of this tree. Remembers them. */
  admit(rows: readonly ProcessRow[]): readonly ProcessRow[] {
    const isMember = (row: ProcessRow) => this.#isKnown(row) || this.#grouped.has(row.pid);
    return this.#remember(rows.every(isMember) ? rows : withDescendants(rows, isMember));
  }

  /** Nobody is there only when several looks in a row, some time apart, have found nobody. */
  async #look(): Promise<readonly ProcessRow[]> {
    for (let left = EMPTY_LOOKS; left > 0; left -= 1) {
      const rows = await this.#lookOnce();
      if (rows.length > 0) return rows;
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, EMPTY_LOOK_EVERY_MS));
    }
    this.#options.cgroup?.kill(); // whoever has slipped through all of them
    return [];
  }

  async #lookOnce(): Promise<readonly ProcessRow[]> {
    const { leader } = this.#options;
    const sweep = await this.#sweeps.take(leader ? Number(leader.startedAtTicks) : 0);
    const rows = this.#rowsIn(sweep);
    const own = new Set(rows.map(({ groupId }) => groupId));
    const pids = new Set(rows.map(({ pid }) => pid));
    for (const { pid, groupId, isZombie } of sweep.rows) {
      if (!isZombie && !pids.has(pid)) own.delete(groupId);
    }
    // One that forks in a chain is another process by now; its group is the same.
    this.#ownGroups = [...own].filter((group) => group > 1);
    return this.#remember(rows);
  }

  #rowsIn({ rows, marks }: Sweep): readonly ProcessRow[] {
    const { leader, mark, cgroup } = this.#options;
    const grouped = new Set(cgroup?.pids());
    // While it is there, dead or alive, nobody else can have its group or session.
    const isLeaderThere = leader && rows.some((row) => keyOf(row) === keyOf(leader));
    return withDescendants(
      rows,
      (row) =>
        this.#isKnown(row) ||
        marks.get(row.pid) === mark ||
        grouped.has(row.pid) ||
        (isLeaderThere === true && (row.groupId === leader.pid || row.sessionId === leader.pid)),
    );
  }

  #isKnown(row: ProcessRow): boolean {
    return this.#members.get(row.pid) === keyOf(row);
  }

  /** @returns Those that run. */
  #remember(rows: readonly ProcessRow[]): readonly ProcessRow[] {
    this.#members = new Map(rows.map((row) => [row.pid, keyOf(row)]));
    return rows.filter(({ isZombie }) => !isZombie);
  }

  /** All of the leader's group at one stroke, so that none of it can fork away meanwhile. Undefined when that is not safe. */
  #signalGroup(signal: NodeJS.Signals): number | undefined {
    const { leader, isLeaderHeld } = this.#options;
    if (!leader || !isLeaderHeld()) return undefined;
    return signalGroup(leader.pid, signal) ? leader.pid : undefined;
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // ESRCH: nobody is in it any more. EPERM: all of it has another user.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

function withDescendants(
  rows: readonly ProcessRow[],
  isMember: (row: ProcessRow) => boolean,
): readonly ProcessRow[] {
  const children = Map.groupBy(rows, ({ parentPid }) => parentPid);
  const found = new Set(rows.filter(isMember));
  for (const { pid } of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}
