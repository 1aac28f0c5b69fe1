import type { WireRequest, WireResponse } from './message.ts';

interface SendOptions {
  /** Stops the waiting: `send` rejects with `signal.reason`. What was under way may have happened. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a typed client reaches its provider: over `fetch`, or straight into a mock's exchange. The client above it is the
 * same, so a mock's client and the real one cannot differ.
 */
export interface Transport {
  /**
   * Resolves with whatever was answered, errors included.
   * @throws {ConnectionLostError} When no whole answer came.
   */
  send(request: WireRequest, options?: SendOptions): Promise<WireResponse>;
}
