const DECIMALS = 1e6;

/** To 6 decimals, as numbers are written to disk; -0 becomes 0. */
export function rounded(value: number): number {
  const scaled = value * DECIMALS;
  // Beyond 2^53 the decimals are no longer there to be rounded.
  return Math.abs(scaled) > Number.MAX_SAFE_INTEGER ? value : Math.round(scaled) / DECIMALS + 0;
}

export function roundedOrNull(value: number | null): number | null {
  return value === null ? null : rounded(value);
}
