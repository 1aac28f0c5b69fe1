/** `1990-09-25` or `1990/9/25` and the like: year first. */
const YEAR_FIRST =
  /^(?<year>\d{4})(?<mark>[-/._])(?<month>\d{1,2})\k<mark>(?<day>\d{1,2})(?:T.*)?$/;
/** `09-25-1990` and the like, as in the US. */
const MONTH_FIRST = /^(?<month>\d{1,2})(?<mark>[-/._])(?<day>\d{1,2})\k<mark>(?<year>\d{4})$/;

/** A date in one of the formats that the provider takes, as `YYYY-MM-DD`; undefined when it is none. */
export function isoDateOf(date: string): string | undefined {
  const parts = (YEAR_FIRST.exec(date) ?? MONTH_FIRST.exec(date))?.groups;
  if (!parts) return undefined;
  const { year = '', month = '', day = '' } = parts;
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = Date.parse(`${iso}T00:00:00Z`);
  const isReal = !Number.isNaN(at) && new Date(at).toISOString().startsWith(iso);
  return isReal ? iso : undefined;
}
