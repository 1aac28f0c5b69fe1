/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's collections over Map and Array.
export class Counter extends Map {
  constructor(source = []) {
    super();
    this.update(source);
  }
  get(key) {
    return super.get(key) ?? 0;
  }
  update(source) {
    for (const [key, count] of countsOf(source)) this.set(key, this.get(key) + count);
    return this;
  }
  subtract(source) {
    for (const [key, count] of countsOf(source)) this.set(key, this.get(key) - count);
    return this;
  }
  most_common(n = this.size) {
    return [...this].toSorted((a, b) => b[1] - a[1]).slice(0, n);
  }
  total() {
    return [...this.values()].reduce((a, b) => a + b, 0);
  }
  elements() {
    return [...this].flatMap(([key, count]) =>
      Array.from({ length: Math.max(0, count) }, () => key),
    );
  }
  add(other) {
    return this.#combine(other, (a, b) => a + b);
  }
  sub(other) {
    return this.#combine(other, (a, b) => a - b);
  }
  and(other) {
    return this.#combine(other, Math.min);
  }
  or(other) {
    return this.#combine(other, Math.max);
  }
  #combine(other, of) {
    const keys = new Set([...this.keys(), ...other.keys()]);
    const counts = [...keys].map((key) => [key, of(this.get(key), other.get(key))]);
    return new Counter(new Map(counts.filter(([, count]) => count > 0)));
  }
}
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
    const entry = [key, this.pop(key)];
    const others = last ? [] : [...this];
    if (!last) this.clear();
    for (const [name, value] of [entry, ...others]) this.set(name, value);
  }
  popitem({ last = true } = {}) {
    const key = last ? [...this.keys()].at(-1) : this.keys().next().value;
    if (this.size === 0) throw new RangeError('The dictionary is empty');
    return [key, this.pop(key)];
  }
  pop(key) {
    if (!this.has(key)) throw new RangeError(`No such key: ${String(key)}`);
    const value = this.get(key);
    this.delete(key);
    return value;
  }
}

// Two stacks, back to back: `#front` holds the left end reversed. An empty one takes half of the other.
export class deque {
  #front = [];
  #back = [];
  constructor(source = [], maxlen = Infinity) {
    this.maxlen = maxlen;
    this.extend(source);
  }
  get length() {
    return this.#front.length + this.#back.length;
  }
  at(index) {
    const i = index < 0 ? this.length + index : index;
    return i < this.#front.length
      ? this.#front[this.#front.length - 1 - i]
      : this.#back[i - this.#front.length];
  }
  append(item) {
    this.#back.push(item);
    if (this.length > this.maxlen) this.popleft();
  }
  appendleft(item) {
    this.#front.push(item);
    if (this.length > this.maxlen) this.pop();
  }
  pop() {
    if (this.length === 0) throw new RangeError('pop from an empty deque');
    if (this.#back.length === 0)
      this.#back = this.#front.splice(0, Math.ceil(this.#front.length / 2)).toReversed();
    return this.#back.pop();
  }
  popleft() {
    if (this.length === 0) throw new RangeError('pop from an empty deque');
    if (this.#front.length === 0)
      this.#front = this.#back.splice(0, Math.ceil(this.#back.length / 2)).toReversed();
    return this.#front.pop();
  }
  extend(items) {
    for (const item of items) this.append(item);
  }
  extendleft(items) {
    for (const item of items) this.appendleft(item);
  }
  rotate(n = 1) {
    const items = [...this];
    const cut = items.length - (((n % items.length) + items.length) % items.length || 0);
    this.#front = [];
    this.#back = [...items.slice(cut), ...items.slice(0, cut)];
  }
  clear() {
    this.#front = [];
    this.#back = [];
  }
  [Symbol.iterator]() {
    return [...this.#front.toReversed(), ...this.#back][Symbol.iterator]();
  }
  toJSON() {
    return [...this];
  }
}

// A function that makes frozen records, from values in order or from an object.
export function namedtuple(name, fields) {
  const names = typeof fields === 'string' ? fields.split(/[\s,]+/).filter(Boolean) : [...fields];
  const make = (...values) => {
    if (values.length !== names.length)
      throw new TypeError(`${name} takes ${names.length} values: ${names.join(', ')}`);
    return Object.freeze(Object.fromEntries(names.map((field, i) => [field, values[i]])));
  };
  make._fields = Object.freeze(names);
  make._make = (values) => make(...values);
  make._replace = (record, changes) =>
    make(...names.map((field) => ({ ...record, ...changes })[field]));
  return Object.freeze(make);
}

export class ChainMap {
  constructor(...maps) {
    this.maps = maps.length > 0 ? maps : [{}];
  }
  has(key) {
    return this.maps.some((map) => Object.hasOwn(map, key));
  }
  get(key, missing) {
    const map = this.maps.find((each) => Object.hasOwn(each, key));
    return map === undefined ? missing : map[key];
  }
  set(key, value) {
    Object.defineProperty(this.maps[0], key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  new_child(map = {}) {
    return new ChainMap(map, ...this.maps);
  }
  toObject() {
    return Object.fromEntries(this.maps.toReversed().flatMap((map) => Object.entries(map)));
  }
}
