/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's collections over Map and Array. A Map keeps the order of its keys, as OrderedDict does.
export class Counter extends Map {
  constructor(source = []) {
    super();
    this.update(source);
  }
  get(key) {
    return super.get(key) ?? 0;
  }
  update(source, sign = 1) {
    for (const [key, count] of countsOf(source)) this.set(key, this.get(key) + sign * count);
    return this;
  }
  subtract(source) {
    return this.update(source, -1);
  }
  most_common(n = this.size) {
    return [...this].toSorted((a, b) => b[1] - a[1]).slice(0, n);
  }
  total() {
    return [...this.values()].reduce((a, b) => a + b, 0);
  }
  // Python's + and -: only counts above 0 are kept.
  add(other) {
    return positive(new Counter(this).update(other));
  }
  sub(other) {
    return positive(new Counter(this).subtract(other));
  }
}
const positive = (counter) => new Counter(new Map([...counter].filter(([, count]) => count > 0)));
function countsOf(source) {
  if (source instanceof Map) return [...source];
  if (typeof source[Symbol.iterator] === 'function') return [...source].map((key) => [key, 1]);
  return Object.entries(source);
}

export class defaultdict extends Map {
  #make;
  constructor(make, entries = []) {
    super(entries);
    this.#make = make;
  }
  get(key) {
    if (!this.has(key) && this.#make) this.set(key, this.#make());
    return super.get(key);
  }
}

export class OrderedDict extends Map {
  move_to_end(key, { last = true } = {}) {
    if (!this.has(key)) throw new RangeError(`No such key: ${String(key)}`);
    const others = [...this].filter(([each]) => each !== key);
    const entry = [key, this.get(key)];
    this.clear();
    for (const [name, value] of last ? [...others, entry] : [entry, ...others])
      this.set(name, value);
  }
}

// Items by a running number: nothing moves, whichever end they are added to or taken from.
export class deque {
  #items = new Map();
  #first = 0;
  constructor(source = [], maxlen = Infinity) {
    this.maxlen = maxlen;
    this.extend(source);
  }
  get length() {
    return this.#items.size;
  }
  at(index) {
    return this.#items.get(this.#first + (index < 0 ? this.length + index : index));
  }
  append(item) {
    this.#items.set(this.#first + this.length, item);
    if (this.length > this.maxlen) this.popleft();
  }
  appendleft(item) {
    this.#first -= 1;
    this.#items.set(this.#first, item);
    if (this.length > this.maxlen) this.pop();
  }
  pop() {
    return this.#take(this.#first + this.length - 1);
  }
  popleft() {
    this.#first += 1;
    return this.#take(this.#first - 1);
  }
  #take(key) {
    if (this.length === 0) throw new RangeError('pop from an empty deque');
    const item = this.#items.get(key);
    this.#items.delete(key);
    return item;
  }
  extend(items) {
    for (const item of items) this.append(item);
  }
  rotate(n = 1) {
    const items = [...this];
    this.#items.clear();
    this.extend([...items.splice(-n % items.length || 0), ...items]);
  }
  *[Symbol.iterator]() {
    for (let i = 0; i < this.length; i += 1) yield this.at(i);
  }
  toJSON() {
    return [...this];
  }
}

// A function that makes frozen records: `const Point = namedtuple('Point', 'x y')`.
export function namedtuple(name, fields) {
  const names = typeof fields === 'string' ? fields.match(/\w+/g) : [...fields];
  const make = (...values) => {
    if (values.length !== names.length)
      throw new TypeError(`${name} takes ${names.length} values: ${names.join(', ')}`);
    return Object.freeze(Object.fromEntries(names.map((field, i) => [field, values[i]])));
  };
  make._fields = Object.freeze(names);
  make._replace = (record, changes) =>
    make(...names.map((field) => ({ ...record, ...changes })[field]));
  return Object.freeze(make);
}
