// Python's time over the run's clock. There is no sleep: nothing else runs meanwhile.
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
    tm_yday: Math.floor((at.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
    tm_isdst: 0,
  });
}
// calendar.timegm: the inverse of gmtime.
export const timegm = (t) =>
  Date.UTC(t.tm_year, t.tm_mon - 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec) / 1000;

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n) => String(n).padStart(2, '0');
export function asctime(t = gmtime()) {
  const clock = `${two(t.tm_hour)}:${two(t.tm_min)}:${two(t.tm_sec)}`;
  return `${days[t.tm_wday]} ${months[t.tm_mon - 1]} ${String(t.tm_mday).padStart(2)} ${clock} ${t.tm_year}`;
}
export const ctime = (seconds = time()) => asctime(gmtime(seconds));

export function strftime(format, t = gmtime()) {
  const directives = {
    Y: () => String(t.tm_year).padStart(4, '0'),
    m: () => two(t.tm_mon),
    d: () => two(t.tm_mday),
    H: () => two(t.tm_hour),
    M: () => two(t.tm_min),
    S: () => two(t.tm_sec),
    j: () => String(t.tm_yday).padStart(3, '0'),
    a: () => days[t.tm_wday],
    b: () => months[t.tm_mon - 1],
    '%': () => '%',
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter) => {
    if (!Object.hasOwn(directives, letter)) throw new RangeError(`Unsupported directive ${whole}`);
    return directives[letter]();
  });
}
