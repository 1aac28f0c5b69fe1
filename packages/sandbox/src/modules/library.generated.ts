// Generated from library/ by test/modules-generated.test.ts: change the files there, then run it with -u.
export interface LibraryModule {
  readonly name: string;
  readonly exports: string;
  readonly declaration: string;
  readonly source: string;
}

export const library: readonly LibraryModule[] = [
  {
    name: 'math',
    exports: `pi e tau inf nan sin cos tan atan atan2 sinh cosh tanh asinh cbrt exp expm1 hypot floor ceil trunc fabs isfinite isnan isinf sqrt asin acos acosh atanh pow fmod log log2 log10 log1p degrees radians copysign dist isclose fsum prod factorial perm comb gcd lcm isqrt`,
    declaration: `declare module 'math' {
  /** Python's math. A RangeError ("math domain error") stands for ValueError. */
  export const pi: number, e: number, tau: number, inf: number, nan: number;
  export function sin(x: number): number;
  export function cos(x: number): number;
  export function tan(x: number): number;
  export function asin(x: number): number;
  export function acos(x: number): number;
  export function atan(x: number): number;
  export function atan2(y: number, x: number): number;
  export function sinh(x: number): number;
  export function cosh(x: number): number;
  export function tanh(x: number): number;
  export function asinh(x: number): number;
  export function acosh(x: number): number;
  export function atanh(x: number): number;
  export function exp(x: number): number;
  export function expm1(x: number): number;
  export function log(x: number, base?: number): number;
  export function log2(x: number): number;
  export function log10(x: number): number;
  export function log1p(x: number): number;
  export function pow(x: number, y: number): number;
  export function sqrt(x: number): number;
  export function cbrt(x: number): number;
  export function hypot(...coordinates: number[]): number;
  export function dist(p: number[], q: number[]): number;
  export function floor(x: number): number;
  export function ceil(x: number): number;
  export function trunc(x: number): number;
  export function fabs(x: number): number;
  export function fmod(x: number, y: number): number;
  export function copysign(x: number, y: number): number;
  export function degrees(x: number): number;
  export function radians(x: number): number;
  export function isfinite(x: number): boolean;
  export function isinf(x: number): boolean;
  export function isnan(x: number): boolean;
  export function isclose(
    a: number,
    b: number,
    options?: { rel_tol?: number; abs_tol?: number },
  ): boolean;
  /** The sum, rounded once. */
  export function fsum(values: Iterable<number>): number;
  export function prod(values: Iterable<number>, options?: { start?: number }): number;
  /** Exact: a bigint where a number would be rounded. */
  export function factorial(n: number): number | bigint;
  export function comb(n: number, k: number): number | bigint;
  export function perm(n: number, k?: number): number | bigint;
  export function gcd(...ns: number[]): number;
  export function lcm(...ns: number[]): number;
  export function isqrt(n: number): number;
}`,
    source: `((function(){"use strict";const{Math,Number,RangeError,Object,TypeError,BigInt}=arguments[0];// Python's math over JavaScript's numbers. Where Python raises ValueError, a RangeError is thrown.
       const pi = Math.PI;
       const e = Math.E;
       const tau = 2 * Math.PI;
       const inf = Infinity;
       const nan = NaN;

       const { sin, cos, tan, atan, atan2, sinh, cosh, tanh, asinh, cbrt, exp, expm1, hypot } =
  Math;
       const { floor, ceil, trunc, abs: fabs } = Math;
       const { isFinite: isfinite, isNaN: isnan } = Number;
       const isinf = (x) => x === Infinity || x === -Infinity;

const inDomain = (result, ...args) => {
  if (Number.isNaN(result) && !args.some(Number.isNaN)) throw new RangeError('math domain error');
  return result;
};
       const sqrt = (x) => inDomain(Math.sqrt(x), x);
       const asin = (x) => inDomain(Math.asin(x), x);
       const acos = (x) => inDomain(Math.acos(x), x);
       const acosh = (x) => inDomain(Math.acosh(x), x);
       const atanh = (x) => inDomain(Math.abs(x) === 1 ? NaN : Math.atanh(x), x);
       const pow = (x, y) => inDomain(x === 0 && y < 0 ? NaN : x === 1 ? 1 : x ** y, x, y);
       const fmod = (x, y) => inDomain(x % y, x, y);

const positive = (x) => inDomain(x <= 0 ? NaN : x, x);
       const log = (x, base) =>
  base === undefined ? Math.log(positive(x)) : Math.log(positive(x)) / Math.log(positive(base));
       const log2 = (x) => Math.log2(positive(x));
       const log10 = (x) => Math.log10(positive(x));
       const log1p = (x) => inDomain(x <= -1 ? NaN : Math.log1p(x), x);

       const degrees = (x) => x * (180 / Math.PI);
       const radians = (x) => x * (Math.PI / 180);
       const copysign = (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x));
       const dist = (p, q) => Math.hypot(...p.map((x, i) => x - q[i]));

       function isclose(a, b, { rel_tol = 1e-9, abs_tol = 0 } = {}) {
  if (a === b) return true;
  if (isinf(a) || isinf(b)) return false;
  return Math.abs(a - b) <= Math.max(rel_tol * Math.max(Math.abs(a), Math.abs(b)), abs_tol);
}

// Shewchuk's partial sums: what is rounded off in one addition is kept, and added at the end, largest first.
       function fsum(values) {
  let partials = [];
  let special = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) special += value;
    let x = value;
    const kept = [];
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) kept.push(low);
      x = high;
    }
    partials = [...kept, x];
  }
  if (special !== 0) return special;
  let sum = partials.pop() ?? 0;
  while (partials.length > 0) {
    const before = sum;
    const next = partials.pop();
    sum = before + next;
    const lost = next - (sum - before);
    if (lost === 0) continue;
    // A tie was broken without the parts that follow; they decide it.
    const rest = partials.at(-1) ?? 0;
    if (lost * rest > 0 && sum + 2 * lost - sum === 2 * lost) sum += 2 * lost;
    break;
  }
  return sum;
}

       const prod = (values, { start = 1 } = {}) => [...values].reduce((a, b) => a * b, start);

const whole = (n) => {
  if (!Number.isSafeInteger(Number(n))) throw new TypeError(\`\${n} is not a whole number\`);
  if (n < 0) throw new RangeError(\`\${n} is negative\`);
  return BigInt(n);
};
const asNumber = (big) => (big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big);
       const factorial = (n) => perm(n);
       function perm(n, k = n) {
  let result = 1n;
  for (let i = whole(n) - whole(k) + 1n; i <= BigInt(n); i += 1n) result *= i;
  return asNumber(k > n ? 0n : result);
}
       function comb(n, k) {
  if (whole(k) > whole(n)) return 0;
  const few = k < n - k ? BigInt(k) : BigInt(n - k);
  let result = 1n;
  for (let i = 1n; i <= few; i += 1n) result = (result * (BigInt(n) - few + i)) / i;
  return asNumber(result);
}
const gcd2 = (a, b) => (b === 0 ? Math.abs(a) : gcd2(b, a % b));
       const gcd = (...ns) => ns.reduce(gcd2, 0);
       const lcm = (...ns) =>
  ns.reduce((a, b) => (a && b ? Math.abs(a / gcd2(a, b)) * Math.abs(b) : 0), 1);
       function isqrt(n) {
  const root = Math.floor(Math.sqrt(Number(whole(n))));
  return root * root > n ? root - 1 : root;
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["pi"]:pi,["e"]:e,["tau"]:tau,["inf"]:inf,["nan"]:nan,["sin"]:sin,["cos"]:cos,["tan"]:tan,["atan"]:atan,["atan2"]:atan2,["sinh"]:sinh,["cosh"]:cosh,["tanh"]:tanh,["asinh"]:asinh,["cbrt"]:cbrt,["exp"]:exp,["expm1"]:expm1,["hypot"]:hypot,["floor"]:floor,["ceil"]:ceil,["trunc"]:trunc,["fabs"]:fabs,["isfinite"]:isfinite,["isnan"]:isnan,["isinf"]:isinf,["sqrt"]:sqrt,["asin"]:asin,["acos"]:acos,["acosh"]:acosh,["atanh"]:atanh,["pow"]:pow,["fmod"]:fmod,["log"]:log,["log2"]:log2,["log10"]:log10,["log1p"]:log1p,["degrees"]:degrees,["radians"]:radians,["copysign"]:copysign,["dist"]:dist,["isclose"]:isclose,["fsum"]:fsum,["prod"]:prod,["factorial"]:factorial,["perm"]:perm,["comb"]:comb,["gcd"]:gcd,["lcm"]:lcm,["isqrt"]:isqrt})}))(globalThis)`,
  },
  {
    name: 'random',
    exports: `Random random uniform randrange randint choice choices sample shuffle gauss expovariate`,
    declaration: `declare module 'random' {
  /** Python's random. For a sequence of its own, \`new Random(seed)\`; numbers differ from Python's. */
  export class Random {
    constructor(seed?: number | string);
    random(): number;
    uniform(a: number, b: number): number;
    randrange(start: number, stop?: number, step?: number): number;
    randint(a: number, b: number): number;
    choice<T>(items: readonly T[]): T;
    choices<T>(items: readonly T[], options?: { weights?: readonly number[]; k?: number }): T[];
    sample<T>(items: readonly T[], k: number): T[];
    shuffle(items: unknown[]): void;
    gauss(mu?: number, sigma?: number): number;
    expovariate(lambda?: number): number;
  }
  /** In [0, 1). */
  export function random(): number;
  export function uniform(a: number, b: number): number;
  /** A whole number from start up to, not including, stop. */
  export function randrange(start: number, stop?: number, step?: number): number;
  /** A whole number from a to b, both included. */
  export function randint(a: number, b: number): number;
  export function choice<T>(items: readonly T[]): T;
  export function choices<T>(
    items: readonly T[],
    options?: { weights?: readonly number[]; k?: number },
  ): T[];
  export function sample<T>(items: readonly T[], k: number): T[];
  /** In place. */
  export function shuffle(items: unknown[]): void;
  export function gauss(mu?: number, sigma?: number): number;
  export function expovariate(lambda?: number): number;
}`,
    source: `((function(){"use strict";const{RangeError,Math,Array,String}=arguments[0];// Python's random over Math.random, which a run may have seeded. Its sequences are not those of Python.
const check = (condition, message) => {
  if (!condition) throw new RangeError(message);
};

       class Random {
  #next;

  constructor(seed) {
    this.#next = seed === undefined ? () => Math.random() : generatorFrom(seed);
  }
  random() {
    return this.#next();
  }
  uniform(a, b) {
    return a + (b - a) * this.#next();
  }
  randrange(start, stop, step = 1) {
    const [from, to] = stop === undefined ? [0, start] : [start, stop];
    const count = Math.ceil((to - from) / step);
    check(count > 0, 'empty range for randrange()');
    return from + step * Math.floor(this.#next() * count);
  }
  randint(a, b) {
    return this.randrange(a, b + 1);
  }
  choice(items) {
    check(items.length > 0, 'Cannot choose from an empty sequence');
    return items[this.randrange(items.length)];
  }
  choices(items, { weights, k = 1 } = {}) {
    const sums = [];
    for (const weight of weights ?? items.map(() => 1)) sums.push((sums.at(-1) ?? 0) + weight);
    check(sums.length === items.length, 'The number of weights does not match the population');
    const total = sums.at(-1) ?? 0;
    check(total > 0, 'Total of weights must be greater than zero');
    return Array.from({ length: k }, () => {
      const drawn = this.#next() * total;
      return items[sums.findIndex((sum) => drawn < sum)];
    });
  }
  sample(items, k) {
    check(k >= 0 && k <= items.length, 'Sample larger than population or is negative');
    return this.#shuffled([...items]).slice(0, k);
  }
  shuffle(items) {
    this.#shuffled(items);
  }
  gauss(mu = 0, sigma = 1) {
    // Box and Muller; 1 - u keeps the logarithm away from 0.
    const radius = Math.sqrt(-2 * Math.log(1 - this.#next()));
    return mu + sigma * radius * Math.cos(2 * Math.PI * this.#next());
  }
  expovariate(lambda = 1) {
    return -Math.log(1 - this.#next()) / lambda;
  }
  #shuffled(items) {
    for (let i = items.length - 1; i > 0; i -= 1) {
      const j = Math.floor(this.#next() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

// A Weyl sequence through an integer mixer (the "lowbias32" constants): small, and good enough to draw samples.
function generatorFrom(seed) {
  let state = 0x811c9dc5;
  for (const character of String(seed))
    state = Math.imul(state ^ character.codePointAt(0), 0x01000193);
  const mixed = () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state ^ (state >>> 16);
    x = Math.imul(x, 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    return (x ^ (x >>> 16)) >>> 0;
  };
  return () => ((mixed() >>> 5) * 0x4000000 + (mixed() >>> 6)) / 0x20000000000000;
}

const shared = new Random();
       const random = () => shared.random();
       const uniform = (a, b) => shared.uniform(a, b);
       const randrange = (start, stop, step) => shared.randrange(start, stop, step);
       const randint = (a, b) => shared.randint(a, b);
       const choice = (items) => shared.choice(items);
       const choices = (items, options) => shared.choices(items, options);
       const sample = (items, k) => shared.sample(items, k);
       const shuffle = (items) => shared.shuffle(items);
       const gauss = (mu, sigma) => shared.gauss(mu, sigma);
       const expovariate = (lambda) => shared.expovariate(lambda);

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["Random"]:Random,["random"]:random,["uniform"]:uniform,["randrange"]:randrange,["randint"]:randint,["choice"]:choice,["choices"]:choices,["sample"]:sample,["shuffle"]:shuffle,["gauss"]:gauss,["expovariate"]:expovariate})}))(globalThis)`,
  },
  {
    name: 'string',
    exports: `ascii_lowercase ascii_uppercase ascii_letters digits hexdigits punctuation whitespace capwords Template format formatValue`,
    declaration: `declare module 'string' {
  /** Python's string: constants, Template, and str.format. */
  export const ascii_lowercase: string, ascii_uppercase: string, ascii_letters: string;
  export const digits: string, hexdigits: string;
  export const punctuation: string, whitespace: string;
  export function capwords(text: string, separator?: string): string;
  /** \`$name\` and \`\${name}\`; \`$$\` is a dollar. */
  export class Template {
    constructor(template: string);
    readonly template: string;
    substitute(values?: Record<string, unknown>): string;
    safe_substitute(values?: Record<string, unknown>): string;
  }
  /** \`format('{0:>8} {total:,.2f}', 'sum', { total: 1234.5 })\`; names are looked up in the last argument. */
  export function format(template: string, ...args: unknown[]): string;
  /** One value by a format specification, such as \`08.3f\`, \`,\`, \`x\`, \`.1%\`. */
  export function formatValue(value: unknown, spec: string): string;
}`,
    source: `((function(){"use strict";const{RangeError,ReferenceError,Object,String,Number,Math}=arguments[0];// Python's string: constants, Template, capwords, and str.format as a function.
       const ascii_lowercase = 'abcdefghijklmnopqrstuvwxyz';
       const ascii_uppercase = ascii_lowercase.toUpperCase();
       const ascii_letters = ascii_lowercase + ascii_uppercase;
       const digits = '0123456789';
       const hexdigits = '0123456789abcdefABCDEF';
       const punctuation = '!"#$%&\\'()*+,-./:;<=>?@[\\\\]^_\`{|}~';
       const whitespace = ' \\t\\n\\r\\v\\f';

const capitalized = (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
       function capwords(text, separator) {
  const words = separator === undefined ? text.trim().split(/\\s+/) : text.split(separator);
  return words.map(capitalized).join(separator ?? ' ');
}

       class Template {
  constructor(template) {
    this.template = template;
  }
  substitute(values = {}) {
    return this.#replace(values, (name, whole) => {
      if (whole === '$') throw new RangeError('Invalid placeholder in string');
      throw new ReferenceError(\`No value for placeholder \${name}\`);
    });
  }
  safe_substitute(values = {}) {
    return this.#replace(values, (_name, whole) => whole);
  }
  #replace(values, onMissing) {
    const placeholder = /\\$(?:(\\$)|([a-z_][\\w]*)|\\{([a-z_][\\w]*)\\}|)/gi;
    return this.template.replace(placeholder, (whole, dollar, bare, braced) => {
      if (dollar) return '$';
      const name = bare ?? braced;
      return name !== undefined && Object.hasOwn(values, name)
        ? String(values[name])
        : onMissing(name, whole);
    });
  }
}

// \`{}\`, \`{0}\`, \`{name}\`, \`{a.b}\`, \`{0[key]}\`, each with an optional \`:spec\`.
       function format(template, ...args) {
  let next = 0;
  const field = /\\{\\{|\\}\\}|\\{([^{}:]*)(?::([^{}]*))?\\}/g;
  return template.replace(field, (whole, path, spec = '') => {
    if (path === undefined) return whole.charAt(0);
    const [first = '', ...rest] = path.match(/[^.[\\]]+/g) ?? [];
    const key = first === '' ? next++ : first;
    const value = /^\\d+$/.test(key) ? args[key] : args.at(-1)?.[key];
    if (value === undefined) throw new ReferenceError(\`No value for {\${path}}\`);
    return formatValue(
      rest.reduce((object, part) => object[part], value),
      spec,
    );
  });
}

const SPEC =
  /^(?:(.)(?=[<>=^]))?([<>=^])?([+ -])?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?([bcdeEfFgGnosxX%])?$/;
       function formatValue(value, spec) {
  const parsed = SPEC.exec(spec);
  if (!parsed) throw new RangeError(\`Invalid format specifier '\${spec}'\`);
  const [, fill, align, sign = '-', alternate, zero, width = 0, group, precision, type] = parsed;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  let text = isNumber ? numberText(value, { type, precision, group, alternate }) : String(value);
  if (!isNumber && precision !== undefined) text = text.slice(0, Number(precision));
  const minus =
    isNumber && (value < 0 || Object.is(value, -0)) ? '-' : sign === '-' || !isNumber ? '' : sign;
  const side = align ?? (zero && isNumber ? '=' : isNumber ? '>' : '<');
  const padding = (fill ?? (zero ? '0' : ' ')).repeat(
    Math.max(0, Number(width) - text.length - minus.length),
  );
  if (side === '=') return minus + padding + text;
  if (side === '<') return minus + text + padding;
  if (side === '>') return padding + minus + text;
  const left = padding.length >> 1;
  return padding.slice(0, left) + minus + text + padding.slice(left);
}

function numberText(value, { type, precision, group, alternate }) {
  const size = value < 0 ? -value : value;
  const places = precision === undefined ? 6 : Number(precision);
  const radix = { b: 2, o: 8, x: 16, X: 16 }[type];
  let text;
  if (radix !== undefined) text = (alternate ? \`0\${type}\` : '') + size.toString(radix);
  else if (type === 'c') text = String.fromCodePoint(Number(size));
  else if (type === '%') text = \`\${fixed(Number(size) * 100, places)}%\`;
  else if (type === 'f' || type === 'F') text = fixed(Number(size), places);
  else if (type === 'e' || type === 'E') text = exponent(Number(size).toExponential(places));
  else if (type === 'g' || type === 'G' || precision !== undefined)
    text = general(Number(size), places || 1);
  else text = String(size);
  if (type === 'X' || type === 'E' || type === 'G') text = text.toUpperCase();
  return group === undefined
    ? text
    : text.replace(/^\\d+/, (whole) => whole.replace(/\\B(?=(?:\\d{3})+$)/g, group));
}

const exponent = (text) => text.replace(/e([+-])(\\d)$/, 'e$10$2');
// Python rounds the exact binary value, ties to even; toFixed breaks such ties upwards.
function fixed(size, places) {
  const text = size.toFixed(places);
  const isTie =
    places < 100 &&
    size
      .toFixed(Math.min(100, places + 30))
      .slice(text.length)
      .replace('.', '')
      .match(/^50*$/);
  if (!isTie || size >= 1e21) return text;
  const down = size.toFixed(places + 1).slice(0, places === 0 ? -2 : -1);
  return Number(down.at(-1)) % 2 === 0 ? down : text;
}
function general(size, places) {
  const [, power] = size.toExponential(places - 1).split('e');
  if (Number(power) < -4 || Number(power) >= places) {
    return exponent(size.toExponential(places - 1).replace(/\\.?0*e/, 'e'));
  }
  const text = fixed(size, places - 1 - Number(power));
  return text.includes('.') ? text.replace(/\\.?0+$/, '') : text;
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["ascii_lowercase"]:ascii_lowercase,["ascii_uppercase"]:ascii_uppercase,["ascii_letters"]:ascii_letters,["digits"]:digits,["hexdigits"]:hexdigits,["punctuation"]:punctuation,["whitespace"]:whitespace,["capwords"]:capwords,["Template"]:Template,["format"]:format,["formatValue"]:formatValue})}))(globalThis)`,
  },
  {
    name: 'collections',
    exports: `Counter defaultdict OrderedDict deque namedtuple`,
    declaration: `declare module 'collections' {
  /** Python's collections over Map and Array. */
  export class Counter<K = string> extends Map<K, number> {
    constructor(source?: Iterable<K> | Map<K, number> | Record<string, number>);
    /** 0 for a key that was never counted. */
    get(key: K): number;
    update(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
    subtract(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
    most_common(n?: number): [K, number][];
    total(): number;
    /** Python's + and -: only counts above 0 are kept. */
    add(other: Counter<K>): Counter<K>;
    sub(other: Counter<K>): Counter<K>;
  }
  export class defaultdict<K, V> extends Map<K, V> {
    /** \`new defaultdict(() => [])\` */
    constructor(make?: () => V, entries?: Iterable<[K, V]>);
    get(key: K): V;
  }
  /** A Map, which keeps the order of its keys. */
  export class OrderedDict<K, V> extends Map<K, V> {
    move_to_end(key: K, options?: { last?: boolean }): void;
  }
  export class deque<T> implements Iterable<T> {
    constructor(source?: Iterable<T>, maxlen?: number);
    readonly maxlen: number;
    readonly length: number;
    at(index: number): T | undefined;
    append(item: T): void;
    appendleft(item: T): void;
    pop(): T;
    popleft(): T;
    extend(items: Iterable<T>): void;
    rotate(n?: number): void;
    toJSON(): T[];
    [Symbol.iterator](): Iterator<T>;
  }
  /** \`const Point = namedtuple('Point', 'x y'); Point(1, 2).x\` */
  export function namedtuple(
    name: string,
    fields: string | readonly string[],
  ): {
    (...values: unknown[]): Readonly<Record<string, unknown>>;
    _fields: readonly string[];
    _replace(record: object, changes: object): Readonly<Record<string, unknown>>;
  };
}`,
    source: `((function(){"use strict";const{Map,Symbol,Object,RangeError,String,TypeError}=arguments[0];/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's collections over Map and Array. A Map keeps the order of its keys, as OrderedDict does.
       class Counter extends Map {
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

       class defaultdict extends Map {
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

       class OrderedDict extends Map {
  move_to_end(key, { last = true } = {}) {
    if (!this.has(key)) throw new RangeError(\`No such key: \${String(key)}\`);
    const others = [...this].filter(([each]) => each !== key);
    const entry = [key, this.get(key)];
    this.clear();
    for (const [name, value] of last ? [...others, entry] : [entry, ...others])
      this.set(name, value);
  }
}

// Items by a running number: nothing moves, whichever end they are added to or taken from.
       class deque {
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

// A function that makes frozen records: \`const Point = namedtuple('Point', 'x y')\`.
       function namedtuple(name, fields) {
  const names = typeof fields === 'string' ? fields.match(/\\w+/g) : [...fields];
  const make = (...values) => {
    if (values.length !== names.length)
      throw new TypeError(\`\${name} takes \${names.length} values: \${names.join(', ')}\`);
    return Object.freeze(Object.fromEntries(names.map((field, i) => [field, values[i]])));
  };
  make._fields = Object.freeze(names);
  make._replace = (record, changes) =>
    make(...names.map((field) => ({ ...record, ...changes })[field]));
  return Object.freeze(make);
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["Counter"]:Counter,["defaultdict"]:defaultdict,["OrderedDict"]:OrderedDict,["deque"]:deque,["namedtuple"]:namedtuple})}))(globalThis)`,
  },
  {
    name: 're',
    exports: `I M S IGNORECASE MULTILINE DOTALL Pattern Match compile match fullmatch search findall finditer sub split escape`,
    declaration: `declare module 're' {
  /** Python's re. Patterns are Python's (as strings; mind String.raw) or RegExps; flags are letters: 'i', 'm', 's'. */
  export const I: string, M: string, S: string, IGNORECASE: string, MULTILINE: string, DOTALL: string;
  type Replacement = string | ((match: Match) => string);
  export class Match {
    group(): string;
    group(key: number | string): string | null;
    group(...keys: (number | string)[]): (string | null)[];
    groups(missing?: string | null): (string | null)[];
    groupdict(missing?: string | null): Record<string, string | null>;
    start(): number;
    end(): number;
    span(): [number, number];
  }
  export class Pattern {
    constructor(pattern: string | RegExp, flags?: string);
    readonly pattern: string;
    match(text: string): Match | null;
    fullmatch(text: string): Match | null;
    search(text: string): Match | null;
    findall(text: string): string[] | string[][];
    finditer(text: string): Generator<Match>;
    sub(replacement: Replacement, text: string, count?: number): string;
    split(text: string, maxsplit?: number): (string | null)[];
  }
  export function compile(pattern: string | RegExp | Pattern, flags?: string): Pattern;
  /** At the start of the text only. */
  export function match(
    pattern: string | RegExp | Pattern,
    text: string,
    flags?: string,
  ): Match | null;
  export function fullmatch(
    pattern: string | RegExp | Pattern,
    text: string,
    flags?: string,
  ): Match | null;
  export function search(
    pattern: string | RegExp | Pattern,
    text: string,
    flags?: string,
  ): Match | null;
  export function findall(
    pattern: string | RegExp | Pattern,
    text: string,
    flags?: string,
  ): string[] | string[][];
  export function finditer(
    pattern: string | RegExp | Pattern,
    text: string,
    flags?: string,
  ): Generator<Match>;
  /** In a replacement \`\\1\` and \`\\g<name>\` stand for groups. */
  export function sub(
    pattern: string | RegExp | Pattern,
    by: Replacement,
    text: string,
    options?: { count?: number; flags?: string },
  ): string;
  export function split(
    pattern: string | RegExp | Pattern,
    text: string,
    options?: { maxsplit?: number; flags?: string },
  ): (string | null)[];
  export function escape(text: string): string;
}`,
    source: `((function(){"use strict";const{Array,RegExp,Object,RangeError}=arguments[0];// Python's re over RegExp: its functions, its Match objects, and the parts of its syntax that JavaScript spells otherwise.
       const [I, M, S] = 'ims';
       const [IGNORECASE, MULTILINE, DOTALL] = 'ims';

// Flags are letters: 'i', or I + M.
       class Pattern {
  #source;
  #flags;
  constructor(pattern, flags = '') {
    const isRegExp = typeof pattern !== 'string';
    const [inline = '', letters = ''] = isRegExp ? [] : (/^\\(\\?([aimsu]+)\\)/.exec(pattern) ?? []);
    const all = (isRegExp ? pattern.flags : letters) + flags;
    this.pattern = isRegExp ? pattern.source : pattern;
    this.#source = isRegExp ? pattern.source : toJavaScript(pattern.slice(inline.length));
    this.#flags = Array.from('imsu')
      .filter((flag) => all.includes(flag))
      .join('');
    this.search(''); // what is wrong with the pattern is told now
  }
  match(text) {
    return this.#first(text, 'y', this.#source);
  }
  fullmatch(text) {
    return this.#first(text, 'y', \`(?:\${this.#source})(?![^])\`);
  }
  search(text) {
    return this.#first(text, '', this.#source);
  }
  *finditer(text) {
    const pattern = new RegExp(this.#source, \`\${this.#flags}g\`);
    for (const found of text.matchAll(pattern)) yield new Match(found);
  }
  // Whole matches; with one group its text, with more an array of theirs.
  findall(text) {
    return Array.from(this.finditer(text), (match) => {
      const groups = match.groups('');
      return groups.length < 2 ? (groups[0] ?? match.group()) : groups;
    });
  }
  sub(replacement, text, count = Infinity) {
    const by =
      typeof replacement === 'function' ? replacement : (match) => expand(replacement, match);
    return this.#cut(text, count, (match) => [by(match)]).join('');
  }
  // What groups matched comes between the pieces.
  split(text, maxsplit = Infinity) {
    return this.#cut(text, maxsplit, (match) => match.groups());
  }
  #cut(text, count, between) {
    const pieces = [];
    let from = 0;
    for (const match of this.finditer(text).take(count || Infinity)) {
      pieces.push(text.slice(from, match.start()), ...between(match));
      from = match.end();
    }
    return [...pieces, text.slice(from)];
  }
  #first(text, flag, source) {
    const found = new RegExp(source, this.#flags + flag).exec(text);
    return found && new Match(found);
  }
}

// One pass over escapes, classes and group openings, so that nothing inside a class or an escape is taken for syntax.
function toJavaScript(pattern) {
  const spellings = { '\\\\A': '(?<![^])', '\\\\Z': '(?![^])', '(?P<': '(?<', $: '(?=\\\\n?(?![^]))' };
  const pieces = /\\\\[^]|\\[\\^?\\]?(?:\\\\[^]|[^\\]\\\\])*\\]|\\(\\?P<|\\(\\?P=(\\w+)\\)|\\$$/g;
  return pattern.replace(pieces, (piece, name) => {
    if (name !== undefined) return \`\\\\k<\${name}>\`;
    // A bracket that comes first is a character in Python, and ends an empty class in JavaScript.
    return spellings[piece] ?? piece.replace(/^(\\[\\^?)\\]/, '$1\\\\]');
  });
}

       class Match {
  #found;
  constructor(found) {
    this.#found = found;
  }
  group(...keys) {
    const groups = (keys.length === 0 ? [0] : keys).map((key) => {
      const from = /^\\d+$/.test(key) ? this.#found : (this.#found.groups ?? {});
      if (!Object.hasOwn(from, key)) throw new RangeError(\`no such group: \${key}\`);
      return from[key] ?? null;
    });
    return groups.length === 1 ? groups[0] : groups;
  }
  groups(missing = null) {
    return this.#found.slice(1).map((group) => group ?? missing);
  }
  groupdict(missing = null) {
    const entries = Object.entries(this.#found.groups ?? {});
    return Object.fromEntries(entries.map(([name, group]) => [name, group ?? missing]));
  }
  start() {
    return this.#found.index;
  }
  end() {
    return this.#found.index + this.#found[0].length;
  }
  span() {
    return [this.start(), this.end()];
  }
}

// \`\\1\`, \`\\g<1>\`, \`\\g<name>\`, \`\\n\`, \`\\t\`, \`\\\\\` in a replacement.
function expand(template, match) {
  const escapes = { n: '\\n', t: '\\t', r: '\\r', '\\\\': '\\\\' };
  return template.replace(/\\\\(?:g<(\\w+)>|(\\d{1,2})|([^]))/g, (whole, name, number, character) =>
    character === undefined ? (match.group(number ?? name) ?? '') : (escapes[character] ?? whole),
  );
}

       const compile = (pattern, flags) =>
  pattern instanceof Pattern ? pattern : new Pattern(pattern, flags);
       const match = (pattern, text, flags) => compile(pattern, flags).match(text);
       const fullmatch = (pattern, text, flags) => compile(pattern, flags).fullmatch(text);
       const search = (pattern, text, flags) => compile(pattern, flags).search(text);
       const findall = (pattern, text, flags) => compile(pattern, flags).findall(text);
       const finditer = (pattern, text, flags) => compile(pattern, flags).finditer(text);
       const sub = (pattern, by, text, { count, flags } = {}) =>
  compile(pattern, flags).sub(by, text, count);
       const split = (pattern, text, { maxsplit, flags } = {}) =>
  compile(pattern, flags).split(text, maxsplit);
       const escape = (text) => text.replace(/[\\s#$&()*+\\-.?[\\\\\\]^{|}~]/g, '\\\\$&');

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["I"]:I,["M"]:M,["S"]:S,["IGNORECASE"]:IGNORECASE,["MULTILINE"]:MULTILINE,["DOTALL"]:DOTALL,["Pattern"]:Pattern,["Match"]:Match,["compile"]:compile,["match"]:match,["fullmatch"]:fullmatch,["search"]:search,["findall"]:findall,["finditer"]:finditer,["sub"]:sub,["split"]:split,["escape"]:escape})}))(globalThis)`,
  },
  {
    name: 'itertools',
    exports: `count cycle repeat accumulate batched chain takewhile groupby islice pairwise zip zip_longest product permutations combinations`,
    declaration: `declare module 'itertools' {
  /** Python's itertools, lazy. Spread a result to get an array: \`[...combinations('abc', 2)]\`. */
  export function count(start?: number, step?: number): Generator<number>;
  export function cycle<T>(items: Iterable<T>): Generator<T>;
  export function repeat<T>(item: T, times?: number): Generator<T>;
  export function accumulate<T>(
    items: Iterable<T>,
    combine?: (a: T, b: T) => T,
    options?: { initial?: T },
  ): Generator<T>;
  export function batched<T>(items: Iterable<T>, n: number): Generator<T[]>;
  export function chain<T>(...lists: Iterable<T>[]): Generator<T>;
  export function takewhile<T>(test: (item: T) => unknown, items: Iterable<T>): Generator<T>;
  /** Neighbours with one key, as [key, array]; sort first, as in Python. */
  export function groupby<T, K = T>(items: Iterable<T>, keyOf?: (item: T) => K): Generator<[K, T[]]>;
  export function islice<T>(
    items: Iterable<T>,
    start: number,
    stop?: number | null,
    step?: number,
  ): Generator<T>;
  export function pairwise<T>(items: Iterable<T>): Generator<[T, T]>;
  export function zip(...lists: Iterable<unknown>[]): Generator<unknown[]>;
  export function zip_longest(
    lists: Iterable<unknown>[],
    options?: { fillvalue?: unknown },
  ): Generator<unknown[]>;
  /** \`product([a, b], { repeat: 2 })\` */
  export function product<T>(lists: Iterable<T>[], options?: { repeat?: number }): Generator<T[]>;
  export function permutations<T>(items: Iterable<T>, r?: number): Generator<T[]>;
  export function combinations<T>(items: Iterable<T>, r: number): Generator<T[]>;
}`,
    source: `((function(){"use strict";const{RangeError,Symbol,Array}=arguments[0];// Python's itertools as generators: nothing is computed before it is asked for.
       function* count(start = 0, step = 1) {
  for (let n = 0; ; n += 1) yield start + n * step;
}
       function* cycle(items) {
  const saved = [];
  for (const item of items) {
    saved.push(item);
    yield item;
  }
  while (saved.length > 0) yield* saved;
}
       function* repeat(item, times = Infinity) {
  for (let n = 0; n < times; n += 1) yield item;
}
       function* accumulate(items, combine = (a, b) => a + b, { initial } = {}) {
  let total = initial;
  let isFirst = initial === undefined;
  if (!isFirst) yield total;
  for (const item of items) {
    total = isFirst ? item : combine(total, item);
    isFirst = false;
    yield total;
  }
}
       function* batched(items, n) {
  if (n < 1) throw new RangeError('n must be at least one');
  let batch = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < n) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
       function* chain(...lists) {
  for (const list of lists) yield* list;
}
       function* takewhile(test, items) {
  for (const item of items) {
    if (!test(item)) return;
    yield item;
  }
}
// Groups of neighbours with one key, as [key, array].
       function* groupby(items, keyOf = (item) => item) {
  let group;
  for (const item of items) {
    const key = keyOf(item);
    if (group?.[0] !== key && group) yield group;
    if (group?.[0] !== key) group = [key, []];
    group[1].push(item);
  }
  if (group) yield group;
}
       function* islice(items, start, stop, step = 1) {
  const [from, to] = stop === undefined ? [0, start] : [start, stop ?? Infinity];
  if (from >= to) return;
  let index = 0;
  for (const item of items) {
    if (index >= from && (index - from) % step === 0) yield item;
    index += 1;
    if (index >= to) return;
  }
}
       function* pairwise(items) {
  const window = [];
  for (const item of items) {
    if (window.push(item) < 2) continue;
    yield [...window];
    window.shift();
  }
}
       function* zip(...lists) {
  const sources = lists.map((list) => list[Symbol.iterator]());
  while (sources.length > 0) {
    const row = [];
    for (const source of sources) {
      const { done, value } = source.next();
      if (done) return;
      row.push(value);
    }
    yield row;
  }
}
       function* zip_longest(lists, { fillvalue = null } = {}) {
  const sources = lists.map((list) => list[Symbol.iterator]());
  for (;;) {
    const row = sources.map((source) => source.next());
    if (row.every(({ done }) => done)) return;
    yield row.map(({ done, value }) => (done ? fillvalue : value));
  }
}
       function* product(lists, { repeat: times = 1 } = {}) {
  const pools = Array.from({ length: times }, () => lists.map((list) => [...list])).flat();
  yield* picks(
    pools.length,
    (depth) => pools[depth].keys(),
    (indices) => indices.map((index, i) => pools[i][index]),
  );
}
       function* permutations(items, r) {
  const pool = [...items];
  const rest = (_, taken) => [...pool.keys()].filter((index) => !taken.includes(index));
  yield* picks(r ?? pool.length, rest, (indices) => indices.map((index) => pool[index]));
}
       function* combinations(items, r) {
  const pool = [...items];
  const rest = (_, taken) => [...pool.keys()].slice((taken.at(-1) ?? -1) + 1);
  yield* picks(r, rest, (indices) => indices.map((index) => pool[index]));
}
// All ways to take \`size\` indices one after the other, in order, each from what \`options\` leaves.
function* picks(size, options, read, taken = []) {
  if (taken.length === size) yield read(taken);
  else
    for (const index of options(taken.length, taken))
      yield* picks(size, options, read, [...taken, index]);
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["count"]:count,["cycle"]:cycle,["repeat"]:repeat,["accumulate"]:accumulate,["batched"]:batched,["chain"]:chain,["takewhile"]:takewhile,["groupby"]:groupby,["islice"]:islice,["pairwise"]:pairwise,["zip"]:zip,["zip_longest"]:zip_longest,["product"]:product,["permutations"]:permutations,["combinations"]:combinations})}))(globalThis)`,
  },
  {
    name: 'functools',
    exports: `reduce partial lru_cache cache cmp_to_key by_key`,
    declaration: `declare module 'functools' {
  /** Python's functools. */
  export function reduce<T, R = T>(
    combine: (total: R, item: T) => R,
    items: Iterable<T>,
    initial?: R,
  ): R;
  export function partial<R>(
    call: (...args: never[]) => R,
    ...first: unknown[]
  ): (...rest: unknown[]) => R;
  interface Cached<A extends unknown[], R> {
    (...args: A): R;
    cache_info(): { hits: number; misses: number; maxsize: number | null; currsize: number };
    cache_clear(): void;
  }
  /** Keeps the results of the last \`maxsize\` calls (128; null: all). Objects are compared by identity. */
  export function lru_cache<A extends unknown[], R>(
    call: (...args: A) => R,
    options?: { maxsize?: number | null },
  ): Cached<A, R>;
  export function cache<A extends unknown[], R>(call: (...args: A) => R): Cached<A, R>;
  export function cmp_to_key<T>(
    compare: (a: T, b: T) => number,
  ): (item: T) => { item: T; compareTo(other: { item: T }): number };
  /** A comparator for sort(), by a key: \`people.toSorted(by_key((p) => [p.last, p.first]))\`. */
  export function by_key<T>(keyOf: (item: T) => unknown): (a: T, b: T) => number;
}`,
    source: `((function(){"use strict";const{Symbol,TypeError,Map,Array,Math}=arguments[0];// Python's functools.
       function reduce(combine, items, ...initial) {
  const source = items[Symbol.iterator]();
  let total = initial[0];
  if (initial.length === 0) {
    const first = source.next();
    if (first.done) throw new TypeError('reduce() of empty iterable with no initial value');
    total = first.value;
  }
  for (const item of { [Symbol.iterator]: () => source }) total = combine(total, item);
  return total;
}

       const partial =
  (call, ...first) =>
  (...rest) =>
    call(...first, ...rest);

// Arguments are compared as Map keys are: objects by identity.
       function lru_cache(call, { maxsize = 128 } = {}) {
  const root = new Map();
  let order = new Map(); // leaf to the path that leads to it, oldest first
  let hits = 0;
  let misses = 0;
  const cached = (...args) => {
    const path = [args.length, ...args];
    const parents = [root];
    for (const arg of path.slice(0, -1)) {
      const parent = parents.at(-1);
      if (!parent.has(arg)) parent.set(arg, new Map());
      parents.push(parent.get(arg));
    }
    const leaves = parents.at(-1);
    const last = path.at(-1);
    const known = leaves.get(last);
    if (known !== undefined) {
      hits += 1;
      order.delete(known);
      order.set(known, [parents, path]);
      return known.value;
    }
    misses += 1;
    const leaf = { value: call(...args) };
    if (maxsize === 0) return leaf.value;
    leaves.set(last, leaf);
    order.set(leaf, [parents, path]);
    if (maxsize !== null && order.size > maxsize) forgetOldest();
    return leaf.value;
  };
  function forgetOldest() {
    const [leaf, [parents, path]] = order.entries().next().value;
    order.delete(leaf);
    for (let depth = path.length - 1; depth >= 0; depth -= 1) {
      parents[depth].delete(path[depth]);
      if (parents[depth].size > 0) return;
    }
  }
  cached.cache_info = () => ({ hits, misses, maxsize, currsize: order.size });
  cached.cache_clear = () => {
    root.clear();
    order = new Map();
    hits = 0;
    misses = 0;
  };
  return cached;
}
       const cache = (call) => lru_cache(call, { maxsize: null });

// For sorted(): \`items.toSorted(by_key(keyOf))\`; keys may be numbers, strings or arrays of them.
       const cmp_to_key = (compare) => (item) => ({
  item,
  compareTo: (other) => compare(item, other.item),
});
       const by_key = (keyOf) => (a, b) => compareKeys(keyOf(a), keyOf(b));
function compareKeys(a, b) {
  if (typeof a?.compareTo === 'function') return a.compareTo(b);
  if (!Array.isArray(a)) return a < b ? -1 : a > b ? 1 : 0;
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareKeys(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["reduce"]:reduce,["partial"]:partial,["lru_cache"]:lru_cache,["cache"]:cache,["cmp_to_key"]:cmp_to_key,["by_key"]:by_key})}))(globalThis)`,
  },
  {
    name: 'operator',
    exports: `add sub mul truediv floordiv mod pow neg pos abs and_ or_ xor invert lshift rshift lt le eq ne ge gt is_ is_not not_ truth concat contains countOf indexOf getitem setitem itemgetter attrgetter methodcaller`,
    declaration: `declare module 'operator' {
  /** Python's operator: \`rows.map(itemgetter('name'))\`, \`reduce(add, xs)\`. */
  type Numeric = number | bigint;
  export function add<T extends Numeric | string>(a: T, b: T): T;
  export function sub<T extends Numeric>(a: T, b: T): T;
  export function mul<T extends Numeric>(a: T, b: T): T;
  export function truediv(a: Numeric, b: Numeric): number;
  /** As Python's // and %: rounded down, with the sign of the divisor. */
  export function floordiv<T extends Numeric>(a: T, b: T): T;
  export function mod<T extends Numeric>(a: T, b: T): T;
  export function pow<T extends Numeric>(a: T, b: T): T;
  export function neg<T extends Numeric>(a: T): T;
  export function pos(a: number): number;
  export function abs<T extends Numeric>(a: T): T;
  export function and_<T extends Numeric>(a: T, b: T): T;
  export function or_<T extends Numeric>(a: T, b: T): T;
  export function xor<T extends Numeric>(a: T, b: T): T;
  export function invert<T extends Numeric>(a: T): T;
  export function lshift<T extends Numeric>(a: T, b: T): T;
  export function rshift<T extends Numeric>(a: T, b: T): T;
  export function lt<T>(a: T, b: T): boolean;
  export function le<T>(a: T, b: T): boolean;
  export function eq(a: unknown, b: unknown): boolean;
  export function ne(a: unknown, b: unknown): boolean;
  export function ge<T>(a: T, b: T): boolean;
  export function gt<T>(a: T, b: T): boolean;
  export function is_(a: unknown, b: unknown): boolean;
  export function is_not(a: unknown, b: unknown): boolean;
  export function not_(a: unknown): boolean;
  export function truth(a: unknown): boolean;
  export function concat<T>(a: string | Iterable<T>, b: string | Iterable<T>): string | T[];
  export function contains(container: object | string, item: unknown): boolean;
  export function countOf<T>(items: Iterable<T>, item: T): number;
  export function indexOf<T>(items: Iterable<T>, item: T): number;
  export function getitem(container: object | string, key: unknown): unknown;
  export function setitem(container: object, key: unknown, value: unknown): void;
  export function itemgetter(...keys: unknown[]): (container: object) => unknown;
  /** \`attrgetter('owner.name')\` */
  export function attrgetter(...paths: string[]): (object: object) => unknown;
  export function methodcaller(name: string, ...args: unknown[]): (object: object) => unknown;
}`,
    source: `((function(){"use strict";const{Number,RangeError,Math,Object,Boolean,Array,String}=arguments[0];/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's operators as functions; mod and floordiv take the sign of the divisor, as in Python.
       const add = (a, b) => a + b;
       const sub = (a, b) => a - b;
       const mul = (a, b) => a * b;
const divisible = (a, b) => {
  if (Number(b) === 0) throw new RangeError('division by zero');
  return typeof a === 'bigint';
};
       const truediv = (a, b) => (divisible(a, b) ? Number(a) / Number(b) : a / b);
       const floordiv = (a, b) => (divisible(a, b) ? (a - mod(a, b)) / b : Math.floor(a / b));
       const mod = (a, b) => {
  const rest = divisible(a, b) || b !== 0 ? a % b : a;
  return Number(rest) !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
       const pow = (a, b) => a ** b;
       const neg = (a) => -a;
       const pos = (a) => +a;
       const abs = (a) => (a < 0 ? -a : a);
       const and_ = (a, b) => a & b;
       const or_ = (a, b) => a | b;
       const xor = (a, b) => a ^ b;
       const invert = (a) => ~a;
       const lshift = (a, b) => a << b;
       const rshift = (a, b) => a >> b;
       const lt = (a, b) => a < b;
       const le = (a, b) => a <= b;
       const eq = (a, b) => a === b;
       const ne = (a, b) => a !== b;
       const ge = (a, b) => a >= b;
       const gt = (a, b) => a > b;
       const is_ = (a, b) => Object.is(a, b);
       const is_not = (a, b) => !Object.is(a, b);
       const not_ = (a) => !a;
       const truth = (a) => Boolean(a);
       const concat = (a, b) => (typeof a === 'string' ? a + b : [...a, ...b]);

const isKeyed = (container) => typeof container.has === 'function';
       function contains(container, item) {
  if (isKeyed(container)) return container.has(item);
  return typeof container.includes === 'function'
    ? container.includes(item)
    : Object.hasOwn(container, item);
}
       const countOf = (items, item) => [...items].filter((each) => each === item).length;
       function indexOf(items, item) {
  const index = [...items].indexOf(item);
  if (index < 0) throw new RangeError('not in sequence');
  return index;
}

// Negative indices count from the end; only own properties are read.
       function getitem(container, key) {
  if (isKeyed(container) && typeof container.get === 'function') return container.get(key);
  if (typeof container === 'string' || Array.isArray(container)) {
    if (typeof key === 'number' && container.at(key) !== undefined) return container.at(key);
  } else if (Object.hasOwn(container, key)) {
    return container[key];
  }
  throw new RangeError(\`no item \${String(key)}\`);
}
       function setitem(container, key, value) {
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
       const itemgetter =
  (...keys) =>
  (container) =>
    keys.length === 1 ? getitem(container, keys[0]) : keys.map((key) => getitem(container, key));
       const attrgetter =
  (...paths) =>
  (object) => {
    const read = (path) => path.split('.').reduce((from, name) => from[name], object);
    return paths.length === 1 ? read(paths[0]) : paths.map(read);
  };
       const methodcaller =
  (name, ...args) =>
  (object) =>
    object[name](...args);

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["add"]:add,["sub"]:sub,["mul"]:mul,["truediv"]:truediv,["floordiv"]:floordiv,["mod"]:mod,["pow"]:pow,["neg"]:neg,["pos"]:pos,["abs"]:abs,["and_"]:and_,["or_"]:or_,["xor"]:xor,["invert"]:invert,["lshift"]:lshift,["rshift"]:rshift,["lt"]:lt,["le"]:le,["eq"]:eq,["ne"]:ne,["ge"]:ge,["gt"]:gt,["is_"]:is_,["is_not"]:is_not,["not_"]:not_,["truth"]:truth,["concat"]:concat,["contains"]:contains,["countOf"]:countOf,["indexOf"]:indexOf,["getitem"]:getitem,["setitem"]:setitem,["itemgetter"]:itemgetter,["attrgetter"]:attrgetter,["methodcaller"]:methodcaller})}))(globalThis)`,
  },
  {
    name: 'datetime',
    exports: `timedelta date datetime`,
    declaration: `declare module 'datetime' {
  /** Python's datetime in UTC, to the millisecond. \`a.add(delta)\`, \`a.sub(b)\`, \`a < b\` work; \`a + b\` does not. */
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
    /** With other fields: \`replace({ day: 1 })\`. */
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
}`,
    source: `((function(){"use strict";const{String,Math,Date,Object,RangeError,RegExp,Number}=arguments[0];// Python's datetime, in UTC, to the millisecond. Objects have no operators, so a.add(delta) and a.sub(b); a < b works.
// strftime and strptime, which datetime and time share: each of the two gets this text in front of its own.
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const DAY = 86_400_000;
const pad = (n, width = 2) => String(n).padStart(width, '0');
const weekdayOf = (at) => (at.getUTCDay() + 6) % 7;
const dayOfYear = (at) => Math.floor((at - Date.UTC(at.getUTCFullYear(), 0, 1)) / DAY) + 1;

// Year and week of ISO 8601: the week that holds Thursday names the year.
function isoWeek(at) {
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
  f: (at) => \`\${at.toISOString().slice(20, 23)}000\`,
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
function written(at, format) {
  return format.replace(/%([a-zA-Z%])/g, (directive, letter) => {
    if (!Object.hasOwn(directives, letter))
      throw new RangeError(\`Unsupported directive \${directive}\`);
    return directives[letter](at);
  });
}

const readers = { Y: '\\\\d{4}', f: '\\\\d{1,6}', p: '[ap]m', a: '[a-z]{3}', b: '[a-z]{3}' };
for (const letter of 'AB') readers[letter] = '[a-z]+';
for (const letter of 'ymdHIMS') readers[letter] = '\\\\d\\\\d?';

// Year, month, day, hour, minute, second and millisecond of a text.
function fieldsIn(text, format) {
  const source = format.replace(/%([a-zA-Z%])|[^\\w\\s]/g, (piece, letter) => {
    if (letter === undefined || letter === '%') return \`\\\\\${piece.charAt(0)}\`;
    if (!Object.hasOwn(readers, letter)) throw new RangeError(\`Unsupported directive \${piece}\`);
    return \`(?<\${letter}>\${readers[letter]})\`;
  });
  const got = new RegExp(\`^\${source}$\`, 'i').exec(text)?.groups;
  if (!got) throw new RangeError(\`'\${text}' does not match format '\${format}'\`);
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

       class timedelta {
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
    const days = this.days ? \`\${this.days} day\${Math.abs(this.days) === 1 ? '' : 's'}, \` : '';
    return days + (clock.endsWith('.000') ? clock.slice(0, 8) : \`\${clock}000\`).replace(/^0/, '');
  }
  toJSON() {
    return this.toString();
  }
}

       class date {
  constructor(year, month, day) {
    Object.assign(this, { ms: msOf(year, month, day), year, month, day });
    if (new.target === date) Object.freeze(this);
  }
  static today() {
    return date.fromtimestamp(Date.now() / 1000);
  }
  static fromtimestamp(seconds) {
    const text = new Date(Math.round(seconds * 1000)).toISOString();
    return new this(...text.match(/^[+-]?\\d+|\\d+/g).map(Number));
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

       class datetime extends date {
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
      /^(\\d{4}-\\d\\d-\\d\\d)(?:[T ](\\d\\d:\\d\\d(?::\\d\\d)?)(?:[.,](\\d{1,9}))?(?:Z|([+-])(\\d\\d):?(\\d\\d))?)?$/.exec(
        text,
      ) ?? [];
    if (day === undefined) throw new RangeError(\`Invalid isoformat string: '\${text}'\`);
    const seconds = clock.length === 5 ? \`\${clock}:00\` : clock;
    const local = this.strptime(\`\${day} \${seconds}.\${fraction.slice(0, 3).padEnd(3, '0')}\`, ISO);
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
    return this.strftime(\`%Y-%m-%d\${separator}%H:%M:%S\${this.millisecond ? '.%f' : ''}\`);
  }
}
const ISO = '%Y-%m-%d %H:%M:%S.%f';

// JavaScript reads 30 February as 2 March; Python refuses it.
function msOf(...fields) {
  const [year, month, day, ...clock] = fields;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (clock.length > 0) at.setUTCHours(...clock);
  const read = Number.isNaN(at.getTime()) ? [] : at.toISOString().match(/\\d+/g).map(Number);
  if (!(year >= 1 && year <= 9999) || fields.some((field, i) => field !== read[i]))
    throw new RangeError(\`There is no such day or time: \${fields.join(' ')}\`);
  return at.getTime();
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["timedelta"]:timedelta,["date"]:date,["datetime"]:datetime})}))(globalThis)`,
  },
  {
    name: 'time',
    exports: `time time_ns monotonic perf_counter gmtime timegm strftime strptime asctime ctime`,
    declaration: `declare module 'time' {
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
}`,
    source: `((function(){"use strict";const{String,Math,Date,Object,RangeError,RegExp,Number,BigInt}=arguments[0];// Python's time over the run's clock. There is no sleep: nothing else runs meanwhile.
// strftime and strptime, which datetime and time share: each of the two gets this text in front of its own.
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const DAY = 86_400_000;
const pad = (n, width = 2) => String(n).padStart(width, '0');
const weekdayOf = (at) => (at.getUTCDay() + 6) % 7;
const dayOfYear = (at) => Math.floor((at - Date.UTC(at.getUTCFullYear(), 0, 1)) / DAY) + 1;

// Year and week of ISO 8601: the week that holds Thursday names the year.
function isoWeek(at) {
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
  f: (at) => \`\${at.toISOString().slice(20, 23)}000\`,
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
function written(at, format) {
  return format.replace(/%([a-zA-Z%])/g, (directive, letter) => {
    if (!Object.hasOwn(directives, letter))
      throw new RangeError(\`Unsupported directive \${directive}\`);
    return directives[letter](at);
  });
}

const readers = { Y: '\\\\d{4}', f: '\\\\d{1,6}', p: '[ap]m', a: '[a-z]{3}', b: '[a-z]{3}' };
for (const letter of 'AB') readers[letter] = '[a-z]+';
for (const letter of 'ymdHIMS') readers[letter] = '\\\\d\\\\d?';

// Year, month, day, hour, minute, second and millisecond of a text.
function fieldsIn(text, format) {
  const source = format.replace(/%([a-zA-Z%])|[^\\w\\s]/g, (piece, letter) => {
    if (letter === undefined || letter === '%') return \`\\\\\${piece.charAt(0)}\`;
    if (!Object.hasOwn(readers, letter)) throw new RangeError(\`Unsupported directive \${piece}\`);
    return \`(?<\${letter}>\${readers[letter]})\`;
  });
  const got = new RegExp(\`^\${source}$\`, 'i').exec(text)?.groups;
  if (!got) throw new RangeError(\`'\${text}' does not match format '\${format}'\`);
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

       const time = () => Date.now() / 1000;
       const time_ns = () => BigInt(Date.now()) * 1_000_000n;
const startedAt = Date.now();
       const monotonic = () => (Date.now() - startedAt) / 1000;
       const perf_counter = monotonic;

       function gmtime(seconds = time()) {
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
       const timegm = (t) =>
  Date.UTC(t.tm_year, t.tm_mon - 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec) / 1000;

const dateOf = (t) => new Date(timegm(t) * 1000);
       const strftime = (format, t = gmtime()) => written(dateOf(t), format);
       const strptime = (text, format) => {
  const [year, month, ...rest] = fieldsIn(text, format);
  return gmtime(Date.UTC(year, month - 1, ...rest) / 1000);
};
       const asctime = (t = gmtime()) =>
  strftime(\`%a %b \${String(t.tm_mday).padStart(2)} %H:%M:%S %Y\`, t);
       const ctime = (seconds = time()) => asctime(gmtime(seconds));

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["time"]:time,["time_ns"]:time_ns,["monotonic"]:monotonic,["perf_counter"]:perf_counter,["gmtime"]:gmtime,["timegm"]:timegm,["strftime"]:strftime,["strptime"]:strptime,["asctime"]:asctime,["ctime"]:ctime})}))(globalThis)`,
  },
  {
    name: 'json',
    exports: `dumps loads`,
    declaration: `declare module 'json' {
  /** Python's json. JavaScript's own JSON is there too. */
  export function dumps(
    value: unknown,
    options?: {
      indent?: number | string;
      sort_keys?: boolean;
      /** \`[', ', ': ']\`, or \`[',', ': ']\` with an indent. */
      separators?: [string, string];
      /** Called for what JSON has no form for: functions, symbols, undefined. */
      default?: (value: unknown) => unknown;
      /** Default true: all but ASCII is escaped. */
      ensure_ascii?: boolean;
    },
  ): string;
  /** \`parse_float\` and \`parse_int\` get the digits as text: \`loads(text, { parse_float: (s) => new Decimal(s) })\`. */
  export function loads(
    text: string,
    options?: {
      object_hook?: (value: Record<string, unknown>) => unknown;
      parse_float?: (digits: string) => unknown;
      parse_int?: (digits: string) => unknown;
    },
  ): unknown;
}`,
    source: `((function(){"use strict";const{Set,Number,RangeError,Object,String,TypeError,Array,Map,JSON}=arguments[0];// Python's json: its spacing, sort_keys, indent, default. NaN and infinities are an error, as JSON has none.
       function dumps(
  value,
  { indent, sort_keys = false, separators, default: replace, ensure_ascii = true } = {},
) {
  const [comma, colon] = separators ?? [indent === undefined ? ', ' : ',', ': '];
  const step = typeof indent === 'number' ? ' '.repeat(indent) : indent;
  const open = new Set();

  function write(item, margin) {
    if (typeof item?.toJSON === 'function') return write(item.toJSON(), margin);
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the default has the others
    switch (typeof item) {
      case 'string':
        return quoted(item, ensure_ascii);
      case 'number':
        if (!Number.isFinite(item))
          throw new RangeError('Out of range float values are not JSON compliant');
        return Object.is(item, -0) ? '-0.0' : String(item);
      case 'bigint':
      case 'boolean':
        return String(item);
      case 'object':
        return item === null ? 'null' : writeContainer(item, margin);
      default:
        if (replace) return write(replace(item), margin);
        if (item === undefined) return 'null';
        throw new TypeError(\`Object of type \${typeof item} is not JSON serializable\`);
    }
  }

  function writeContainer(item, margin) {
    if (open.has(item)) throw new RangeError('Circular reference detected');
    open.add(item);
    const inner = step === undefined ? '' : \`\${margin}\${step}\`;
    const isList = Array.isArray(item) || item instanceof Set;
    const parts = isList ? [...item].map((each) => write(each, inner)) : members(item, inner);
    open.delete(item);
    const [left, right] = isList ? '[]' : '{}';
    if (parts.length === 0) return left + right;
    if (step === undefined) return left + parts.join(comma) + right;
    return \`\${left}\\n\${inner}\${parts.join(\`\${comma.trimEnd()}\\n\${inner}\`)}\\n\${margin}\${right}\`;
  }

  function members(item, margin) {
    const entries = item instanceof Map ? [...item] : Object.entries(item);
    if (sort_keys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return entries
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => quoted(String(key), ensure_ascii) + colon + write(each, margin));
  }

  return write(value, '');
}

function quoted(text, ensureAscii) {
  const literal = JSON.stringify(text);
  if (!ensureAscii) return literal;
  return literal.replace(
    /[\\u007f-\\uffff]/g,
    (unit) => \`\\\\u\${unit.charCodeAt(0).toString(16).padStart(4, '0')}\`,
  );
}

       function loads(text, { object_hook, parse_float, parse_int } = {}) {
  return JSON.parse(text, (_key, value, context) => {
    if (typeof value === 'number') {
      const source = context?.source ?? String(value);
      const parse = /^-?\\d+$/.test(source) ? parse_int : parse_float;
      return parse ? parse(source) : value;
    }
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && object_hook ? object_hook(value) : value;
  });
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["dumps"]:dumps,["loads"]:loads})}))(globalThis)`,
  },
  {
    name: 'decimal',
    exports: `ROUND_HALF_EVEN ROUND_HALF_UP ROUND_DOWN ROUND_UP Decimal`,
    declaration: `declare module 'decimal' {
  /** Python's decimal: exact, rounded half-even to 28 digits. \`new Decimal('0.1').add('0.2').toString()\` is \`0.3\`. */
  type Rounding = 'ROUND_HALF_EVEN' | 'ROUND_HALF_UP' | 'ROUND_DOWN' | 'ROUND_UP';
  export const ROUND_HALF_EVEN: 'ROUND_HALF_EVEN', ROUND_HALF_UP: 'ROUND_HALF_UP';
  export const ROUND_DOWN: 'ROUND_DOWN', ROUND_UP: 'ROUND_UP';
  type Numeric = Decimal | string | number | bigint | [coefficient: bigint, exponent: number];
  export class Decimal {
    /** A number is read as it is written: 0.1 is 0.1. */
    constructor(value?: Numeric);
    readonly coefficient: bigint;
    readonly exponent: number;
    add(other: Numeric): Decimal;
    sub(other: Numeric): Decimal;
    mul(other: Numeric): Decimal;
    div(other: Numeric): Decimal;
    /** To a whole power of at most 9999. */
    pow(power: number): Decimal;
    /** To the places of the pattern: \`x.quantize('0.01', 'ROUND_HALF_UP')\`. */
    quantize(pattern: Numeric, rounding?: Rounding): Decimal;
    compare(other: Numeric): -1 | 0 | 1;
    eq(other: Numeric): boolean;
    lt(other: Numeric): boolean;
    gt(other: Numeric): boolean;
    toNumber(): number;
    toString(): string;
    toJSON(): string;
  }
}`,
    source: `((function(){"use strict";const{String,BigInt,Array,Math,RangeError,Object,Number,Symbol,TypeError}=arguments[0];// Python's decimal: a whole coefficient times a power of ten, exact, rounded half-even to 28 digits where Python would be.
// There is no NaN, infinity or negative zero: what would give one throws.
       const ROUND_HALF_EVEN = 'ROUND_HALF_EVEN';
       const ROUND_HALF_UP = 'ROUND_HALF_UP';
       const ROUND_DOWN = 'ROUND_DOWN';
       const ROUND_UP = 'ROUND_UP';

const PRECISION = 28;
const abs = (n) => (n < 0n ? -n : n);
const widthOf = (n) => String(abs(n)).length;
const tens = (n) => 10n ** BigInt(n);
const of = (value) => (value instanceof Decimal ? value : new Decimal(value));

       class Decimal {
  // A number is read as it is written, so that Decimal(0.1) is 0.1 (in Python it is not). A pair is coefficient and exponent.
  constructor(value = 0) {
    [this.coefficient, this.exponent] = Array.isArray(value) ? value : read(String(value));
    if (Math.abs(this.exponent) > 100_000) throw new RangeError('The exponent is too large');
    Object.freeze(this);
  }
  add(other) {
    const [a, b, exponent] = aligned(this, of(other));
    return rounded(a + b, exponent);
  }
  sub(other) {
    const [a, b, exponent] = aligned(this, of(other));
    return rounded(a - b, exponent);
  }
  mul(other) {
    const { coefficient, exponent } = of(other);
    return rounded(this.coefficient * coefficient, this.exponent + exponent);
  }
  div(other) {
    const by = of(other);
    if (by.coefficient === 0n) throw new RangeError('division by zero');
    const more = Math.max(0, PRECISION + 1 + widthOf(by.coefficient) - widthOf(this.coefficient));
    const scaled = this.coefficient * tens(more);
    const ideal = this.exponent - by.exponent;
    const quotient = scaled / by.coefficient;
    if (scaled % by.coefficient === 0n) return shortened(quotient, ideal - more, ideal);
    // A remainder only decides ties: one more digit stands for all of it.
    const rest = scaled < 0n === by.coefficient < 0n ? 1n : -1n;
    return rounded(quotient * 10n + rest, ideal - more - 1);
  }
  pow(power) {
    if (!(Number.isInteger(power) && power >= 0 && power <= 9999))
      throw new RangeError('The power must be a whole number from 0 to 9999');
    return rounded(this.coefficient ** BigInt(power), this.exponent * power);
  }
  quantize(pattern, rounding = ROUND_HALF_EVEN) {
    const { exponent } = of(pattern);
    const drop = exponent - this.exponent;
    if (drop <= 0) return new Decimal([this.coefficient * tens(-drop), exponent]);
    return new Decimal([divided(this.coefficient, tens(drop), rounding), exponent]);
  }
  compare(other) {
    const [a, b] = aligned(this, of(other));
    return a < b ? -1 : Number(a > b);
  }
  eq(other) {
    return this.compare(other) === 0;
  }
  lt(other) {
    return this.compare(other) < 0;
  }
  gt(other) {
    return this.compare(other) > 0;
  }
  toNumber() {
    return Number(\`\${this.coefficient}e\${this.exponent}\`);
  }
  toString() {
    const [first, ...rest] = String(abs(this.coefficient));
    const power = this.exponent + rest.length;
    if (this.exponent <= 0 && power >= -6) return plain(this);
    const digits = rest.length > 0 ? \`\${first}.\${rest.join('')}\` : first;
    return \`\${this.coefficient < 0n ? '-' : ''}\${digits}E\${power < 0 ? '' : '+'}\${power}\`;
  }
  toJSON() {
    return this.toString();
  }
  [Symbol.toPrimitive](hint) {
    if (hint === 'string') return this.toString();
    throw new TypeError('Operators would round a Decimal: use add, sub, mul, div, lt, or toNumber');
  }
}

function read(text) {
  const found = /^\\s*([+-]?)(?=\\.?\\d)(\\d*)\\.?(\\d*)(?:e([+-]?\\d+))?\\s*$/i.exec(text);
  if (!found) throw new RangeError(\`Not a decimal number: \${text}\`);
  const [, sign, whole, fraction, exponent = 0] = found;
  return [BigInt(\`\${sign === '-' ? '-' : ''}\${whole}\${fraction}\`), exponent - fraction.length];
}

// Two coefficients over their common exponent.
function aligned(a, b) {
  const low = Math.min(a.exponent, b.exponent);
  return [a.coefficient * tens(a.exponent - low), b.coefficient * tens(b.exponent - low), low];
}

function rounded(coefficient, exponent) {
  const excess = widthOf(coefficient) - PRECISION;
  if (excess <= 0) return new Decimal([coefficient, exponent]);
  // 9.99… may become 10.00, with a digit too many.
  return rounded(divided(coefficient, tens(excess), ROUND_HALF_EVEN), exponent + excess);
}

// Without zeros at the end, down to an exponent.
function shortened(coefficient, exponent, ideal) {
  let [digits, power] = [coefficient, exponent];
  for (; power < ideal && digits % 10n === 0n; power += 1) digits /= 10n;
  return rounded(digits, power);
}

function divided(n, by, rounding) {
  const quotient = n / by;
  const twice = abs(n % by) * 2n;
  const away = {
    ROUND_UP: twice > 0n,
    ROUND_DOWN: false,
    ROUND_HALF_UP: twice >= by,
    ROUND_HALF_EVEN: twice > by || (twice === by && quotient % 2n !== 0n),
  }[rounding];
  if (away === undefined) throw new RangeError(\`Unknown rounding \${String(rounding)}\`);
  return quotient + (away ? (n < 0n ? -1n : 1n) : 0n);
}

function plain({ coefficient, exponent }) {
  const digits = String(abs(coefficient)) + '0'.repeat(Math.max(0, exponent));
  const text = digits.padStart(1 - exponent, '0');
  const cut = text.length + Math.min(0, exponent);
  const fraction = exponent < 0 ? \`.\${text.slice(cut)}\` : '';
  return \`\${coefficient < 0n ? '-' : ''}\${text.slice(0, cut)}\${fraction}\`;
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["ROUND_HALF_EVEN"]:ROUND_HALF_EVEN,["ROUND_HALF_UP"]:ROUND_HALF_UP,["ROUND_DOWN"]:ROUND_DOWN,["ROUND_UP"]:ROUND_UP,["Decimal"]:Decimal})}))(globalThis)`,
  },
];
