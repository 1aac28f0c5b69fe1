/** Python's time, in UTC, by the clock of the run. */
interface StructTime {
  readonly tm_year: number;
  readonly tm_mon: number;
  readonly tm_mday: number;
  readonly tm_hour: number;
  readonly tm_min: number;
  readonly tm_sec: number;
  /** Monday is 0. */
  readonly tm_wday: number;
  readonly tm_yday: number;
  readonly tm_isdst: number;
}
/** Seconds since 1970. */
export function time(): number;
export function time_ns(): bigint;
/** Seconds since the run began. */
export function monotonic(): number;
export function perf_counter(): number;
export function gmtime(seconds?: number): StructTime;
export function timegm(t: StructTime): number;
export function asctime(t?: StructTime): string;
export function ctime(seconds?: number): string;
/** %Y %y %m %d %H %I %M %S %f %p %A %a %B %b %j %w %u %V %G %% */
export function strftime(format: string, t?: StructTime): string;
export function strptime(text: string, format: string): StructTime;
