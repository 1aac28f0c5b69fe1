import type { Sent } from './exchange.ts';

/** So many requests at most are remembered; the one that was told to wait first is forgotten first. */
const MOST_REQUESTS = 10_000;

/** Who was told to wait, and until when. Kept for each request, so that nobody else's calls are touched. */
export class EarlyRetries {
  readonly #untilByRequest = new Map<string, number>();

  /** How long this very request was asked to wait still, in ms; 0 when it was not. */
  waitOf(sent: Sent, at: number): number {
    if (this.#untilByRequest.size === 0) return 0;
    const key = keyOf(sent);
    const until = this.#untilByRequest.get(key);
    if (until === undefined) return 0;
    if (until > at) return until - at;
    this.#untilByRequest.delete(key);
    return 0;
  }

  forbid(sent: Sent, at: number, forMs: number): void {
    this.#untilByRequest.set(keyOf(sent), at + forMs);
    if (this.#untilByRequest.size <= MOST_REQUESTS) return;
    const [oldest] = this.#untilByRequest.keys();
    if (oldest !== undefined) this.#untilByRequest.delete(oldest);
  }

  clear(): void {
    this.#untilByRequest.clear();
  }
}

function keyOf({ request: { method, path, query }, text = '' }: Sent): string {
  return `${method} ${path}?${query.toString()}\n${text}`;
}
