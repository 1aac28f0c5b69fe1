import { randomUUID } from 'node:crypto';

/** Makes identifiers; each call returns one that was not returned before. */
export type NewId = () => string;

/** Random identifiers, `run-3f2b…`: a UUID of version 4 behind a word that says what it names. */
export function randomId(prefix: string): NewId {
  return () => `${prefix}-${randomUUID()}`;
}

/**
 * Identifiers that count, for tests and reproducible runs.
 * @example
 * const newId = countingId('run');
 * newId(); // 'run-1'
 * newId(); // 'run-2'
 */
export function countingId(prefix: string): NewId {
  let count = 0;
  return () => `${prefix}-${++count}`;
}
