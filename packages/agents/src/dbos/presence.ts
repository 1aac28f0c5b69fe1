import type { Clock, Logger } from '@buddy/core';
import pg from 'pg';
import { lockKey, tryLock, unlock } from './advisory-lock.ts';
import { ANSWERED, CANCELLED, ENTERED } from './schema.ts';

export interface PresenceListener {
  onCancelled(workflowId: string): void;
  onEntered(): void;
  onAnswered(workflowId: string): void;
  /** The session was cut off and is back: what was said meanwhile was not heard. */
  onBack(): void;
}

/**
 * One session that says by a lock that this process is alive, and hears what the others say. Postgres lets go of the lock
 * when the session ends, however that comes about.
 */
export class Presence {
  readonly #databaseUrl: string;
  readonly #processId: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listener: PresenceListener;
  readonly #closed = new AbortController();
  #session: pg.Client | undefined;
  #seen = Promise.withResolvers<void>();
  #comingBack: Promise<void> | undefined;

  constructor(
    { databaseUrl, processId }: { databaseUrl: string; processId: string },
    { clock, logger }: { clock: Clock; logger: Logger },
    listener: PresenceListener,
  ) {
    this.#databaseUrl = databaseUrl;
    this.#processId = processId;
    this.#clock = clock;
    this.#logger = logger;
    this.#listener = listener;
  }

  /** @param prepare Done first, in the session. */
  async open(prepare?: (session: pg.Client) => Promise<void>): Promise<void> {
    const session = new pg.Client({
      connectionString: this.#databaseUrl,
      application_name: this.#processId,
      keepAlive: true,
    });
    session.on('error', (error) => this.#logger.warn({ err: error }, 'The session was cut off'));
    session.on('end', () => this.#miss(session));
    session.on('notification', ({ channel, payload = '' }) => this.#hear(channel, payload));
    await session.connect();
    try {
      await prepare?.(session);
      await session.query('SELECT pg_advisory_lock($1::bigint)', [lockOf(this.#processId)]);
      for (const channel of [CANCELLED, ENTERED, ANSWERED])
        await session.query(`LISTEN ${channel}`);
      this.#closed.signal.throwIfAborted();
    } catch (error) {
      await session.end().catch(() => undefined); // it was cut off, which is what went wrong
      throw error;
    }
    this.#session = session;
    this.#seen.resolve();
  }

  /** Resolves while there is a session, so that the others can see that this process is alive; else when it is back. */
  seen(): Promise<void> {
    return this.#seen.promise;
  }

  /**
   * Does it unless another process is doing it right now, or this one is cut off.
   * @param work Can ask whether it is still alone: the lock goes with its session.
   * @returns Undefined when it was not done.
   */
  async alone<Value>(
    name: string,
    work: (isAlone: () => boolean) => Promise<Value>,
  ): Promise<Value | undefined> {
    const session = this.#session;
    if (!session || !(await tryLock(session, lockKey(name)))) return undefined;
    try {
      return await work(() => this.#session === session);
    } finally {
      if (this.#session === session) await unlock(session, lockKey(name));
    }
  }

  /** Whether no session holds the lock of that process. Undefined when this one is cut off, and so cannot tell. */
  async isGone(processId: string): Promise<boolean | undefined> {
    const session = this.#session;
    if (!session) return undefined;
    const key = lockOf(processId);
    if (!(await tryLock(session, key))) return false;
    await unlock(session, key);
    return true;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#comingBack;
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
  }

  #hear(channel: string, payload: string): void {
    if (channel === CANCELLED) this.#listener.onCancelled(payload);
    else if (channel === ANSWERED) this.#listener.onAnswered(payload);
    else this.#listener.onEntered();
  }

  #miss(lost: pg.Client): void {
    if (this.#session !== lost) return;
    this.#session = undefined;
    this.#seen = Promise.withResolvers();
    this.#comingBack = this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        await this.open();
        this.#listener.onBack();
        return;
      } catch (error) {
        this.#logger.warn({ err: error }, 'No session with Postgres; trying again');
      }
      await this.#clock.sleep(RETRY_MS, this.#closed.signal).catch(() => undefined); // closed: the loop ends
    }
  }
}

const RETRY_MS = 100;

function lockOf(processId: string): string {
  return lockKey(`process/${processId}`);
}
