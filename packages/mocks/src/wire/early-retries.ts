import { hash } from 'node:crypto';
import type { Sent } from './exchange.ts';

/** So many are remembered at most; the one that was told to wait first is forgotten first. */
const MOST_CALLERS = 10_000;

/** Who was told to wait, for which operation, and until when. */
export class EarlyRetries {
  readonly #untilByCaller = new Map<string, number>();

  /** How long this caller was asked to wait with this operation still, in ms; 0 when it was not. */
  waitOf(operation: string, sent: Sent, at: number): number {
    if (this.#untilByCaller.size === 0) return 0;
    const until = this.#untilByCaller.get(keyOf(operation, sent)) ?? at;
    return Math.max(0, until - at);
  }

  forbid(operation: string, sent: Sent, at: number, forMs: number): void {
    this.#forgetThoseServedBy(at);
    const key = keyOf(operation, sent);
    this.#untilByCaller.delete(key); // so that it becomes the youngest
    this.#untilByCaller.set(key, at + forMs);
    if (this.#untilByCaller.size <= MOST_CALLERS) return;
    const [oldest] = this.#untilByCaller.keys();
    if (oldest !== undefined) this.#untilByCaller.delete(oldest);
  }

  clear(): void {
    this.#untilByCaller.clear();
  }

  #forgetThoseServedBy(at: number): void {
    for (const [key, until] of this.#untilByCaller) {
      if (until <= at) this.#untilByCaller.delete(key);
    }
  }
}

/**
 * A caller is known by its credentials, as the vendors know an app by its token: whatever it sends, it is the same one. Who
 * sends none is known by the request alone, or one such caller would keep all others waiting. A digest, because a body may
 * be long, and credentials need not lie about.
 */
function keyOf(operation: string, { request, text = '' }: Sent): string {
  const { method, path, query, headers } = request;
  const caller = headers['authorization'] ?? `${method} ${path}?${query.toString()}\n${text}`;
  return hash('sha256', `${operation}\n${caller}`, 'base64');
}
