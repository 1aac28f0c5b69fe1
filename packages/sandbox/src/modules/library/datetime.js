// Python's datetime, in UTC only. JavaScript has no operators for objects: a.add(delta), a.sub(b), a.compare(b).
const DAY = 86_400_000;
const pad = (n, width = 2) => String(n).padStart(width, '0');
const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const months =
  'January February March April May June July August September October November December'.split(
    ' ',
  );

export class timedelta {
  constructor({
    weeks = 0,
    days: d = 0,
    hours = 0,
    minutes = 0,
    seconds = 0,
    milliseconds = 0,
  } = {}) {
    this.ms = Math.round(
      (((weeks * 7 + d) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000 + milliseconds,
    );
    Object.freeze(this);
  }
  get days() {
    return Math.floor(this.ms / DAY);
  }
  get seconds() {
    return Math.floor((this.ms - this.days * DAY) / 1000);
  }
  total_seconds() {
    return this.ms / 1000;
  }
  add(other) {
    return new timedelta({ milliseconds: this.ms + other.ms });
  }
  sub(other) {
    return new timedelta({ milliseconds: this.ms - other.ms });
  }
  mul(factor) {
    return new timedelta({ milliseconds: this.ms * factor });
  }
  compare(other) {
    return Math.sign(this.ms - other.ms);
  }
  valueOf() {
    return this.ms;
  }
  toString() {
    const ms = this.ms - this.days * DAY;
    const clock = `${Math.floor(ms / 3_600_000)}:${pad(Math.floor(ms / 60_000) % 60)}:${pad(Math.floor(ms / 1000) % 60)}`;
    const fraction = ms % 1000 ? `.${pad(ms % 1000, 3)}000` : '';
    return (
      (this.days ? `${this.days} day${Math.abs(this.days) === 1 ? '' : 's'}, ` : '') +
      clock +
      fraction
    );
  }
  toJSON() {
    return this.toString();
  }
}

export class date {
  constructor(year, month, day) {
    this.ms = checked(year, month, day);
    if (new.target === date) Object.freeze(this);
  }
  static today() {
    return date.fromtimestamp(Date.now() / 1000);
  }
  static fromtimestamp(seconds) {
    return fieldsOf(new this(1970, 1, 1), Math.round(seconds * 1000));
  }
  static fromisoformat(text) {
    return this.strptime(text, '%Y-%m-%d');
  }
  static strptime(text, format) {
    return parse(this, text, format);
  }
  get year() {
    return new Date(this.ms).getUTCFullYear();
  }
  get month() {
    return new Date(this.ms).getUTCMonth() + 1;
  }
  get day() {
    return new Date(this.ms).getUTCDate();
  }
  weekday() {
    return (new Date(this.ms).getUTCDay() + 6) % 7;
  }
  isoweekday() {
    return this.weekday() + 1;
  }
  // The week that holds Thursday names the year.
  isocalendar() {
    const thursday = new Date((Math.floor(this.ms / DAY) - this.weekday() + 3) * DAY);
    const year = thursday.getUTCFullYear();
    return [
      year,
      1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY)),
      this.isoweekday(),
    ];
  }
  toordinal() {
    return Math.floor(this.ms / DAY) + 719_163;
  }
  replace(changes) {
    const { year, month, day, hour, minute, second, millisecond } = {
      ...partsOf(this),
      ...changes,
    };
    return new this.constructor(year, month, day, hour, minute, second, millisecond);
  }
  add({ ms }) {
    return fieldsOf(this, this.ms + ms);
  }
  // Less a timedelta: a date. Less a date: the timedelta between them.
  sub(other) {
    const milliseconds = this.ms - other.ms;
    return other instanceof timedelta
      ? fieldsOf(this, milliseconds)
      : new timedelta({ milliseconds });
  }
  compare(other) {
    return Math.sign(this.ms - other.ms);
  }
  valueOf() {
    return this.ms;
  }
  strftime(format) {
    return format.replace(/%([a-zA-Z%])/g, (whole, letter) => {
      const write = directives[letter];
      if (!write) throw new RangeError(`Unsupported directive ${whole}`);
      return write(this);
    });
  }
  isoformat() {
    return this.strftime('%Y-%m-%d');
  }
  toString() {
    return this.isoformat();
  }
  toJSON() {
    return this.isoformat();
  }
}

