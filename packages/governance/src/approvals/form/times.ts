import { type Markup, markup } from './markup.ts';

/** `2026-01-01 00:10:00 UTC`, for people and for programs. */
export function timeOf(at: number): Markup {
  const iso = new Date(at).toISOString();
  return markup`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `in 23 minutes`, `2 hours ago`. */
export function relativeTime(at: number, now: number): string {
  const distance = Math.abs(at - now);
  const [unit, length] = UNITS.find(([, ms]) => distance >= ms) ?? [undefined, 1];
  if (unit === undefined) return at > now ? 'in less than a minute' : 'just now';
  const count = Math.floor(distance / length);
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return at > now ? `in ${words}` : `${words} ago`;
}
