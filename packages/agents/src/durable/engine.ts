import type { FailureDescription, Tool } from '@buddy/core';
import type { Workflow } from './durable-context.ts';
import type { RateLimitOptions } from './rate-limit.ts';
import type { HistoryEntry } from './workflow-store.ts';

/** What an engine runs. Registered before the first `start`, and before `open`. */
export interface Registration {
  workflows: Readonly<Record<string, Workflow>>;
  /** Activities are calls of these, by name. */
  tools: readonly Tool[];
  /** How many activities of a lane may run at once. A lane that is not named has no limit. */
  lanes: Readonly<Record<string, number>>;
  /** How many calls of a provider may begin within any time of this length; see `ActivityCall.provider`. */
  providers?: Readonly<Record<string, RateLimitOptions>>;
  /**
   * Of the workflows' code; default `1`. A workflow goes on with the version it began with: register that beside a new one
   * for as long as any is left, for a replay by other code goes astray.
   */
  version?: string;
}

/** Runs workflows durably, as far as its store remembers. */
export interface Engine {
  /** Whether what it runs outlives the process. */
  readonly isDurable: boolean;
  register(registration: Registration): void;
  /**
   * Goes on with the workflows that an earlier process left. Without it an engine only does what is started here.
   * @returns How many there are, those below others included.
   */
  open(): Promise<{ resumed: number }>;
  /**
   * Starts a workflow; an id that was started before is left alone. Resolves when it will not be lost.
   * @throws {JournalWriteError} When that cannot be kept, as on a full disk; it was not started.
   */
  start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }>;
  /**
   * Hands a value to a workflow, now or when it next waits for the topic. The first value per key counts.
   * @throws {JournalWriteError} When that cannot be kept; it was not handed over.
   */
  signal(id: string, topic: string, value: unknown, options: { key: string }): Promise<void>;
  /**
   * Aborts what the workflow and those below it have in flight; their verbs answer `cancelled` from now on.
   * @throws {JournalWriteError} When that cannot be kept; it goes on.
   */
  cancel(id: string, reason: string): Promise<void>;
  /** Resolves when the workflow has ended. */
  result(id: string): Promise<WorkflowResult>;
  list(): AsyncIterable<WorkflowView>;
  /**
   * Calls `listener` for every fact, in order, with the time it was told at; the caller knows what facts its workflows tell. A listener that throws fails
   * the workflow that told the fact.
   */
  subscribe<Fact extends object>(listener: (fact: Fact, at: number) => void): () => void;
  /**
   * What came of verbs, and the facts that were told, of workflows that have not been compacted; in the order in which they
   * were kept, after the entry of this number. Nothing without a store.
   */
  history<Fact = unknown, Recorded = unknown>(
    after?: number,
  ): AsyncIterable<HistoryEntry<Fact, Recorded>>;
  /**
   * Forgets how an ended workflow came to its end, and all that ended below it. The result stays; so does whatever still runs
   * below, with all that is below that and those by which it is reached: it goes on, is cancelled with this one and ends as
   * ever. Compact again when it has ended.
   */
  compact(id: string): Promise<void>;
  /** Lets go of timers, handles and the store. Workflows that have not ended are not told; another process may go on with them. */
  close(): Promise<void>;
}

export type WorkflowResult =
  | { kind: 'completed'; value: unknown }
  | { kind: 'failed'; failure: FailureDescription };

export interface WorkflowView {
  id: string;
  workflow: string;
  status: 'running' | 'cancelled' | 'completed' | 'failed';
  /** Null as long as nobody has cancelled it. */
  cancelReason: string | null;
}
