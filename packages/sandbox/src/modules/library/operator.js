/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's operators as functions; mod and floordiv take the sign of the divisor, as in Python.
export const add = (a, b) => a + b;
export const sub = (a, b) => a - b;
export const mul = (a, b) => a * b;
const divisible = (a, b) => {
  if (Number(b) === 0) throw new RangeError('division by zero');
  return typeof a === 'bigint';
};
export const truediv = (a, b) => (divisible(a, b) ? Number(a) / Number(b) : a / b);
export const floordiv = (a, b) => (divisible(a, b) ? (a - mod(a, b)) / b : Math.floor(a / b));
export const mod = (a, b) => {
  const rest = divisible(a, b) || b !== 0 ? a % b : a;
  return Number(rest) !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
export const pow = (a, b) => a ** b;
export const neg = (a) => -a;
export const pos = (a) => +a;
export const abs = (a) => (a < 0 ? -a : a);
export const and_ = (a, b) => a & b;
export const or_ = (a, b) => a | b;
export const xor = (a, b) => a ^ b;
export const invert = (a) => ~a;
export const lshift = (a, b) => a << b;
export const rshift = (a, b) => a >> b;
export const lt = (a, b) => a < b;
export const le = (a, b) => a <= b;
export const eq = (a, b) => a === b;
export const ne = (a, b) => a !== b;
export const ge = (a, b) => a >= b;
export const gt = (a, b) => a > b;
export const is_ = (a, b) => Object.is(a, b);
export const is_not = (a, b) => !Object.is(a, b);
export const not_ = (a) => !a;
export const truth = (a) => Boolean(a);
export const concat = (a, b) => (typeof a === 'string' ? a + b : [...a, ...b]);

const isKeyed = (container) => typeof container.has === 'function';
export function contains(container, item) {
  if (isKeyed(container)) return container.has(item);
  return typeof container.includes === 'function'
    ? container.includes(item)
    : Object.hasOwn(container, item);
}
export const countOf = (items, item) => [...items].filter((each) => each === item).length;
export function indexOf(items, item) {
  const index = [...items].indexOf(item);
  if (index < 0) throw new RangeError('not in sequence');
  return index;
}

// Negative indices count from the end; only own properties are read.
export function getitem(container, key) {
  if (isKeyed(container) && typeof container.get === 'function') return container.get(key);
  if (typeof container === 'string' || Array.isArray(container)) {
    if (typeof key === 'number' && container.at(key) !== undefined) return container.at(key);
  } else if (Object.hasOwn(container, key)) {
    return container[key];
  }
  throw new RangeError(`no item ${String(key)}`);
}
export function setitem(container, key, value) {
  if (isKeyed(container) && typeof container.set === 'function') container.set(key, value);
  else if (Array.isArray(container) && key < 0) container[container.length + key] = value;
  else
    Object.defineProperty(container, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}
export const itemgetter =
  (...keys) =>
  (container) =>
    keys.length === 1 ? getitem(container, keys[0]) : keys.map((key) => getitem(container, key));
export const attrgetter =
  (...paths) =>
  (object) => {
    const read = (path) => path.split('.').reduce((from, name) => from[name], object);
    return paths.length === 1 ? read(paths[0]) : paths.map(read);
  };
export const methodcaller =
  (name, ...args) =>
  (object) =>
    object[name](...args);
