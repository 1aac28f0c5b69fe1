import type { WorkflowResult, WorkflowView } from './engine.ts';
import { asJson } from './json-value.ts';

/**
 * What happens to workflows, in the order in which it happens. A store keeps these and nothing else; whatever it says of a
 * workflow follows from them. Values are JSON as text.
 */
export type Operation =
  | {
      kind: 'begun';
      id: string;
      workflow: string;
      version: string;
      parentId: string | null;
      input: string;
    }
  /** What came of a verb: a wait may have consumed a signal, an activity has called a tool. */
  | {
      kind: 'recorded';
      id: string;
      at: number;
      key: string;
      value: string;
      consumes?: string;
      tool?: string;
    }
  /** A call is about to be made that must not be made again without asking; `tries` counts those that nobody heard of again. */
  | { kind: 'intended'; id: string; key: string; tries: number }
  /** A wait has begun. `isParked`: it is all that the workflow does, which leaves the memory meanwhile. */
  | ({ kind: 'timed'; id: string; key: string; isParked: boolean } & Wait)
  /** The first of a key counts; what comes again under it is not kept. */
  | { kind: 'signalled'; id: string; key: string; topic: string; value: string }
  | { kind: 'told'; id: string; at: number; key: string; fact: string }
  /** With all that are below and have not ended; the first reason counts. */
  | { kind: 'cancelled'; id: string; reason: string }
  | { kind: 'ended'; id: string; status: WorkflowView['status']; result: string }
  /** How it came to its end is needed no more; its result is. See `Engine.compact` for what is below. */
  | { kind: 'compacted'; id: string };

/** It ends at `dueAt` (ms since the epoch), and never later than `delayMs` from wherever it goes on. */
export interface Wait {
  dueAt: number;
  delayMs: number;
}

/** A workflow that began, as far as it is known. */
export interface StoredWorkflow {
  id: string;
  workflow: string;
  version: string;
  parentId: string | null;
  input: string;
  cancelReason: string | undefined;
  /** Undefined while it has not ended. */
  ended: { status: WorkflowView['status']; result: string } | undefined;
  /** What is below is empty once it has ended. */
  recorded: ReadonlyMap<string, string>;
  intended: ReadonlyMap<string, number>;
  timed: ReadonlyMap<string, Wait>;
  told: ReadonlySet<string>;
  /** All that ever came, in order; `isConsumed` by a wait. */
  signals: readonly { key: string; topic: string; value: string; isConsumed: boolean }[];
}

export interface Unfinished extends Pick<
  StoredWorkflow,
  'id' | 'workflow' | 'version' | 'parentId'
> {
  /** What it waits for, when it does nothing else and nothing has come for it since. */
  parked?: Wait;
}

/** What came of a verb, or a fact that was told, and its place among all that was kept. */
export type HistoryEntry<Fact = unknown, Recorded = unknown> = {
  seq: number;
  /** ms since the Unix epoch. */
  at: number;
  workflowId: string;
  key: string;
} & (
  | {
      kind: 'recorded';
      /** What an activity called; null of other verbs. */
      tool: string | null;
      value: Recorded;
    }
  | { kind: 'told'; value: Fact }
);

/** What an engine remembers by. One process writes it. */
export interface WorkflowStore {
  /**
   * Keeps what happened; resolves when it will not be lost. What is kept is kept in the order of these calls, so that a
   * crash loses the end and never the middle. Tried until it can be kept.
   */
  keep(operation: Operation): Promise<void>;
  /**
   * As `keep`, for what comes from outside and may be refused there; at once, while nothing can be kept. The same may be
   * offered again, also when it was kept before: a refusal takes back what this very offer did, and nothing else.
   * @throws {JournalWriteError} When it cannot be kept now; then it never is.
   */
  offer(operation: Operation): Promise<void>;
  /**
   * Undefined while what happens can be kept; else resolves when it can be again. Nothing new should be begun meanwhile, and
   * what is read may be about to be taken back.
   */
  stalled(): Promise<void> | undefined;
  /** Resolves when all that was handed over can be read back. */
  settled(): Promise<void>;
  /** What was kept of a workflow; undefined when it never began. */
  load(id: string): StoredWorkflow | undefined;
  /** Workflows that began and have not ended, oldest first; of all, or of those below one. */
  unfinished(below?: string): readonly Unfinished[];
  views(): Iterable<WorkflowView>;
  /** In the order in which it was kept, after the entry of this number. */
  history(after: number): Iterable<HistoryEntry>;
  close(): Promise<void>;
}

/** JSON as a store keeps it; see `asJson`. @throws {NotJsonError} */
export function toJournal(value: unknown, what = 'What is to be remembered'): string {
  return asJson(value, what).text;
}

/** Undefined of what JSON cannot hold. */
export function tryJournal(value: unknown): string | undefined {
  try {
    return toJournal(value);
  } catch {
    return undefined;
  }
}

export function fromJournal<Value>(text: string): Value {
  return JSON.parse(text) as Value;
}

/**
 * How long a wait still takes, in ms. It was to end at a time of day, but never takes longer than it was meant to: a clock
 * that is set back must not turn 2 s into an hour.
 */
export function restOf({ dueAt, delayMs }: Wait, now: number): number {
  return Math.min(delayMs, Math.max(0, dueAt - now));
}

export function resultOf(ended: { result: string }): WorkflowResult {
  return fromJournal<WorkflowResult>(ended.result);
}
