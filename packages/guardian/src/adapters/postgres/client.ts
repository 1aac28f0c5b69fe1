import type { Clock } from '@buddy/core';
import { StepTimeoutError } from '../../errors.ts';

/** As much of a pool as is needed; a `Pool` of `pg` fits. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** As much of a single connection; a `Client` of `pg` fits. */
export interface PostgresClient extends PostgresPool {
  connect(): Promise<unknown>;
}

export interface ConnectionRequest {
  /** For people. */
  target: string;
  open: () => PostgresClient;
  /** A server that says nothing for so long, in ms, is silent. */
  answerMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Does work with a connection of its own, and lets go of it when nobody waits any more.
 * @throws {StepTimeoutError} When the server is silent.
 */
export async function withClient<T>(
  { target, open, answerMs, clock, signal }: ConnectionRequest,
  work: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = open();
  client.on('error', () => undefined); // whoever waits for an answer is told
  const timer = new AbortController();
  const silence = clock.sleep(answerMs, timer.signal).then(() => {
    throw new StepTimeoutError(`A question to ${target}`, answerMs);
  });
  silence.catch(() => undefined); // it may not be needed
  const working = client.connect().then(() => work(client));
  try {
    return await untilAborted(Promise.race([working, silence]), signal);
  } finally {
    timer.abort('over');
    working.catch(() => undefined);
    client.end().catch(() => undefined); // a connection into nowhere never says farewell
  }
}

/** Waits for work that cannot be aborted, as long as nobody aborts. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
