import type { Clock } from '@buddy/core';
import type { EndpointAnswer, EndpointRequest } from './http-client.ts';

/** The last good answers to GET requests, for when no other is to be had. */
export class AnswerCache {
  readonly #forMs: number;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { answer: EndpointAnswer; at: number }>();

  constructor({ forMs, most }: { forMs: number; most: number }, clock: Clock) {
    this.#forMs = forMs;
    this.#most = most;
    this.#clock = clock;
  }

  keep(request: EndpointRequest, answer: EndpointAnswer): void {
    if (this.#forMs === 0 || answer.status !== 200) return;
    const key = keyOf(request);
    this.#kept.delete(key); // and so the youngest again
    this.#kept.set(key, { answer, at: this.#clock.monotonic() });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }

  find(request: EndpointRequest): EndpointAnswer | undefined {
    const kept = this.#kept.get(keyOf(request));
    if (!kept || this.#clock.monotonic() - kept.at > this.#forMs) return undefined;
    return kept.answer;
  }
}

/** Headers belong to it: another caller's answer is another answer. */
function keyOf({ path = '', headers = {} }: EndpointRequest): string {
  const sorted = Object.entries(headers).toSorted(([a], [b]) => a.localeCompare(b));
  return JSON.stringify([path, sorted]);
}
