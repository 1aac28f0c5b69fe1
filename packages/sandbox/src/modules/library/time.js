// Python's time over the run's clock. There is no sleep: nothing else runs meanwhile.
import { fieldsIn, written } from './time-format.js';

export const time = () => Date.now() / 1000;
export const time_ns = () => BigInt(Date.now()) * 1_000_000n;
const startedAt = Date.now();
export const monotonic = () => (Date.now() - startedAt) / 1000;
export const perf_counter = monotonic;

export function gmtime(seconds = time()) {
  const at = new Date(Math.floor(seconds) * 1000);
  const year = at.getUTCFullYear();
  return Object.freeze({
    tm_year: year,
    tm_mon: at.getUTCMonth() + 1,
    tm_mday: at.getUTCDate(),
    tm_hour: at.getUTCHours(),
    tm_min: at.getUTCMinutes(),
    tm_sec: at.getUTCSeconds(),
    tm_wday: (at.getUTCDay() + 6) % 7,
    tm_yday: Math.floor((at - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
    tm_isdst: 0,
  });
}
// calendar.timegm: the inverse of gmtime.
export const timegm = (t) =>
  Date.UTC(t.tm_year, t.tm_mon - 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec) / 1000;

const dateOf = (t) => new Date(timegm(t) * 1000);
export const strftime = (format, t = gmtime()) => written(dateOf(t), format);
export const strptime = (text, format) => {
  const [year, month, ...rest] = fieldsIn(text, format);
  return gmtime(Date.UTC(year, month - 1, ...rest) / 1000);
};
export const asctime = (t = gmtime()) =>
  strftime(`%a %b ${String(t.tm_mday).padStart(2)} %H:%M:%S %Y`, t);
export const ctime = (seconds = time()) => asctime(gmtime(seconds));
