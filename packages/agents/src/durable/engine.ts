import type { FailureDescription, Tool } from '@buddy/core';
import type { Workflow } from './durable-context.ts';

/** What an engine runs. Registered before the first `start`. */
export interface Registration {
  workflows: Readonly<Record<string, Workflow>>;
  /** Activities are calls of these, by name. */
  tools: readonly Tool[];
  /** How many activities of a lane may run at once. A lane that is not named has no limit. */
  lanes: Readonly<Record<string, number>>;
}

/** Runs workflows durably, as far as its store remembers. */
export interface Engine {
  register(registration: Registration): void;
  /** Starts a workflow; an id that was started before is left alone. */
  start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }>;
  /** Hands a value to a workflow, now or when it next waits for the topic. The first value per key counts. */
  signal(id: string, topic: string, value: unknown, options: { key: string }): Promise<void>;
  /** Aborts what the workflow and those below it have in flight; their verbs answer `cancelled` from now on. */
  cancel(id: string, reason: string): Promise<void>;
  /** Resolves when the workflow has ended. */
  result(id: string): Promise<WorkflowResult>;
  list(): AsyncIterable<WorkflowView>;
  /**
   * Calls `listener` for every fact, in order; the caller knows what facts its workflows tell. A listener that throws fails
   * the workflow that told the fact.
   */
  subscribe<Fact extends object>(listener: (fact: Fact) => void): () => void;
  /** Lets go of timers and handles. Workflows that have not ended are not told. */
  close(): Promise<void>;
}

export type WorkflowResult =
  | { kind: 'completed'; value: unknown }
  | { kind: 'failed'; failure: FailureDescription };

export interface WorkflowView {
  id: string;
  workflow: string;
  status: 'running' | 'cancelled' | 'completed' | 'failed';
}

/** What a scheduler remembers. One that forgets makes the engine an in-memory one. */
export interface JournalStore {
  /** What was recorded under the key, if it was. */
  recall(workflowId: string, key: string): { value: unknown } | undefined;
  /** Records; resolves when it will not be lost. */
  record(workflowId: string, key: string, value: unknown): Promise<void> | undefined;
}

/** Nothing outlives the process. */
export const forgetfulStore: JournalStore = {
  recall: () => undefined,
  record: () => undefined,
};
