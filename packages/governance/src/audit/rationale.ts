import { redactText } from '@buddy/core';
import { MAX_RATIONALE_CHARS } from './entry-record.ts';
import type { LedgerKeys } from './keys.ts';

export interface RationaleOptions {
  /** `text`: without secrets, on one line, cut to 280 characters. `hash`: its keyed digest only. */
  mode: 'text' | 'hash';
}

/** No sentence is longer. What is cut before secrets were looked for could keep half of one, so nothing of it is kept. */
const LONGEST_READ = 16_384;

/**
 * What the log may keep of a reason that somebody gave; null where none was given.
 * @example
 * rationaleToKeep(keys, 'Refunds\nthe order', { mode: 'text' }); // 'Refunds the order'
 */
export function rationaleToKeep(
  keys: Pick<LedgerKeys, 'digest'>,
  text: string,
  { mode }: RationaleOptions,
): string | null {
  if (text.trim() === '') return null;
  if (mode === 'hash' || text.length > LONGEST_READ) {
    return `hmac-sha256:${keys.digest(text.toWellFormed())}`;
  }
  const line = onOneLine(redactText(text.toWellFormed()));
  if (line === '') return null;
  if (line.length <= MAX_RATIONALE_CHARS) return line;
  return `${line.slice(0, MAX_RATIONALE_CHARS - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Line breaks, controls and what cannot be seen become a blank: what a person reads is all there is. */
function onOneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
}
