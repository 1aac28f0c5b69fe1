import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BuddyError, type Clock, describeFailure, type NewId } from '@buddy/core';
import { z } from 'zod';
import type { EndpointRequest } from './http-client.ts';

/** What became of one try to deliver. */
export type Delivery =
  | { is: 'delivered' }
  /** The other side will never take it, whenever it is asked. */
  | { is: 'refused'; status: number }
  /** Nobody took it now. */
  | { is: 'failed'; retryAfterMs?: number | undefined };

export interface OutboxOptions {
  /** SQLite file; `:memory:` lasts as long as the process. */
  file: string;
  most: number;
  retryMs: number;
  longestRetryMs: number;
}

export interface OutboxPorts {
  clock: Clock;
  newId: NewId;
  /** The same key each time that the same request is tried. */
  send: (request: EndpointRequest, idempotencyKey: string) => Promise<Delivery>;
}

/** So much is kept already that nothing more can be; nothing was kept of this one. */
export class OutboxFullError extends BuddyError {
  readonly code = 'GUARDIAN_OUTBOX_FULL';
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS held (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    body BLOB,
    refused_status INTEGER
  ) STRICT;
`;

const HeldRow = z.object({
  seq: z.number(),
  key: z.string(),
  request: z.string(),
  body: z.instanceof(Uint8Array).nullable(),
});
const Kept = z.object({
  method: z.string().exactOptional(),
  path: z.string().exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
});

/**
 * Requests that can wait: each is kept first and sent then, in the order in which they came; one that is not taken stops those
 * behind it. At least once: whoever takes them tells repeats by `idempotency-key`. What is refused for good steps aside.
 */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #options: OutboxOptions;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #head: StatementSync;
  readonly #remove: StatementSync;
  readonly #refuse: StatementSync;
  readonly #count: StatementSync;
  readonly #closing = new AbortController();
  /** One run at a time; whoever comes meanwhile has one of its own behind it. */
  #line: Promise<void> = Promise.resolve();
  /** The first in the queue was not taken, and its next try has its time. */
  #isResting = false;
  #failures = 0;
  #isHolding = false;

  constructor(options: OutboxOptions, ports: OutboxPorts) {
    this.#options = options;
    this.#ports = ports;
    const database = new DatabaseSync(options.file);
    database.exec(SCHEMA);
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO held (key, request, body) VALUES (?, ?, ?)');
    this.#head = database.prepare(
      'SELECT seq, key, request, body FROM held WHERE refused_status IS NULL ORDER BY seq LIMIT 1',
    );
    this.#remove = database.prepare('DELETE FROM held WHERE seq = ?');
    this.#refuse = database.prepare('UPDATE held SET refused_status = ? WHERE seq = ?');
    this.#count = database.prepare(
      'SELECT count(*) AS n FROM held WHERE (refused_status IS NULL) = ?',
    );
  }

  get held(): number {
    return this.#countOf(true);
  }

  /** Refused for good by the other side; they stay in the file, for somebody to look at. */
  get refused(): number {
    return this.#countOf(false);
  }

  get isHolding(): boolean {
    return this.#isHolding;
  }

  hold(): void {
    this.#isHolding = true;
  }

  async release(): Promise<void> {
    this.#isHolding = false;
    this.#isResting = false;
    this.#failures = 0;
    await this.#drain();
  }

  /** Goes on with what a former process left. */
  async deliver(request: EndpointRequest): Promise<'delivered' | 'held'> {
    if (this.held >= this.#options.most) {
      throw new OutboxFullError(
        `${this.#options.most} requests wait to be delivered; no more are kept.`,
        { retryable: true },
      );
    }
    const { body, ...rest } = request;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const key = this.#ports.newId();
    const { lastInsertRowid } = this.#insert.run(key, JSON.stringify(rest), bytes ?? null);
    const seq = Number(lastInsertRowid);
    await this.#drain();
    const head = this.#readHead();
    return head !== undefined && head.seq <= seq ? 'held' : 'delivered';
  }

  async close(): Promise<void> {
    this.#closing.abort('closed');
    await this.#line;
    if (this.#database.isOpen) this.#database.close();
  }

  #drain(): Promise<void> {
    this.#line = this.#line.then(() => this.#sendInOrder());
    return this.#line;
  }

  async #sendInOrder(): Promise<void> {
    while (!this.#isHolding && !this.#isResting && !this.#closing.signal.aborted) {
      const head = this.#readHead();
      if (head === undefined) return;
      const { method, path, headers } = Kept.parse(JSON.parse(head.request));
      const request: EndpointRequest = {
        ...(method !== undefined && { method }),
        ...(path !== undefined && { path }),
        ...(headers && { headers }),
        ...(head.body && { body: head.body }),
      };
      const delivery = await this.#ports.send(request, head.key);
      switch (delivery.is) {
        case 'delivered':
          this.#failures = 0;
          this.#remove.run(head.seq);
          break;
        case 'refused':
          this.#refuse.run(delivery.status, head.seq);
          break;
        case 'failed':
          this.#isResting = true;
          void this.#tryAgainLater(delivery.retryAfterMs);
          break;
      }
    }
  }

  async #tryAgainLater(retryAfterMs = 0): Promise<void> {
    const { retryMs, longestRetryMs } = this.#options;
    const waitMs = Math.min(longestRetryMs, retryMs * 2 ** this.#failures);
    this.#failures += 1;
    const isTime = await this.#ports.clock
      .sleep(Math.max(waitMs, retryAfterMs), this.#closing.signal)
      .then(
        () => true,
        () => false, // closed
      );
    if (!isTime) return;
    this.#isResting = false;
    await this.#drain();
  }

  #readHead(): z.output<typeof HeldRow> | undefined {
    const row = this.#head.get();
    return row && HeldRow.parse(row);
  }

  #countOf(isOpen: boolean): number {
    return Number(this.#count.get(isOpen ? 1 : 0)?.['n'] ?? 0);
  }
}

/** What a failed try says of whether to try again. */
export function deliveryOfError(error: unknown): Delivery {
  return { is: 'failed', retryAfterMs: describeFailure(error).retryAfterMs };
}
