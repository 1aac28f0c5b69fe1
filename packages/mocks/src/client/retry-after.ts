/**
 * What a `Retry-After` header asks for, in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3); undefined when there is
 * none or it is neither.
 * @param now Ms since the epoch, from which a date is counted; when it is NaN, dates are not understood.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  now: number,
): number | undefined {
  const value = headers['retry-after']?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1_000);
  const at = Date.parse(value);
  const waitMs = at - now;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
