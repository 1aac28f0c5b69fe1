const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const NAMED: Readonly<Record<string, string>> = { minute: '1m', hour: '1h', day: '1d', week: '7d' };

/** Milliseconds of a checked duration: `30m`, `1h`, or `day` and its like. */
export function durationMs(text: string): number {
  const duration = NAMED[text] ?? text;
  return Number(duration.slice(0, -1)) * (UNITS[duration.slice(-1)] ?? Number.NaN);
}

export interface Money {
  /** In minor units, such as cents. */
  minor: number;
  currency: string;
}

/** Reads a checked `500 EUR`. Undefined when there is no such currency, or it has no such small coins. */
export function parseMoney(text: string): Money | undefined {
  const [amount = '', currency = ''] = text.split(' ');
  const digits = minorDigits(currency);
  if (digits === undefined || (amount.split('.')[1]?.length ?? 0) > digits) return undefined;
  return { minor: Math.round(Number(amount) * 10 ** digits), currency };
}

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** The currencies of ISO 4217 that this Node knows. */
export function currencies(): ReadonlySet<string> {
  return CURRENCIES;
}

/** How many digits a currency has after the point: 2 for EUR, 0 for JPY. Undefined for what is none. */
export function minorDigits(currency: string): number | undefined {
  if (!CURRENCIES.has(currency)) return undefined;
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
    .maximumFractionDigits;
}

/**
 * An amount in minor units, rounded up: 12.341 EUR are 1235 cents. Undefined for what is no amount: negative, not finite,
 * or too large to be counted exactly.
 */
export function minorUnits(amount: number, digits: number): number | undefined {
  // The tiny bit is for 1.1 * 100, which is a little more than 110.
  const minor = Math.ceil(amount * 10 ** digits * (1 - Number.EPSILON));
  return amount >= 0 && minor <= MOST_MINOR_UNITS ? Math.abs(minor) : undefined;
}

/** Up to here the tiny bit is far below one unit. */
const MOST_MINOR_UNITS = 1e14;
