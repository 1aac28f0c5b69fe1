import type { Interval } from '@buddy/core';

/** What stands where there is no number. */
const NONE = '–';

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 12345 as `12,345`. */
export function count(value: number): string {
  return GROUPED.format(value);
}

/** `1 task`, `2 tasks`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** 0.1234 as `12.3 %`. */
export function percent(share: number | null): string {
  return share === null ? NONE : `${(100 * share).toFixed(1)} %`;
}

/** `90.1–95.2 %`. */
export function percentRange({ lower, upper }: Interval): string {
  return `${(100 * lower).toFixed(1)}–${(100 * upper).toFixed(1)} %`;
}

/** With a fixed number of digits after the point. */
export function decimal(value: number | null, digits: number): string {
  return value === null ? NONE : value.toFixed(digits);
}

/** At most `digits` significant digits, without an exponent where it can be avoided: `3.52`, `12000`. */
export function significant(value: number, digits = 3): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In the two largest units that say something: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`, `1 d 4 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  if (Math.round(ms) < SECOND) return `${significant(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${significant(Math.round(ms / 100) / 10)} s`;
  if (Math.round(ms / SECOND) < 3600) return twoUnits(ms, MINUTE, 'min', SECOND, 's');
  if (Math.round(ms / MINUTE) < 1440) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string) {
  const smalls = Math.round(ms / small);
  const perLarge = large / small;
  const rest = smalls % perLarge;
  const first = `${Math.floor(smalls / perLarge)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** `2026-01-01 09:30:00 UTC`. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
