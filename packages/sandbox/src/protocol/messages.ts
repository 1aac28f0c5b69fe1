import type { Violation } from '../violations/violation.ts';
import type { PlainDataProblem, Wire } from './plain-data.ts';

/** What a child is told once, before any guest code is known: it does as much work as it can ahead. */
export interface SetupMessage {
  type: 'setup';
  toolNames: readonly string[];
  modules: Readonly<Record<string, ModuleProgram>>;
  limits: ChildLimits;
}

export interface ModuleProgram {
  /** An expression: the module's namespace, or a function of the globals that returns it. */
  source: string;
  isFunction: boolean;
}

/** Limits that the child keeps by itself, to fail politely. The host checks each of them again, and kills. */
export interface ChildLimits {
  maxArgumentBytes: number;
  maxResultBytes: number;
  maxLogBytes: number;
  maxLogLines: number;
  maxErrorChars: number;
  maxTimers: number;
  maxScratchBytes: number;
  maxScratchFiles: number;
}

export interface RunMessage {
  type: 'run';
  run: number;
  /** An expression whose value is an async function of the globals. */
  source: string;
  input: Wire;
  /** Four 32-bit integers, the first state of `Math.random`. */
  seed: readonly number[];
  /** What `Date.now()` is at first, in ms since the Unix epoch. */
  now: number;
  /** To say so whenever nothing is left to do before the next answer. Default not to. */
  tellsRest?: boolean;
}

/** What became of a tool call or a timer. */
export interface AnswerMessage {
  type: 'answer';
  run: number;
  id: number;
  /** Milliseconds since the run began, as the guest's clock is to show them. */
  elapsedMs: number;
  outcome: AnswerOutcome;
}

export type AnswerOutcome =
  | { ok: true; value: Wire }
  | { ok: false; name: string; message: string; violation: Violation | null };

export type HostMessage = SetupMessage | RunMessage | AnswerMessage;

/** What the child says; whoever broke into it may say anything, so the host reads it as `ChildMessage` of child-message.ts. */
export type ChildMessage =
  | { type: 'ready' }
  | { type: 'started'; run: number }
  /** `line` is the caller's, in the prepared source. */
  | { type: 'call'; run: number; id: number; tool: string; input: Wire; line: number | null }
  | { type: 'timer'; run: number; id: number; ms: number }
  /** It has said all that it has to say before the next answer. */
  | { type: 'rested'; run: number }
  | { type: 'log'; run: number; level: LogLevel; text: string }
  | { type: 'violation'; run: number; violation: Violation }
  | { type: 'done'; run: number; outcome: GuestOutcome; isIdle: boolean };

export const LOG_LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type GuestOutcome =
  | { status: 'value'; value: Wire }
  | { status: 'thrown'; thrown: ThrownByGuest; violation: Violation | null }
  | { status: 'not-data'; problem: PlainDataProblem };

export interface ThrownByGuest {
  name: string;
  message: string;
  /** In the prepared source, from 1; null where it is not known. */
  line: number | null;
  column: number | null;
}
