import type { Clock } from '@buddy/core';
import type { DBOSClient } from '@dbos-inc/dbos-sdk';
import type { Books } from './books.ts';
import type { Presence } from './presence.ts';
import { PROTOCOL } from './queues.ts';

/** What a sweep found: workflows, and calls of such, that nobody was at work on; they wait in their queues again. */
export interface Swept {
  workflowIds: readonly string[];
  /** Those that have died. */
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
  readonly #options: SweeperOptions;
  /** When a process was first missed, on the monotonic clock. */
  readonly #missedSince = new Map<string, number>();
  /** When a workflow was first seen that is this process's and that it is not at work on. */
  readonly #strandedSince = new Map<string, number>();
  /** How often a workflow was stranded here, and when last. */
  readonly #strandings = new Map<string, { times: number; at: number }>();

  constructor({ client, books, presence, clock }: SweeperPorts, options: SweeperOptions) {
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
    const swept = await this.#presence.alone(`sweep/${this.#options.name}`, (isAlone) =>
      this.#sweepAlone(isAlone),
    );
    return swept ?? NOTHING;
  }

  async #sweepAlone(isAlone: () => boolean): Promise<Swept> {
    const { name, processId } = this.#options;
    const inHand = await this.#client.listWorkflows({
      status: 'PENDING',
      applicationName: name,
      applicationVersion: PROTOCOL,
      loadInput: false,
      loadOutput: false,
    });
    const holders = new Set(inHand.map(({ executorId = '' }) => executorId));
    holders.delete(processId);
    const dead = new Set<string>();
    for (const holder of holders) if (await this.#isDead(holder)) dead.add(holder);
    const stranded = this.#findStranded(
      inHand.flatMap(({ executorId, workflowID }) =>
        executorId === processId ? [workflowID] : [],
      ),
    );
    const left = inHand.filter(
      ({ executorId = '', workflowID }) => dead.has(executorId) || stranded.has(workflowID),
    );
    if (left.length === 0) return NOTHING;
    const workflowIds = left.map(({ workflowID }) => workflowID);
    await this.#books.suspect(workflowIds.filter((id) => !stranded.has(id)));
    for (const [queueName, ids] of byQueue(left)) {
      // Another may be giving back the same, and a third have taken it: that would be cut off in the middle.
      if (!isAlone()) return NOTHING;
      await this.#client.resumeWorkflows(ids, { queueName });
    }
    for (const holder of dead) this.#missedSince.delete(holder);
    return { workflowIds, processIds: [...dead] };
  }

  /**
   * A process takes a workflow by one statement and begins it by the next: when the line is cut between the two, or beneath
   * the workflow, it stays with a process that does nothing for it.
   */
  #findStranded(mine: readonly string[]): ReadonlySet<string> {
    const now = this.#clock.monotonic();
    const idle = mine.filter((id) => !this.#options.isRunning(id));
    const since = new Map(idle.map((id) => [id, this.#strandedSince.get(id) ?? now]));
    this.#strandedSince.clear();
    for (const [id, at] of since) this.#strandedSince.set(id, at);
    for (const [id, { at }] of this.#strandings) {
      if (now - at > FORGOTTEN_MS) this.#strandings.delete(id);
    }
    const stranded = idle.filter((id) => now - (since.get(id) ?? now) >= this.#patienceMs(id));
    for (const id of stranded) {
      this.#strandings.set(id, { times: (this.#strandings.get(id)?.times ?? 0) + 1, at: now });
      this.#strandedSince.delete(id);
    }
    return new Set(stranded);
  }

  /** Longer each time: DBOS keeps asking for the result of each execution that was given up, as long as there is none. */
  #patienceMs(id: string): number {
    return Math.min(STRANDED_MS * 2 ** (this.#strandings.get(id)?.times ?? 0), LONGEST_STRANDED_MS);
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

interface SweeperOptions {
  name: string;
  processId: string;
  deadAfterMs: number;
  /** Whether this process is at work on it. */
  isRunning(workflowId: string): boolean;
}

interface SweeperPorts {
  client: DBOSClient;
  books: Books;
  presence: Presence;
  clock: Clock;
}

const NOTHING: Swept = { workflowIds: [], processIds: [] };

/** Longer than it takes to begin a workflow that was taken, or to keep the result of one that has ended. */
const STRANDED_MS = 2_000;
const LONGEST_STRANDED_MS = 64_000;
const FORGOTTEN_MS = 600_000;

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
