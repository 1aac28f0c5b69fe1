import type { Clock } from '@buddy/core';
import type { Registration } from './engine.ts';
import { Lane } from './lane.ts';
import { RateLimit } from './rate-limit.ts';
import { Registrations } from './registrations.ts';

/** What an engine in this process can run, and the lines in which calls wait for their turn. */
export class Registry extends Registrations {
  readonly #clock: Clock;
  readonly #lanes: Map<string, Lane>;
  readonly #rateLimits = new Map<string, RateLimit>();

  /** @param lanes May be shared with other engines; one that is there already keeps its concurrency. */
  constructor(clock: Clock, lanes: Map<string, Lane>) {
    super();
    this.#clock = clock;
    this.#lanes = lanes;
  }

  override add(registration: Registration): void {
    super.add(registration);
    for (const [name, concurrency] of this.lanes) {
      if (!this.#lanes.has(name)) this.#lanes.set(name, new Lane(concurrency));
    }
    for (const [name, limit] of this.providers) {
      if (!this.#rateLimits.has(name))
        this.#rateLimits.set(name, new RateLimit(this.#clock, limit));
    }
  }

  lane(name: string | undefined): Lane | undefined {
    return name === undefined ? undefined : this.#lanes.get(name);
  }

  rateLimit(provider: string | undefined): RateLimit | undefined {
    return provider === undefined ? undefined : this.#rateLimits.get(provider);
  }

  /** As if every provider had been called as often as it allows: a process that is gone may have done that. */
  useUpRateLimits(): void {
    for (const limit of this.#rateLimits.values()) limit.useUp();
  }

  /** Stops timers; whoever waits, waits for ever. */
  rest(): void {
    for (const limit of this.#rateLimits.values()) limit.rest();
  }
}
