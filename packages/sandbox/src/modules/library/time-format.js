// strftime and strptime, which datetime and time share: each of the two gets this text in front of its own.
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
export const DAY = 86_400_000;
const pad = (n, width = 2) => String(n).padStart(width, '0');
export const weekdayOf = (at) => (at.getUTCDay() + 6) % 7;
const dayOfYear = (at) => Math.floor((at - Date.UTC(at.getUTCFullYear(), 0, 1)) / DAY) + 1;

// Year and week of ISO 8601: the week that holds Thursday names the year.
export function isoWeek(at) {
  const thursday = new Date(at.getTime() + (3 - weekdayOf(at)) * DAY);
  return [thursday.getUTCFullYear(), Math.ceil(dayOfYear(thursday) / 7)];
}

const directives = {
  Y: (at) => at.toISOString().slice(0, 4),
  y: (at) => at.toISOString().slice(2, 4),
  m: (at) => at.toISOString().slice(5, 7),
  d: (at) => at.toISOString().slice(8, 10),
  H: (at) => at.toISOString().slice(11, 13),
  I: (at) => pad(((at.getUTCHours() + 11) % 12) + 1),
  M: (at) => at.toISOString().slice(14, 16),
  S: (at) => at.toISOString().slice(17, 19),
  f: (at) => `${at.toISOString().slice(20, 23)}000`,
  p: (at) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  A: (at) => DAYS[weekdayOf(at)],
  a: (at) => DAYS[weekdayOf(at)].slice(0, 3),
  B: (at) => MONTHS[at.getUTCMonth()],
  b: (at) => MONTHS[at.getUTCMonth()].slice(0, 3),
  j: (at) => pad(dayOfYear(at), 3),
  u: (at) => String(weekdayOf(at) + 1),
  w: (at) => String(at.getUTCDay()),
  V: (at) => pad(isoWeek(at)[1]),
  G: (at) => pad(isoWeek(at)[0], 4),
  '%': () => '%',
};

// A Date, in UTC, as text.
export function written(at, format) {
  return format.replace(/%([a-zA-Z%])/g, (directive, letter) => {
    if (!Object.hasOwn(directives, letter))
      throw new RangeError(`Unsupported directive ${directive}`);
    return directives[letter](at);
  });
}

const readers = { Y: '\\d{4}', f: '\\d{1,6}', p: '[ap]m', a: '[a-z]{3}', b: '[a-z]{3}' };
for (const letter of 'AB') readers[letter] = '[a-z]+';
for (const letter of 'ymdHIMS') readers[letter] = '\\d\\d?';

// Year, month, day, hour, minute, second and millisecond of a text.
export function fieldsIn(text, format) {
  const source = format.replace(/%([a-zA-Z%])|[^\w\s]/g, (piece, letter) => {
    if (letter === undefined || letter === '%') return `\\${piece.charAt(0)}`;
    if (!Object.hasOwn(readers, letter)) throw new RangeError(`Unsupported directive ${piece}`);
    return `(?<${letter}>${readers[letter]})`;
  });
  const got = new RegExp(`^${source}$`, 'i').exec(text)?.groups;
  if (!got) throw new RangeError(`'${text}' does not match format '${format}'`);
  const named = (got.B ?? got.b)?.toLowerCase();
  const month = named
    ? MONTHS.findIndex((name) => name.toLowerCase().startsWith(named)) + 1
    : Number(got.m ?? 1);
  const short = Number(got.y) + (Number(got.y) < 69 ? 2000 : 1900);
  const hour = got.I
    ? (Number(got.I) % 12) + (/p/i.test(got.p ?? '') ? 12 : 0)
    : Number(got.H ?? 0);
  const clock = [hour, Number(got.M ?? 0), Number(got.S ?? 0)];
  const milliseconds = Number((got.f ?? '').padEnd(3, '0').slice(0, 3));
  return [got.y ? short : Number(got.Y ?? 1900), month, Number(got.d ?? 1), ...clock, milliseconds];
}
