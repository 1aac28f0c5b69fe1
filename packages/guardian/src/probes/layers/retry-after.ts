/**
 * Until when somebody wants to be left alone, ms since the epoch, of a `Retry-After` header: seconds or an HTTP date (RFC 9110,
 * section 10.2.3). Undefined when it says nothing that can be read.
 */
export function retryAfterOf(
  header: string | readonly string[] | null | undefined,
  now: number,
): number | undefined {
  const [value] = [header ?? undefined].flat();
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * 1_000;
  // A date begins with the name of its day; `Date.parse` alone would take much else for one.
  const at = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(now, at);
}
