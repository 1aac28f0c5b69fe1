import type { MaintenanceWindow } from '../store/store.ts';

/** The maintenance windows, and what was reported in them. */
export class Maintenance {
  readonly #windows = new Map<string, MaintenanceWindow>();
  /** Resources with a symptom that was suppressed, by window. */
  readonly #suppressed = new Map<string, Set<string>>();

  add(window: MaintenanceWindow): void {
    this.#windows.set(window.id, window);
  }

  find(id: string): MaintenanceWindow | undefined {
    return this.#windows.get(id);
  }

  /** The window that covers a resource at this time and lasts longest. */
  covering(resource: string, now: number): MaintenanceWindow | undefined {
    return [...this.#windows.values()]
      .filter(({ from, until }) => from <= now && now < until)
      .filter(({ resources }) => resources === '*' || resources.includes(resource))
      .toSorted((a, b) => b.until - a.until)[0];
  }

  noteSuppressed({ id }: MaintenanceWindow, resource: string): void {
    const resources = this.#suppressed.get(id) ?? new Set<string>();
    this.#suppressed.set(id, resources.add(resource));
  }

  /** Forgets a window; returns the resources that have to be looked at now. */
  remove(id: string): readonly string[] {
    const suppressed = [...(this.#suppressed.get(id) ?? [])];
    this.#windows.delete(id);
    this.#suppressed.delete(id);
    return suppressed;
  }
}
