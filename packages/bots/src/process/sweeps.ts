import { keyOf, type ProcessRow, type ProcessTable } from './process-table.ts';

/** Every process at one moment, and the marks of those that are new enough to have one. */
export interface Sweep {
  readonly rows: readonly ProcessRow[];
  /** By pid. */
  readonly marks: ReadonlyMap<number, string>;
}

/** Looks at all processes of the machine; trees that ask at the same time share one look. */
export class Sweeps {
  readonly #table: ProcessTable;
  #next: { readonly sinceTicks: number[]; readonly sweep: Promise<Sweep> } | undefined;
  /** A process keeps the mark it was once seen with, even if it then takes it out of its environment. */
  #known = new Map<string, string>();

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /**
   * A look that begins after this call.
   * @param sinceTicks Nothing that started before is of interest.
   */
  take(sinceTicks: number): Promise<Sweep> {
    if (!this.#next) {
      const asked: number[] = [];
      const sweep = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#next = undefined; // whoever asks from here on gets the next one
        return this.#sweep(Math.min(...asked));
      });
      this.#next = { sinceTicks: asked, sweep };
    }
    this.#next.sinceTicks.push(sinceTicks);
    return this.#next.sweep;
  }

  async #sweep(sinceTicks: number): Promise<Sweep> {
    const isYoung = ({ startedAtTicks }: ProcessRow) => Number(startedAtTicks) >= sinceTicks;
    const { rows, marks: read } = await this.#table.all(
      (row) => isYoung(row) && !row.isZombie && !this.#known.has(keyOf(row)),
    );
    const young = rows.filter(isYoung);
    const known = new Map<string, string>();
    const marks = new Map<number, string>();
    for (const row of young) {
      const mark = this.#known.get(keyOf(row)) ?? read.get(row.pid);
      if (mark === undefined) continue;
      known.set(keyOf(row), mark);
      marks.set(row.pid, mark);
    }
    for (const [key, mark] of this.#known) {
      if (sinceTicks > ticksIn(key)) known.set(key, mark); // not looked at this time
    }
    this.#known = known;
    return { rows, marks };
  }
}

function ticksIn(key: string): number {
  return Number(key.slice(key.indexOf('@') + 1));
}
