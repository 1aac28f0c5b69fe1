import type { Actor, FailureDescription } from '@buddy/core';

/**
 * What orchestration code is written against, and all it may use: no clock, no chance, no files, no network of its own.
 * An engine may stop the code at any verb, start it again on another machine and replay what was recorded, so:
 *
 * - every call bears a key, unique within its workflow, and calls come in the same order each time;
 * - what goes in and what comes out is JSON, and small (under 256 KB; else hand over a reference).
 */
export interface DurableContext {
  /** The workflow's own id. */
  readonly id: string;
  /** Calls a tool by name and remembers what came of it. Never rejects for what the tool does. */
  activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>>;
  /** Waits, also over a restart. */
  sleep(key: string, ms: number): Promise<'slept' | 'cancelled'>;
  /** The time, in ms since the epoch; the same when replayed. */
  now(key: string): Promise<number>;
  /** Waits for a signal to this workflow; one that came before is not lost. */
  waitFor<Value>(
    topic: string,
    options: { key: string; timeoutMs: number },
  ): Promise<Received<Value>>;
  /** Starts workflows below this one. */
  spawnAll(children: readonly ChildStart[]): Promise<readonly ChildHandle[]>;
  /** Waits for all of them; in the order given. */
  joinAll<Value>(children: readonly ChildHandle[]): Promise<readonly ChildResult<Value>[]>;
  /** Tells the world a fact, once per key. */
  emit(key: string, fact: object): Promise<void>;
}

export interface ActivityCall {
  key: string;
  /** The tool's name. */
  tool: string;
  input: unknown;
  /** Names the piece of work: the idempotency key is the SHA-256 of it, so the same words mean the same effect. */
  work: string;
  actor: Actor;
  rationale: string;
  /** From 1. */
  attempt: number;
  runId?: string;
  taskId?: string;
  /** No more activities of one lane run at once than the lane's concurrency. */
  lane?: string;
  /** Calls of one provider begin no faster than its rate limit. Who waits for that holds no place in a lane. */
  provider?: string;
  /** The activity is aborted, and ends as `timed_out`, after this long. */
  timeoutMs?: number;
  /** Also when the workflow is cancelled: for bookkeeping that must be finished. Default false. */
  evenIfCancelled?: boolean;
}

/** What came of an activity; times in ms since the Unix epoch. */
export type ActivityResult<Value> = { startedAt: number; endedAt: number } & (
  | { kind: 'succeeded'; value: Value }
  | { kind: 'failed' | 'timed_out' | 'denied' | 'cancelled'; failure: FailureDescription }
  | { kind: 'approval_required'; approvalId: string; failure: FailureDescription }
);

export type Received<Value> =
  | { kind: 'received'; value: Value }
  | { kind: 'timed_out' }
  | { kind: 'cancelled' };

export interface ChildStart {
  key: string;
  /** The name under which the workflow is registered. */
  workflow: string;
  input: unknown;
  /** The child's id; unique in the engine. */
  id: string;
}

export interface ChildHandle {
  id: string;
}

export type ChildResult<Value> =
  | { kind: 'completed'; value: Value }
  | { kind: 'failed'; failure: FailureDescription };

/** A workflow: orchestration code, pure but for the verbs of its context. */
export type Workflow = (context: DurableContext, input: never) => Promise<unknown>;
