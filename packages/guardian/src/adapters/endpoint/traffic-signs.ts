import type { Clock } from '@buddy/core';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { Unanswered } from './request-sender.ts';

/** So many requests without an answer in so short a time are a sign, in ms. */
const TIMEOUTS = 2;
const WINDOW_MS = 10_000;

const NO_WAY: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN']);

/** What the requests of the application itself show, long before the next look. */
export class TrafficSigns {
  readonly #clock: Clock;
  #lateAt: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The sign that this failure is, or makes complete. */
  signOf({ path, isLate, code }: Unanswered): Sign | undefined {
    if (NO_WAY.has(code)) {
      const note = `no way to ${path} (${code})`;
      return { status: 'FAILED', signal: 'network.unreachable', certainty: 'decisive', note };
    }
    if (!isLate) return undefined;
    const now = this.#clock.monotonic();
    this.#lateAt = [...this.#lateAt.filter((at) => now - at < WINDOW_MS), now];
    if (this.#lateAt.length < TIMEOUTS) return undefined;
    this.#lateAt = [];
    const note = `${TIMEOUTS} requests by ${path} had no answer within ${WINDOW_MS} ms`;
    return { status: 'FAILED', signal: 'api.timeout', certainty: 'ambiguous', note };
  }
}
