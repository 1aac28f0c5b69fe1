import type { Clock } from '@buddy/core';
import type { DBOSClient } from '@dbos-inc/dbos-sdk';
import type { Books } from './books.ts';
import type { Presence } from './presence.ts';
import { APPLICATION, PROTOCOL } from './queues.ts';

/** What a sweep found: workflows, and parts of such, whose process has died; they wait in their queues again. */
export interface Swept {
  workflowIds: readonly string[];
  processIds: readonly string[];
}

/**
 * Gives back what dead processes had in hand. DBOS does that at the restart of the same executor, or by a service of its
 * vendor; processes of ours come and go, so each looks after the others.
 */
export class Sweeper {
  readonly #client: DBOSClient;
  readonly #books: Books;
  readonly #presence: Presence;
  readonly #clock: Clock;
  readonly #options: { processId: string; deadAfterMs: number };
  /** When a process was first missed, on the monotonic clock. */
  readonly #missedSince = new Map<string, number>();

  constructor(
    { client, books, presence, clock }: SweeperPorts,
    options: { processId: string; deadAfterMs: number },
  ) {
    this.#client = client;
    this.#books = books;
    this.#presence = presence;
    this.#clock = clock;
    this.#options = options;
  }

  /** Whoever was missed may have been cut off as this process was. */
  forgetMissed(): void {
    this.#missedSince.clear();
  }

  /** One process sweeps at a time, so that none takes what another has just given back. */
  async sweep(): Promise<Swept> {
    const swept = await this.#presence.alone('sweep', () => this.#sweepAlone());
    return swept ?? { workflowIds: [], processIds: [] };
  }

  async #sweepAlone(): Promise<Swept> {
    const { processId } = this.#options;
    const inHand = await this.#client.listWorkflows({
      status: 'PENDING',
      applicationName: APPLICATION,
      applicationVersion: PROTOCOL,
      loadInput: false,
      loadOutput: false,
    });
    const holders = new Set(inHand.map(({ executorId = '' }) => executorId));
    holders.delete(processId);
    const dead = new Set<string>();
    for (const holder of holders) if (await this.#isDead(holder)) dead.add(holder);
    const left = inHand.filter(({ executorId = '' }) => dead.has(executorId));
    if (left.length === 0) return { workflowIds: [], processIds: [] };
    const workflowIds = left.map(({ workflowID }) => workflowID);
    await this.#books.suspect(workflowIds);
    for (const [queueName, ids] of byQueue(left)) {
      await this.#client.resumeWorkflows(ids, { queueName });
    }
    for (const holder of dead) this.#missedSince.delete(holder);
    return { workflowIds, processIds: [...dead] };
  }

  async #isDead(processId: string): Promise<boolean> {
    const isGone = await this.#presence.isGone(processId);
    if (isGone !== true) {
      this.#missedSince.delete(processId);
      return false;
    }
    const now = this.#clock.monotonic();
    const since = this.#missedSince.get(processId) ?? now;
    this.#missedSince.set(processId, since);
    return now - since >= this.#options.deadAfterMs;
  }
}

interface SweeperPorts {
  client: DBOSClient;
  books: Books;
  presence: Presence;
  clock: Clock;
}

function byQueue(
  left: readonly { workflowID: string; queueName?: string }[],
): ReadonlyMap<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { workflowID, queueName } of left) {
    if (queueName === undefined) continue; // none of ours: all that we start is queued
    ids.set(queueName, [...(ids.get(queueName) ?? []), workflowID]);
  }
  return ids;
}
