import type { Instance } from './instance.ts';

/**
 * The workflows in memory, by id. Each stands in a cell that is emptied when it leaves: a `Map` that many pass through makes
 * a new table every few of them, and V8 does not collect what an old table of it still knows before it collects all. That
 * kept every other parked workflow alive, and the memory of the process grew threefold with it.
 */
export class InstanceTable {
  readonly #cells = new Map<string, { instance: Instance | undefined }>();

  get(id: string): Instance | undefined {
    return this.#cells.get(id)?.instance;
  }

  has(id: string): boolean {
    return this.#cells.has(id);
  }

  set(id: string, instance: Instance): void {
    this.#cells.set(id, { instance });
  }

  delete(id: string): void {
    const cell = this.#cells.get(id);
    if (cell) cell.instance = undefined;
    this.#cells.delete(id);
  }

  *values(): IterableIterator<Instance> {
    for (const { instance } of this.#cells.values()) if (instance) yield instance;
  }
}
