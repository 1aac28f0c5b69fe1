import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure, type Clock } from '@buddy/core';
import type { Guardian, Incident } from '@buddy/guardian';
import { FaultWitnessError, type InjectedFault } from '@buddy/guardian/faults';
import type { FaultInjector } from './fault-injector.ts';
import { FAULT_KINDS, type FaultKind, type PlannedFault } from './fault-plan.ts';

/** A fault that was put there, and what became of it. */
export interface FaultRecord {
  readonly number: number;
  readonly kind: FaultKind;
  readonly target: string;
  /** Ms since the epoch. */
  readonly at: number;
  /** When it was seen to be gone, and its incidents to be closed; null: it was not, in its time. */
  readonly healedAt: number | null;
  /** What opened because of it, the first first. */
  readonly incidents: readonly Incident[];
  /** Whether all tasks had ended before. */
  readonly isAfterWork: boolean;
  /** Why it could not be injected, or taken back. */
  readonly problem: string | null;
}

export interface BreakThingsParts {
  guardian: Guardian;
  injector: FaultInjector;
  plan: Iterator<PlannedFault, never>;
  /** The real one. */
  clock: Clock;
}

/** A fault that is not healed by then is taken back, and told as one that was not. */
const HEALED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 25;
const TRIES = 3;

/** Breaks one thing after the other: the next one when the one before is healed, or was given its time. */
export class BreakThings {
  readonly records: FaultRecord[] = [];
  readonly #parts: BreakThingsParts;
  readonly #incidents = new Map<string, Incident>();
  readonly #enough = new AbortController();
  readonly #stopped = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(parts: BreakThingsParts) {
    this.#parts = parts;
    const note = ({ incident }: { incident: Incident }) =>
      this.#incidents.set(incident.id, incident);
    parts.guardian.events.on('incidentOpened', note).on('incidentClosed', note);
  }

  /** All that the guardian worked on, the first first. */
  get incidents(): readonly Incident[] {
    const open = new Map(this.#parts.guardian.openIncidents.map((each) => [each.id, each]));
    return [...this.#incidents.values()].map((each) => open.get(each.id) ?? each);
  }

  begin(): void {
    this.#work = this.#breakOneByOne();
    this.#work.catch(() => undefined); // `finish` tells it
  }

  /** Resolves when every kind was there at least once, and the last one was healed or had its time. */
  async finish(): Promise<void> {
    this.#enough.abort();
    await this.#work;
  }

  /** At once: what is there is taken back by whoever closes the kit. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#enough.abort();
    await this.#work;
  }

  async #breakOneByOne(): Promise<void> {
    const { plan } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      const isFirstRound = this.records.length < FAULT_KINDS.length;
      if (this.#enough.signal.aborted && !isFirstRound) return;
      const planned = plan.next().value;
      await pause(planned.pauseMs, isFirstRound ? this.#stopped.signal : this.#enough.signal);
      if (this.#stopped.signal.aborted || (this.#enough.signal.aborted && !isFirstRound)) return;
      this.records.push(await this.#breakAndWatch(planned));
    }
  }

  async #breakAndWatch(planned: PlannedFault): Promise<FaultRecord> {
    const { clock } = this.#parts;
    const { kind, target } = planned;
    const at = clock.now();
    const known = new Set(this.#incidents.keys());
    const incidents = () =>
      this.incidents.filter(({ id, resource }) => !known.has(id) && isOf(target, resource));
    const isAfterWork = this.#enough.signal.aborted;
    const face = { number: this.records.length + 1, kind, target, at, isAfterWork };
    let fault: InjectedFault | undefined;
    try {
      fault = await this.#inject(planned);
      const healedAt = await this.#watch(fault, incidents);
      await fault.revert();
      return { ...face, healedAt, incidents: incidents(), problem: null };
    } catch (error) {
      const problem = describeFailure(error).message;
      return { ...face, healedAt: null, incidents: incidents(), problem };
    }
  }

  /** One that is healed before its witness looked again did not show; it is tried once more. */
  async #inject(planned: PlannedFault): Promise<InjectedFault> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#parts.injector.inject(planned);
      } catch (error) {
        if (tries === TRIES || !(error instanceof FaultWitnessError)) throw error;
        await this.#quiet();
      }
    }
  }

  /** When it was seen to be gone with all that it made; null when it was not. */
  async #watch(fault: InjectedFault, incidents: () => readonly Incident[]): Promise<number | null> {
    const { clock } = this.#parts;
    const until = clock.monotonic() + HEALED_WITHIN_MS;
    while (clock.monotonic() < until && !this.#stopped.signal.aborted) {
      const all = incidents();
      const isOver = all.length > 0 && all.every(({ status }) => status === 'closed');
      if (isOver && !(await fault.isPresent())) return clock.now();
      await pause(LOOK_EVERY_MS, this.#stopped.signal);
    }
    return null;
  }

  async #quiet(): Promise<void> {
    const { clock, guardian } = this.#parts;
    const until = clock.monotonic() + HEALED_WITHIN_MS;
    while (guardian.openIncidents.length > 0 && clock.monotonic() < until) {
      await pause(LOOK_EVERY_MS, this.#stopped.signal);
    }
  }
}

/** A bot is looked at in several ways, each a resource: `mployer`, `mployer-port`. */
function isOf(target: string, resource: string): boolean {
  return resource === target || resource.startsWith(`${target}-`);
}

/** Ends early, and without an error, when it is called off. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
