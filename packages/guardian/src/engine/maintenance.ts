import { GuardianMisuseError } from '../errors.ts';
import type { Resource } from '../resource/registry.ts';
import type { MaintenanceWindow } from '../store/store.ts';
import type { Background } from './background.ts';
import type { Parts } from './parts.ts';

export interface MaintenanceRequest {
  /** Ids; all resources when it is left out. */
  resources?: readonly string[] | '*';
  /** Ms since the epoch. */
  untilMs: number;
  /** For people, in a few words. */
  reason: string;
}

interface MaintenanceParts {
  parts: Parts;
  background: Background;
  look: (resource: Resource) => Promise<void>;
}

/** The maintenance windows, and what was reported in them. */
export class Maintenance {
  readonly #m: MaintenanceParts;
  readonly #windows = new Map<string, MaintenanceWindow>();
  /** Resources with a symptom that was suppressed, by window. */
  readonly #suppressed = new Map<string, Set<string>>();

  constructor(parts: MaintenanceParts) {
    this.#m = parts;
  }

  async begin({
    resources = '*',
    untilMs,
    reason,
  }: MaintenanceRequest): Promise<MaintenanceWindow> {
    const { clock, newId, keep, emit } = this.#m.parts;
    const window = { id: newId(), resources, reason, from: clock.now(), until: untilMs };
    if (!(untilMs > window.from)) {
      throw new GuardianMisuseError(`A maintenance window ends later than now, not at ${untilMs}.`);
    }
    await keep([{ kind: 'maintenance', window }]);
    this.resume(window);
    emit('maintenanceBegan', { at: window.from, window });
    return window;
  }

  /** Takes up a window that was begun, here or in a former life. */
  resume(window: MaintenanceWindow): void {
    this.#windows.set(window.id, window);
    this.#m.background.run(this.#endInTime(window));
  }

  async end(id: string): Promise<void> {
    const window = this.#windows.get(id);
    if (!window) throw new GuardianMisuseError(`There is no maintenance window "${id}".`);
    await this.#end({ ...window, until: this.#m.parts.clock.now() });
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

  async #endInTime(window: MaintenanceWindow): Promise<void> {
    const { clock } = this.#m.parts;
    await clock.sleep(window.until - clock.now(), this.#m.background.signal);
    if (this.#windows.get(window.id) === window) await this.#end(window);
  }

  /** Looks at what was suppressed: it may still be bad. */
  async #end(window: MaintenanceWindow): Promise<void> {
    const { clock, keep, emit, resources } = this.#m.parts;
    const suppressed = this.#suppressed.get(window.id) ?? [];
    this.#windows.delete(window.id);
    this.#suppressed.delete(window.id);
    await keep([{ kind: 'maintenance', window }]);
    emit('maintenanceEnded', { at: clock.now(), window });
    for (const id of suppressed) {
      const resource = resources.get(id);
      if (resource) await this.#m.look(resource);
    }
  }
}
