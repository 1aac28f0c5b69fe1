import type { PositionMap } from './position-map.ts';

/** What the gate records; the names of the violation log that layer 0 can know of. */
export type GateViolationType =
  | 'NETWORK_ACCESS_ATTEMPT'
  | 'SUBPROCESS_ATTEMPT'
  | 'FILESYSTEM_ATTEMPT'
  | 'IMPORT_ALLOWLIST_VIOLATION';

export interface GateViolation {
  readonly type: GateViolationType;
  readonly details: string;
  /** Lines and columns count from 1, as in a stack trace. */
  readonly line: number;
  readonly column: number;
}

/** Why code was not run, in the words that its author (a model) can act on. */
export interface GuestSourceError {
  readonly kind: 'syntax' | 'reference' | 'unsupported';
  readonly name: 'SyntaxError' | 'ReferenceError' | 'UnsupportedSyntaxError';
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** The lines around the place, numbered, with a caret below the column. */
  readonly frame: string;
  readonly hint?: string;
}

export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

export interface ReadySource {
  readonly kind: 'ready';
  /** A JavaScript expression: a function of one object, `{ ...globals, modules, input }`. */
  readonly source: string;
  /** Lines that stand before the guest's first one. Always 0: what is added before goes on the same line. */
  readonly lineOffset: number;
  /** Characters added before the guest's first line. Later lines begin where they began. */
  readonly columnOffset: number;
  /** The allow-listed modules that the code imports, each once. */
  readonly imports: readonly string[];
  readonly language: 'javascript' | 'typescript';
  /** From what the guest wrote to `source` without its added characters: see `originalPosition`. */
  readonly positions: PositionMap;
}

export interface RejectedSource {
  readonly kind: 'rejected';
  readonly error: GuestSourceError;
}

export interface ViolatingSource {
  readonly kind: 'violation';
  readonly violation: GateViolation;
}

export type GuestSource = ReadySource | RejectedSource | ViolatingSource;
