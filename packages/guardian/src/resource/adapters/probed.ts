import type { Reading } from '../reading.ts';

/** A sign of trouble that an adapter tells of by itself, without being asked. */
export type Sign = Extract<Reading, { status: 'FAILED' }>;

/**
 * What every resource can do: say how it is, and, where it can, tell of trouble the moment it comes.
 *
 * In the port of each kind a method that returns `Promise<void>` changes something and is an **effect**: a step has to declare it.
 * Every other method only looks. Effects may be called twice with the result of once, for an undo after a crash repeats them.
 */
export interface Probed {
  /** How it is now. May reject: that is a reading of UNKNOWN. */
  probe(signal: AbortSignal): Promise<Reading>;
  /** Calls `raise` when trouble shows; returns what ends the watching. */
  watch?(raise: (sign: Sign) => void): () => void;
}
