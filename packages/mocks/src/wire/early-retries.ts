import { hash } from 'node:crypto';
import type { Sent } from './exchange.ts';

/** So many are remembered at most; the one that was told to wait first is forgotten first. */
const MOST_REQUESTS = 10_000;

/** Who was told to wait, with which request, and until when. */
export class EarlyRetries {
  readonly #untilByRequest = new Map<string, number>();

  /** How long this caller was asked to wait with this request still, in ms; 0 when it was not. */
  waitOf(operation: string, sent: Sent, at: number): number {
    if (this.#untilByRequest.size === 0) return 0;
    const until = this.#untilByRequest.get(keyOf(operation, sent)) ?? at;
    return Math.max(0, until - at);
  }

  forbid(operation: string, sent: Sent, at: number, forMs: number): void {
    this.#forgetThoseServedBy(at);
    const key = keyOf(operation, sent);
    this.#untilByRequest.delete(key); // so that it becomes the youngest
    this.#untilByRequest.set(key, at + forMs);
    if (this.#untilByRequest.size <= MOST_REQUESTS) return;
    const [oldest] = this.#untilByRequest.keys();
    if (oldest !== undefined) this.#untilByRequest.delete(oldest);
  }

  clear(): void {
    this.#untilByRequest.clear();
  }

  #forgetThoseServedBy(at: number): void {
    for (const [key, until] of this.#untilByRequest) {
      if (until <= at) this.#untilByRequest.delete(key);
    }
  }
}

/**
 * What comes early is the same request by the same caller. A vendor throttles an app whatever it asks; but many agents share
 * one client here, each with tasks of its own, and one 429 drawn by chance would stop them all, again and again. A digest,
 * because a body may be long, and credentials need not lie about.
 */
function keyOf(operation: string, { request, text = '' }: Sent): string {
  const { method, path, query, headers } = request;
  const caller = headers['authorization'] ?? '';
  return hash(
    'sha256',
    `${operation}\n${caller}\n${method} ${path}?${query.toString()}\n${text}`,
    'base64',
  );
}
