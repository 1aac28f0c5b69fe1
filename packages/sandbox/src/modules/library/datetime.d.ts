/** Python's datetime in UTC, to the millisecond. `a.add(delta)`, `a.sub(b)`, `a < b` work; `a + b` does not. */
export class timedelta {
  constructor(parts?: {
    weeks?: number;
    days?: number;
    hours?: number;
    minutes?: number;
    seconds?: number;
    milliseconds?: number;
  });
  readonly ms: number;
  readonly days: number;
  readonly seconds: number;
  total_seconds(): number;
  add(other: timedelta): timedelta;
  sub(other: timedelta): timedelta;
  mul(factor: number): timedelta;
  valueOf(): number;
  toString(): string;
  toJSON(): string;
}
export class date {
  constructor(year: number, month: number, day: number);
  static today(): date;
  static fromtimestamp(seconds: number): date;
  static fromisoformat(text: string): date;
  static strptime(text: string, format: string): date;
  /** Since 1970. */
  readonly ms: number;
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** Monday is 0. */
  weekday(): number;
  /** Year, week, day of the week. */
  isocalendar(): [number, number, number];
  /** With other fields: `replace({ day: 1 })`. */
  replace(changes: {
    year?: number;
    month?: number;
    day?: number;
    hour?: number;
    minute?: number;
    second?: number;
    millisecond?: number;
  }): this;
  add(delta: timedelta): this;
  sub(delta: timedelta): this;
  sub(other: date): timedelta;
  /** %Y %y %m %d %H %I %M %S %f %p %A %a %B %b %j %w %u %V %G %% */
  strftime(format: string): string;
  isoformat(): string;
  valueOf(): number;
  toString(): string;
  toJSON(): string;
}
export class datetime extends date {
  constructor(
    year: number,
    month: number,
    day: number,
    hour?: number,
    minute?: number,
    second?: number,
    millisecond?: number,
  );
  static now(): datetime;
  static fromtimestamp(seconds: number): datetime;
  /** An offset is turned into UTC. */
  static fromisoformat(text: string): datetime;
  static strptime(text: string, format: string): datetime;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** Seconds since 1970. */
  timestamp(): number;
  date(): date;
  isoformat(separator?: string): string;
}