export class datetime extends date {
  constructor(year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0) {
    super(year, month, day);
    const fits = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
    if (!fits) throw new RangeError('hour, minute or second is out of range');
    this.ms += ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
    Object.freeze(this);
  }
  static now() {
    return this.fromtimestamp(Date.now() / 1000);
  }
  static combine(day, { hour = 0, minute = 0, second = 0 } = {}) {
    return new datetime(day.year, day.month, day.day, hour, minute, second);
  }
  static fromisoformat(text) {
    const found =
      /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(
        text,
      );
    if (!found) throw new RangeError(`Invalid isoformat string: '${text}'`);
    const [, day, hour = 0, minute = 0, second = 0, fraction = '', zone = 'Z'] = found;
    const { year, month, day: dayOfMonth } = date.fromisoformat(day);
    const local = new datetime(
      year,
      month,
      dayOfMonth,
      +hour,
      +minute,
      +second,
      +fraction.padEnd(3, '0').slice(0, 3),
    );
    const [sign, h, m] =
      zone === 'Z' ? [1, 0, 0] : [zone[0] === '-' ? -1 : 1, +zone.slice(1, 3), +zone.slice(-2)];
    return local.sub(new timedelta({ minutes: sign * (h * 60 + m) }));
  }
  get hour() {
    return new Date(this.ms).getUTCHours();
  }
  get minute() {
    return new Date(this.ms).getUTCMinutes();
  }
  get second() {
    return new Date(this.ms).getUTCSeconds();
  }
  get millisecond() {
    return new Date(this.ms).getUTCMilliseconds();
  }
  timestamp() {
    return this.ms / 1000;
  }
  date() {
    return new date(this.year, this.month, this.day);
  }
  isoformat(separator = 'T') {
    return (
      this.strftime(`%Y-%m-%d${separator}%H:%M:%S`) +
      (this.millisecond ? `.${pad(this.millisecond, 3)}000` : '')
    );
  }
  toString() {
    return this.isoformat(' ');
  }
}

function checked(year, month, day) {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  const isReal =
    at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
  if (!isReal || year < 1 || year > 9999)
    throw new RangeError(`There is no day ${year}-${month}-${day}`);
  return at.getTime();
}
function partsOf({ year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0 }) {
  return { year, month, day, hour, minute, second, millisecond };
}
// Another time of the same kind; a date forgets the hours.
function fieldsOf(like, ms) {
  const at = new Date(ms);
  const day = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
  const clock = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), at.getUTCMilliseconds()];
  return like instanceof datetime ? new datetime(...day, ...clock) : new date(...day);
}

const directives = {
  Y: (d) => pad(d.year, 4),
  y: (d) => pad(d.year % 100),
  m: (d) => pad(d.month),
  d: (d) => pad(d.day),
  H: (d) => pad(d.hour ?? 0),
  I: (d) => pad((((d.hour ?? 0) + 11) % 12) + 1),
  M: (d) => pad(d.minute ?? 0),
  S: (d) => pad(d.second ?? 0),
  f: (d) => `${pad(d.millisecond ?? 0, 3)}000`,
  p: (d) => ((d.hour ?? 0) < 12 ? 'AM' : 'PM'),
  A: (d) => days[d.weekday()],
  a: (d) => days[d.weekday()].slice(0, 3),
  B: (d) => months[d.month - 1],
  b: (d) => months[d.month - 1].slice(0, 3),
  j: (d) => pad(d.toordinal() - new date(d.year, 1, 1).toordinal() + 1, 3),
  w: (d) => String((d.weekday() + 1) % 7),
  u: (d) => String(d.isoweekday()),
  V: (d) => pad(d.isocalendar()[1]),
  G: (d) => pad(d.isocalendar()[0], 4),
  z: () => '',
  Z: () => '',
  '%': () => '%',
};

function parse(kind, text, format) {
  const readers = {
    Y: '\\d{4}',
    y: '\\d\\d',
    m: '\\d\\d?',
    d: '\\d\\d?',
    H: '\\d\\d?',
    I: '\\d\\d?',
    M: '\\d\\d?',
    S: '\\d\\d?',
  };
  const words = {
    f: '\\d{1,6}',
    p: '[AaPp][Mm]',
    B: '[A-Za-z]+',
    b: '[A-Za-z]{3}',
    A: '[A-Za-z]+',
    a: '[A-Za-z]{3}',
  };
  const letters = [];
  const source = format.replace(/%([a-zA-Z%])|[^]/g, (piece, letter) => {
    if (letter === undefined) return piece.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
    const reader = { ...readers, ...words }[letter];
    if (letter === '%' || !reader)
      return letter === '%' ? '%' : bad(`Unsupported directive ${piece}`);
    letters.push(letter);
    return `(${reader})`;
  });
  const found =
    new RegExp(`^${source}$`).exec(text) ?? bad(`'${text}' does not match format '${format}'`);
  const got = Object.fromEntries(letters.map((letter, i) => [letter, found[i + 1]]));
  const named = (got.B ?? got.b)?.toLowerCase();
  const month = named
    ? months.findIndex((name) => name.toLowerCase().startsWith(named)) + 1
    : +(got.m ?? 1);
  const year = got.y === undefined ? +(got.Y ?? 1900) : +got.y + (+got.y < 69 ? 2000 : 1900);
  const hour =
    got.I === undefined ? +(got.H ?? 0) : (+got.I % 12) + (/p/i.test(got.p ?? '') ? 12 : 0);
  const clock = [hour, +(got.M ?? 0), +(got.S ?? 0), +(got.f ?? '').padEnd(3, '0').slice(0, 3)];
  return new kind(year, month, +(got.d ?? 1), ...clock);
}
function bad(message) {
  throw new RangeError(message);
}
