// Python's datetime, in UTC, to the millisecond. Objects have no operators, so a.add(delta) and a.sub(b); a < b works.
import { DAY, fieldsIn, isoWeek, weekdayOf, written } from './time-format.js';

export class timedelta {
  constructor({ weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0 } = {}) {
    const wholeMinutes = ((weeks * 7 + days) * 24 + hours) * 60 + minutes;
    this.ms = Math.round(wholeMinutes * 60_000 + seconds * 1000 + milliseconds);
    this.days = Math.floor(this.ms / DAY);
    this.seconds = Math.floor((this.ms - this.days * DAY) / 1000);
    Object.freeze(this);
  }
  total_seconds() {
    return this.ms / 1000;
  }
  add({ ms }) {
    return new timedelta({ milliseconds: this.ms + ms });
  }
  sub({ ms }) {
    return new timedelta({ milliseconds: this.ms - ms });
  }
  mul(factor) {
    return new timedelta({ milliseconds: this.ms * factor });
  }
  valueOf() {
    return this.ms;
  }
  toString() {
    const clock = new Date(this.ms - this.days * DAY).toISOString().slice(11, 23);
    const days = this.days ? `${this.days} day${Math.abs(this.days) === 1 ? '' : 's'}, ` : '';
    return days + (clock.endsWith('.000') ? clock.slice(0, 8) : `${clock}000`).replace(/^0/, '');
  }
  toJSON() {
    return this.toString();
  }
}

export class date {
  constructor(year, month, day) {
    Object.assign(this, { ms: msOf(year, month, day), year, month, day });
    if (new.target === date) Object.freeze(this);
  }
  static today() {
    return date.fromtimestamp(Date.now() / 1000);
  }
  static fromtimestamp(seconds) {
    const text = new Date(Math.round(seconds * 1000)).toISOString();
    return new this(...text.match(/^[+-]?\d+|\d+/g).map(Number));
  }
  static fromisoformat(text) {
    return this.strptime(text, '%Y-%m-%d');
  }
  static strptime(text, format) {
    return new this(...fieldsIn(text, format));
  }
  weekday() {
    return weekdayOf(new Date(this.ms));
  }
  isocalendar() {
    return [...isoWeek(new Date(this.ms)), this.weekday() + 1];
  }
  replace(changes) {
    const fields = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond'];
    return new this.constructor(...fields.map((field) => changes[field] ?? this[field]));
  }
  add({ ms }) {
    return this.constructor.fromtimestamp((this.ms + ms) / 1000);
  }
  // Less a timedelta: a date. Less a date: the timedelta between them.
  sub(other) {
    const milliseconds = this.ms - other.ms;
    return other instanceof timedelta
      ? this.constructor.fromtimestamp(milliseconds / 1000)
      : new timedelta({ milliseconds });
  }
  valueOf() {
    return this.ms;
  }
  strftime(format) {
    return written(new Date(this.ms), format);
  }
  isoformat() {
    return this.strftime('%Y-%m-%d');
  }
  toString() {
    return this.isoformat(' ');
  }
  toJSON() {
    return this.isoformat();
  }
}

export class datetime extends date {
  constructor(year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0) {
    super(year, month, day);
    this.ms = msOf(year, month, day, hour, minute, second, millisecond);
    Object.freeze(Object.assign(this, { hour, minute, second, millisecond }));
  }
  static now() {
    return datetime.fromtimestamp(Date.now() / 1000);
  }
  // An offset is turned into UTC.
  static fromisoformat(text) {
    const [, day, clock = '00:00:00', fraction = '', sign, h = 0, m = 0] =
      /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?)?$/.exec(
        text,
      ) ?? [];
    if (day === undefined) throw new RangeError(`Invalid isoformat string: '${text}'`);
    const seconds = clock.length === 5 ? `${clock}:00` : clock;
    const local = this.strptime(`${day} ${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`, ISO);
    const minutes = Number(h) * 60 + Number(m);
    return local.sub(new timedelta({ minutes: sign === '-' ? -minutes : minutes }));
  }
  timestamp() {
    return this.ms / 1000;
  }
  date() {
    return new date(this.year, this.month, this.day);
  }
  isoformat(separator = 'T') {
    return this.strftime(`%Y-%m-%d${separator}%H:%M:%S${this.millisecond ? '.%f' : ''}`);
  }
}
const ISO = '%Y-%m-%d %H:%M:%S.%f';

// JavaScript reads 30 February as 2 March; Python refuses it.
function msOf(...fields) {
  const [year, month, day, ...clock] = fields;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (clock.length > 0) at.setUTCHours(...clock);
  const read = Number.isNaN(at.getTime()) ? [] : at.toISOString().match(/\d+/g).map(Number);
  if (!(year >= 1 && year <= 9999) || fields.some((field, i) => field !== read[i]))
    throw new RangeError(`There is no such day or time: ${fields.join(' ')}`);
  return at.getTime();
}
