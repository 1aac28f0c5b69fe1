import canonicalize from 'canonicalize';
import type { LedgerKeys } from './keys.ts';

const MAX_CANONICAL_CHARS = 1_000_000;
const MAX_DEPTH = 64;

/**
 * HMAC-SHA-256 of a value's canonical JSON: `hmac-sha256:` and 64 hex digits. Keyed, for a plain digest of a small value can
 * be guessed. Never throws: `none:not_json` for what has no canonical JSON, `none:too_large` for more than 1 MB of it.
 */
export function digestValue(keys: Pick<LedgerKeys, 'digest'>, value: unknown): string {
  let text: string | undefined;
  try {
    if (measure(value, 0) > MAX_CANONICAL_CHARS) return 'none:too_large';
    text = canonicalize(value);
  } catch {
    return 'none:not_json'; // a cycle, a getter that throws, half a surrogate pair, a number that is none
  }
  if (text === undefined) return 'none:not_json';
  if (text.length > MAX_CANONICAL_CHARS) return 'none:too_large';
  return `hmac-sha256:${keys.digest(text)}`;
}

/** At least as many characters as its JSON has at least; stops as soon as that is too many. */
function measure(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (depth > MAX_DEPTH) return Infinity;
  let size = Array.isArray(value) ? value.length : 2; // holes count too
  if (size > MAX_CANONICAL_CHARS) return size;
  for (const [name, field] of Object.entries(value)) {
    size += name.length + measure(field, depth + 1);
    if (size > MAX_CANONICAL_CHARS) break;
  }
  return size;
}
