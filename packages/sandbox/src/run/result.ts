import type { LogLevel } from '../protocol/messages.ts';
import type { Violation } from '../violations/violation.ts';

export interface GuestError {
  /**
   * `syntax`, `reference` and `runtime` as in the language; `unsupported`: correct, but not possible here; `result`: the
   * value is no plain data or does not fit `output`; `crash`: the process died; `limit` and `violation`: see `status`.
   */
  kind:
    | 'syntax'
    | 'reference'
    | 'runtime'
    | 'unsupported'
    | 'result'
    | 'crash'
    | 'limit'
    | 'violation';
  name: string;
  message: string;
  /** In the code as it was given, from 1; null where it is not known. */
  line: number | null;
  column: number | null;
  /** The lines around it, with a mark; empty where the line is not known. */
  frame: string;
  /** What to do about it; empty where there is nothing to say. */
  hint: string;
}

export interface LogLine {
  level: LogLevel;
  text: string;
}

export interface CallRecord {
  /** Among the program's calls and timers, from 1. */
  id: number;
  tool: string;
  input: unknown;
  /** Of the call in the program, from 1; null where it is not known. */
  line: number | null;
  /**
   * `unanswered`: the run ended first, and the call was stopped: it may or may not have happened. The usual cause, in a run
   * that ended `ok`, is a forgotten `await`; `toModelText` says so. Where the run was paused, the call has not begun, and
   * is made when the run goes on.
   */
  status: 'ok' | 'error' | 'denied' | 'approval-required' | 'unanswered';
  /** Why it failed; null when it did not. */
  error: string | null;
  durationMs: number;
  /** Answered from the record of the run that was paused. */
  isReplayed: boolean;
}

export interface Usage {
  wallMs: number;
  cpuMs: number;
  /** Memory beyond that of an idle child, at most, as far as was seen. */
  peakMb: number;
  toolCalls: number;
}

const LIMIT_KINDS = [
  'wall',
  'cpu',
  'memory',
  'toolCalls',
  'callBytes',
  'timers',
  'output',
  'result',
] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

export interface LimitReached {
  kind: LimitKind;
  /** In the unit of the option. */
  allowed: number;
  /** When the run was stopped; never less than `allowed`. Of a result, what was counted when it went past it: it may be larger. */
  used: number;
}

/** A tool call that waits for a person. */
export interface PendingApproval {
  tool: string;
  input: unknown;
  approvalId: string;
}

export interface RunFacts {
  executionId: string;
  logs: readonly LogLine[];
  calls: readonly CallRecord[];
  /** All that was tried, whether or not the program caught the error. */
  violations: readonly Violation[];
  usage: Usage;
  /** The result in a few lines, with each call that was not answered, to be handed back to the model that wrote the code. */
  toModelText(): string;
}

export type RunResult<Value = unknown> = RunFacts &
  (
    | { status: 'ok'; value: Value }
    | { status: 'error'; error: GuestError }
    | { status: 'violation'; violation: Violation; error: GuestError }
    | { status: 'limit'; limit: LimitReached; error: GuestError }
    | { status: 'paused'; pending: readonly PendingApproval[]; token: string }
  );

/** `RunResult` before its facts and its text are added. */
export type RunEnding =
  | { status: 'ok'; value: unknown }
  | { status: 'error'; error: GuestError }
  | { status: 'violation'; violation: Violation; error: GuestError }
  | { status: 'limit'; limit: LimitReached; error: GuestError }
  | { status: 'paused'; pending: readonly PendingApproval[]; token: string };
