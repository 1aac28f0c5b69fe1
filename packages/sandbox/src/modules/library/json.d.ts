/** Python's json. JavaScript's own JSON is there too. */
export function dumps(
  value: unknown,
  options?: {
    indent?: number | string;
    sort_keys?: boolean;
    /** `[', ', ': ']`, or `[',', ': ']` with an indent. */
    separators?: [string, string];
    /** Called for what JSON has no form for: functions, symbols, undefined. */
    default?: (value: unknown) => unknown;
    /** Default true: all but ASCII is escaped. */
    ensure_ascii?: boolean;
  },
): string;
/** `parse_float` and `parse_int` get the digits as text: `loads(text, { parse_float: (s) => new Decimal(s) })`. */
export function loads(
  text: string,
  options?: {
    object_hook?: (value: Record<string, unknown>) => unknown;
    parse_float?: (digits: string) => unknown;
    parse_int?: (digits: string) => unknown;
  },
): unknown;
