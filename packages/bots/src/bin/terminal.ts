/* What people see. */

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 min`: how long ago, in one unit. */
export function ageOf(time: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(time));
  const [unitMs, unit] = UNITS.find(([least]) => ms >= least) ?? [1_000, 's'];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

export function megabytesOf(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
