import type { DBOSClient } from '@dbos-inc/dbos-sdk';
import type pg from 'pg';
import type { ActivityCall, ActivityResult } from '../durable/durable-context.ts';
import { Batch } from './batch.ts';
import type { Books } from './books.ts';
import type { LargeValues } from './large-values.ts';
import { PROTOCOL } from './queues.ts';
import { type RetryPorts, retryLost } from './retry-lost.ts';
import { CALL, CLASS, PERMIT } from './runtime.ts';

interface QueuedCall {
  call: ActivityCall;
  workflowId: string;
  queue: string;
}

interface QueuedPermit {
  key: string;
  workflowId: string;
  queue: string;
}

/**
 * Puts calls and permits into their queues: many in one transaction, and outside of DBOS's steps, for each is known by its
 * id, and whoever asks for it again finds it there.
 */
export class Enqueuing {
  readonly #pool: pg.Pool;
  readonly #client: DBOSClient;
  readonly #books: Books;
  readonly #large: LargeValues;
  readonly #ports: RetryPorts;
  readonly #calls = new Batch((calls: readonly QueuedCall[]) => this.#enqueueNew(calls));
  readonly #permits = new Batch((permits: readonly QueuedPermit[]) =>
    this.#enqueue(permits, (permit) => ({
      workflowName: PERMIT,
      workflowID: permitId(permit),
      args: [permit.key, permit.workflowId],
    })),
  );

  constructor(
    {
      pool,
      client,
      books,
      large,
    }: { pool: pg.Pool; client: DBOSClient; books: Books; large: LargeValues },
    ports: RetryPorts,
  ) {
    this.#pool = pool;
    this.#client = client;
    this.#books = books;
    this.#large = large;
    this.#ports = ports;
  }

  /** @returns The answer when there is one already; it was not enqueued then. */
  enqueueCall(call: QueuedCall): Promise<ActivityResult<unknown> | undefined> {
    return this.#calls.add(call);
  }

  async enqueuePermit(permit: QueuedPermit): Promise<void> {
    await this.#permits.add(permit);
  }

  async #enqueueNew(
    calls: readonly QueuedCall[],
  ): Promise<(ActivityResult<unknown> | undefined)[]> {
    const known = await this.#books.recall(
      calls.map(({ workflowId, call: { key } }) => ({ workflowId, key })),
    );
    const answers = new Map(
      known.map(({ workflowId, key, value }) => [callId(workflowId, key), value]),
    );
    const asked = calls.filter(
      ({ workflowId, call: { key } }) => !answers.has(callId(workflowId, key)),
    );
    const packed = await this.#large.packAll(
      asked.map(({ call, workflowId }) => ({ value: call, use: { workflowId, as: 'entry' } })),
    );
    await this.#enqueue(
      asked.map((one, nth) => ({ ...one, handedOver: packed[nth] })),
      ({ call, handedOver, workflowId }) => ({
        workflowName: CALL,
        workflowID: callId(workflowId, call.key),
        args: [handedOver, workflowId],
        ...(call.lane !== undefined && { queuePartitionKey: call.lane }),
      }),
    );
    return calls.map(
      ({ workflowId, call: { key } }) =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a call keeps
        answers.get(callId(workflowId, key)) as ActivityResult<unknown> | undefined,
    );
  }

  async #enqueue<Item extends { queue: string }>(
    items: readonly Item[],
    describe: (item: Item) => Enqueued,
  ): Promise<undefined[]> {
    if (items.length > 0) {
      await retryLost(
        () =>
          this.#inTransaction(async (session) => {
            for (const item of items) {
              const { args, ...options } = describe(item);
              await this.#client.enqueueInTransaction(
                session,
                {
                  ...options,
                  queueName: item.queue,
                  workflowClassName: CLASS,
                  appVersion: PROTOCOL,
                },
                ...args,
              );
            }
          }),
        this.#ports,
      );
    }
    return items.map(() => undefined);
  }

  async #inTransaction(work: (session: pg.PoolClient) => Promise<void>): Promise<void> {
    const session = await this.#pool.connect();
    let failure: unknown;
    try {
      await session.query('BEGIN');
      await work(session);
      await session.query('COMMIT');
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      session.release(failure !== undefined); // a session in the middle of something is let go of
    }
  }
}

interface Enqueued {
  workflowName: string;
  workflowID: string;
  queuePartitionKey?: string;
  args: unknown[];
}

export function callId(workflowId: string, key: string): string {
  return `${workflowId}/call:${key}`;
}

export function permitId({ workflowId, key }: { workflowId: string; key: string }): string {
  return `${workflowId}/permit:${key}`;
}
