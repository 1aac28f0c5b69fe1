import { isIPv6 } from 'node:net';
import { COLON, DOT, isAlphanumeric, isDigit, isHex, isWordOrDot, skip } from './characters.ts';
import type { Span } from './span.ts';

/** What followed here may have been redacted before: it went on then, and so it does now. */
const MARKER_START = '[';

const IPV4 = /(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/y;

/**
 * An IPv4 address whose first number ends the word from `start` to `end`. Three numbers are a version, five or more an
 * object identifier; neither is touched.
 */
export function findIpv4(text: string, start: number, end: number): Span | undefined {
  if (text.charCodeAt(end) !== DOT || !isDigit(text, end - 1) || !isDigit(text, end + 1))
    return undefined;
  let first = end - 1;
  while (first > start && isDigit(text, first - 1)) first -= 1;
  if (first > start ? isAlphanumeric(text, first - 1) : text.charCodeAt(start - 1) === DOT)
    return undefined;
  IPV4.lastIndex = first;
  const match = IPV4.exec(text);
  if (!match || match.slice(1).some((octet) => Number(octet) > 255)) return undefined;
  const after = IPV4.lastIndex;
  const goesOn =
    isAlphanumeric(text, after) ||
    (text[after] === '.' && (isDigit(text, after + 1) || text[after + 1] === MARKER_START));
  return goesOn ? undefined : { label: 'ipv4', start: first, end: after };
}

/** An address with an IPv4 address in its last part has 45 characters; one more tells a longer run. */
const LONGEST_IPV6 = 45;

/**
 * An IPv6 address that starts at `start`, with its zone (`%eth0`). One without a digit (`dead::beef`) is taken for a name
 * of a program; times (`12:30:45`) and hardware addresses are too short to be one.
 */
export function findIpv6(text: string, start: number): Span | undefined {
  const before = text.charCodeAt(start - 1);
  if (before === DOT || before === COLON) return undefined;
  let end = start;
  let colons = 0;
  let hasDigit = false;
  for (; end - start <= LONGEST_IPV6; end += 1) {
    const code = text.charCodeAt(end);
    if (code === COLON) colons += 1;
    else if (code !== DOT && !isHex(text, end)) break;
    else if (!hasDigit) hasDigit = isDigit(text, end);
  }
  if (colons < 2 || !hasDigit || isAlphanumeric(text, end) || text[end] === MARKER_START) {
    return undefined;
  }
  // The colon or the full stop of the sentence around it.
  while (text[end - 1] === '.' || (text[end - 1] === ':' && text[end - 2] !== ':')) end -= 1;
  if (!isIPv6(text.slice(start, end))) return undefined;
  const zoneEnd = text[end] === '%' ? skip(text, end + 1, isWordOrDot) : end;
  return { label: 'ipv6', start, end: zoneEnd > end + 1 ? zoneEnd : end };
}
