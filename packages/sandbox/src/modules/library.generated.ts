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
    exports: `pi e tau inf nan sin cos tan atan atan2 sinh cosh tanh asinh cbrt exp expm1 hypot floor ceil trunc fabs isfinite isnan isinf sqrt asin acos acosh atanh pow fmod log log2 log10 log1p degrees radians copysign modf dist isclose fsum prod sumprod factorial perm comb gcd lcm isqrt`,
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
  /** Fractional and whole part. */
  export function modf(x: number): [number, number];
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
  export function sumprod(p: Iterable<number>, q: number[]): number;
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
       const modf = (x) => [isinf(x) ? copysign(0, x) : x % 1, Math.trunc(x)];
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
       const sumprod = (p, q) => fsum([...p].map((x, i) => x * q[i]));

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

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["pi"]:pi,["e"]:e,["tau"]:tau,["inf"]:inf,["nan"]:nan,["sin"]:sin,["cos"]:cos,["tan"]:tan,["atan"]:atan,["atan2"]:atan2,["sinh"]:sinh,["cosh"]:cosh,["tanh"]:tanh,["asinh"]:asinh,["cbrt"]:cbrt,["exp"]:exp,["expm1"]:expm1,["hypot"]:hypot,["floor"]:floor,["ceil"]:ceil,["trunc"]:trunc,["fabs"]:fabs,["isfinite"]:isfinite,["isnan"]:isnan,["isinf"]:isinf,["sqrt"]:sqrt,["asin"]:asin,["acos"]:acos,["acosh"]:acosh,["atanh"]:atanh,["pow"]:pow,["fmod"]:fmod,["log"]:log,["log2"]:log2,["log10"]:log10,["log1p"]:log1p,["degrees"]:degrees,["radians"]:radians,["copysign"]:copysign,["modf"]:modf,["dist"]:dist,["isclose"]:isclose,["fsum"]:fsum,["prod"]:prod,["sumprod"]:sumprod,["factorial"]:factorial,["perm"]:perm,["comb"]:comb,["gcd"]:gcd,["lcm"]:lcm,["isqrt"]:isqrt})}))(globalThis)`,
  },
  {
    name: 'random',
    exports: `Random random uniform randrange randint choice choices sample shuffle gauss normalvariate lognormvariate expovariate triangular paretovariate`,
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
    normalvariate(mu?: number, sigma?: number): number;
    lognormvariate(mu?: number, sigma?: number): number;
    expovariate(lambda?: number): number;
    triangular(low?: number, high?: number, mode?: number): number;
    paretovariate(alpha: number): number;
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
  export function normalvariate(mu?: number, sigma?: number): number;
  export function lognormvariate(mu?: number, sigma?: number): number;
  export function expovariate(lambda?: number): number;
  export function triangular(low?: number, high?: number, mode?: number): number;
  export function paretovariate(alpha: number): number;
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
  normalvariate(mu = 0, sigma = 1) {
    return this.gauss(mu, sigma);
  }
  lognormvariate(mu = 0, sigma = 1) {
    return Math.exp(this.gauss(mu, sigma));
  }
  expovariate(lambda = 1) {
    return -Math.log(1 - this.#next()) / lambda;
  }
  triangular(low = 0, high = 1, mode = (low + high) / 2) {
    const u = this.#next();
    const turn = (mode - low) / (high - low || 1);
    return u < turn
      ? low + Math.sqrt(u * (high - low) * (mode - low))
      : high - Math.sqrt((1 - u) * (high - low) * (high - mode));
  }
  paretovariate(alpha) {
    return (1 - this.#next()) ** (-1 / alpha);
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
       const normalvariate = (mu, sigma) => shared.gauss(mu, sigma);
       const lognormvariate = (mu, sigma) => shared.lognormvariate(mu, sigma);
       const expovariate = (lambda) => shared.expovariate(lambda);
       const triangular = (low, high, mode) => shared.triangular(low, high, mode);
       const paretovariate = (alpha) => shared.paretovariate(alpha);

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["Random"]:Random,["random"]:random,["uniform"]:uniform,["randrange"]:randrange,["randint"]:randint,["choice"]:choice,["choices"]:choices,["sample"]:sample,["shuffle"]:shuffle,["gauss"]:gauss,["normalvariate"]:normalvariate,["lognormvariate"]:lognormvariate,["expovariate"]:expovariate,["triangular"]:triangular,["paretovariate"]:paretovariate})}))(globalThis)`,
  },
  {
    name: 'string',
    exports: `ascii_lowercase ascii_uppercase ascii_letters digits hexdigits octdigits punctuation whitespace printable capwords Template format formatValue`,
    declaration: `declare module 'string' {
  /** Python's string: constants, Template, and str.format. */
  export const ascii_lowercase: string, ascii_uppercase: string, ascii_letters: string;
  export const digits: string, hexdigits: string, octdigits: string;
  export const punctuation: string, whitespace: string, printable: string;
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
    source: `((function(){"use strict";const{RangeError,ReferenceError,Object,String,JSON,Number,Math}=arguments[0];// Python's string: constants, Template, capwords, and str.format as a function.
       const ascii_lowercase = 'abcdefghijklmnopqrstuvwxyz';
       const ascii_uppercase = ascii_lowercase.toUpperCase();
       const ascii_letters = ascii_lowercase + ascii_uppercase;
       const digits = '0123456789';
       const hexdigits = '0123456789abcdefABCDEF';
       const octdigits = '01234567';
       const punctuation = '!"#$%&\\'()*+,-./:;<=>?@[\\\\]^_\`{|}~';
       const whitespace = ' \\t\\n\\r\\v\\f';
       const printable = digits + ascii_letters + punctuation + whitespace;

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

// \`{}\`, \`{0}\`, \`{name}\`, \`{a.b}\`, \`{0[key]}\`, each with an optional \`!r\` or \`!s\`, and \`:spec\`.
       function format(template, ...args) {
  let next = 0;
  const field = /\\{\\{|\\}\\}|\\{([^{}:!]*)(?:!([rs]))?(?::([^{}]*))?\\}/g;
  return template.replace(field, (whole, path, conversion, spec = '') => {
    if (whole === '{{' || whole === '}}') return whole.charAt(0);
    const [first, ...rest] = path
      .split(/[.[\\]]+/)
      .filter((part, index) => index === 0 || part !== '');
    const named = args.at(-1);
    const key = first === '' ? next++ : first;
    const value = /^\\d+$/.test(String(key)) ? args[key] : named?.[key];
    if (value === undefined) throw new ReferenceError(\`No value for {\${path}}\`);
    const found = rest.reduce((object, part) => object[part], value);
    return formatValue(conversion === 'r' ? JSON.stringify(found) : found, spec);
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

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["ascii_lowercase"]:ascii_lowercase,["ascii_uppercase"]:ascii_uppercase,["ascii_letters"]:ascii_letters,["digits"]:digits,["hexdigits"]:hexdigits,["octdigits"]:octdigits,["punctuation"]:punctuation,["whitespace"]:whitespace,["printable"]:printable,["capwords"]:capwords,["Template"]:Template,["format"]:format,["formatValue"]:formatValue})}))(globalThis)`,
  },
  {
    name: 'collections',
    exports: `Counter defaultdict OrderedDict deque namedtuple ChainMap`,
    declaration: `declare module 'collections' {
  /** Python's collections over Map and Array. */
  export class Counter<K = string> extends Map<K, number> {
    constructor(source?: Iterable<K> | Map<K, number> | Record<string, number>);
    /** 0 for a key that was never counted. */
    get(key: K): number;
    update(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
    subtract(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
    most_common(n?: number): [K, number][];
    elements(): K[];
    total(): number;
    /** Python's + - & |: only counts above 0 are kept. */
    add(other: Counter<K>): Counter<K>;
    sub(other: Counter<K>): Counter<K>;
    and(other: Counter<K>): Counter<K>;
    or(other: Counter<K>): Counter<K>;
  }
  export class defaultdict<K, V> extends Map<K, V> {
    /** \`new defaultdict(() => [])\` */
    constructor(make?: () => V, entries?: Iterable<[K, V]>);
    get(key: K): V;
  }
  export class OrderedDict<K, V> extends Map<K, V> {
    move_to_end(key: K, options?: { last?: boolean }): void;
    popitem(options?: { last?: boolean }): [K, V];
    pop(key: K): V;
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
    extendleft(items: Iterable<T>): void;
    rotate(n?: number): void;
    clear(): void;
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
    _make(values: readonly unknown[]): Readonly<Record<string, unknown>>;
    _replace(record: object, changes: object): Readonly<Record<string, unknown>>;
  };
  export class ChainMap {
    constructor(...maps: Record<string, unknown>[]);
    readonly maps: Record<string, unknown>[];
    has(key: string): boolean;
    get(key: string, missing?: unknown): unknown;
    set(key: string, value: unknown): void;
    new_child(map?: Record<string, unknown>): ChainMap;
    toObject(): Record<string, unknown>;
  }
}`,
    source: `((function(){"use strict";const{Map,Array,Math,Set,Symbol,Object,RangeError,String,Boolean,TypeError}=arguments[0];/* oxlint-disable no-underscore-dangle -- Python's names */
// Python's collections over Map and Array.
       class Counter extends Map {
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
    if (!this.has(key)) throw new RangeError(\`No such key: \${String(key)}\`);
    const value = this.get(key);
    this.delete(key);
    return value;
  }
}

// Two stacks, back to back: \`#front\` holds the left end reversed. An empty one takes half of the other.
       class deque {
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
       function namedtuple(name, fields) {
  const names = typeof fields === 'string' ? fields.split(/[\\s,]+/).filter(Boolean) : [...fields];
  const make = (...values) => {
    if (values.length !== names.length)
      throw new TypeError(\`\${name} takes \${names.length} values: \${names.join(', ')}\`);
    return Object.freeze(Object.fromEntries(names.map((field, i) => [field, values[i]])));
  };
  make._fields = Object.freeze(names);
  make._make = (values) => make(...values);
  make._replace = (record, changes) =>
    make(...names.map((field) => ({ ...record, ...changes })[field]));
  return Object.freeze(make);
}

       class ChainMap {
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

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["Counter"]:Counter,["defaultdict"]:defaultdict,["OrderedDict"]:OrderedDict,["deque"]:deque,["namedtuple"]:namedtuple,["ChainMap"]:ChainMap})}))(globalThis)`,
  },
  {
    name: 're',
    exports: `I M S IGNORECASE MULTILINE DOTALL Pattern Match compile match fullmatch search findall finditer sub subn split escape`,
    declaration: `declare module 're' {
  /** Python's re. Patterns are Python's (as strings; mind String.raw) or RegExps; flags are letters: 'i', 'm', 's'. */
  export const I: string, M: string, S: string, IGNORECASE: string, MULTILINE: string, DOTALL: string;
  type Replacement = string | ((match: Match) => string);
  export class Match {
    readonly string: string;
    readonly lastindex: number;
    group(): string;
    group(key: number | string): string | null;
    group(...keys: (number | string)[]): (string | null)[];
    groups(missing?: string | null): (string | null)[];
    groupdict(missing?: string | null): Record<string, string | null>;
    start(): number;
    end(): number;
    span(): [number, number];
    expand(template: string): string;
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
    subn(replacement: Replacement, text: string, count?: number): [string, number];
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
  export function subn(
    pattern: string | RegExp | Pattern,
    by: Replacement,
    text: string,
    options?: { count?: number; flags?: string },
  ): [string, number];
  export function split(
    pattern: string | RegExp | Pattern,
    text: string,
    options?: { maxsplit?: number; flags?: string },
  ): (string | null)[];
  export function escape(text: string): string;
}`,
    source: `((function(){"use strict";const{Object,Array,Set,RegExp,String,RangeError}=arguments[0];// Python's re over RegExp: its functions, its Match objects, and the parts of its syntax that JavaScript spells otherwise.
       const I = 'i';
       const M = 'm';
       const S = 's';
       const IGNORECASE = I;
       const MULTILINE = M;
       const DOTALL = S;

// Flags are letters: 'i', or I + M.
       class Pattern {
  #source;
  #flags;
  constructor(pattern, flags = '') {
    const isRegExp = Object.prototype.toString.call(pattern) === '[object RegExp]';
    const inline = isRegExp ? null : /^\\(\\?([aimsu]+)\\)/.exec(pattern);
    const letters = [...(isRegExp ? pattern.flags : (inline?.[1] ?? '')), ...Array.from(flags)];
    this.pattern = isRegExp ? pattern.source : pattern;
    this.#source = isRegExp ? pattern.source : toJavaScript(pattern.slice(inline?.[0].length ?? 0));
    this.#flags = [...new Set(letters.filter((flag) => 'imsu'.includes(flag)))].join('');
    this.#regExp('');
  }
  match(text) {
    const found = this.#regExp('y').exec(text);
    return found && new Match(found);
  }
  fullmatch(text) {
    const found = this.#regExp('y', \`(?:\${this.#source})(?![^])\`).exec(text);
    return found && new Match(found);
  }
  search(text) {
    const found = this.#regExp('').exec(text);
    return found && new Match(found);
  }
  *finditer(text) {
    for (const found of text.matchAll(this.#regExp('g'))) yield new Match(found);
  }
  // Whole matches; with one group its text, with more an array of theirs.
  findall(text) {
    return Array.from(text.matchAll(this.#regExp('g')), ([whole, ...groups]) => {
      if (groups.length === 0) return whole;
      return groups.length === 1 ? (groups[0] ?? '') : groups.map((group) => group ?? '');
    });
  }
  sub(replacement, text, count = 0) {
    return this.subn(replacement, text, count)[0];
  }
  subn(replacement, text, count = 0) {
    let done = 0;
    let from = 0;
    let result = '';
    for (const found of text.matchAll(this.#regExp('g'))) {
      if (count > 0 && done === count) break;
      const match = new Match(found);
      const by = typeof replacement === 'function' ? replacement(match) : match.expand(replacement);
      result += text.slice(from, match.start()) + by;
      from = match.end();
      done += 1;
    }
    return [result + text.slice(from), done];
  }
  // What groups matched comes between the pieces.
  split(text, maxsplit = 0) {
    const pieces = [];
    let from = 0;
    let done = 0;
    for (const found of text.matchAll(this.#regExp('g'))) {
      if (maxsplit > 0 && done === maxsplit) break;
      pieces.push(text.slice(from, found.index), ...found.slice(1).map((group) => group ?? null));
      from = found.index + found[0].length;
      done += 1;
    }
    return [...pieces, text.slice(from)];
  }
  #regExp(more, source = this.#source) {
    return new RegExp(source, this.#flags + more);
  }
}

// One pass over escapes, classes and group openings, so that nothing inside a class or an escape is taken for syntax.
function toJavaScript(pattern) {
  const spellings = { '\\\\A': '(?<![^])', '\\\\Z': '(?![^])', '(?P<': '(?<' };
  return pattern
    .replace(
      /\\\\[^]|\\[\\^?\\]?(?:\\\\[^]|[^\\]\\\\])*\\]|\\(\\?P<|\\(\\?P=(\\w+)\\)|\\(\\?#[^)]*\\)/g,
      (piece, name) => {
        if (name !== undefined) return \`\\\\k<\${name}>\`;
        if (piece.startsWith('(?#')) return '';
        // A bracket that comes first is a character in Python, and ends an empty class in JavaScript.
        if (piece.startsWith('[')) return piece.replace(/^(\\[\\^?)\\]/, '$1\\\\]');
        return spellings[piece] ?? piece;
      },
    )
    .replace(/(?<!\\\\)\\$$/, '(?=\\\\n?(?![^]))');
}

       class Match {
  #found;
  constructor(found) {
    this.#found = found;
    this.string = found.input;
    this.lastindex = found.findLastIndex((group, index) => index > 0 && group !== undefined);
  }
  group(...keys) {
    const groups = keys.map((key) => this.#group(key));
    return keys.length === 0 ? this.#found[0] : keys.length === 1 ? groups[0] : groups;
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
  // \`\\1\`, \`\\g<1>\`, \`\\g<name>\`, \`\\n\`, \`\\t\`, \`\\\\\`.
  expand(template) {
    const escapes = { n: '\\n', t: '\\t', r: '\\r', '\\\\': '\\\\' };
    return template.replace(/\\\\(?:g<(\\w+)>|(\\d{1,2})|([^]))/g, (whole, name, number, character) => {
      if (character !== undefined) return escapes[character] ?? whole;
      return this.#group(number ?? name) ?? '';
    });
  }
  #group(key) {
    const isNumber = /^\\d+$/.test(String(key));
    const groups = isNumber ? this.#found : (this.#found.groups ?? {});
    if (!Object.hasOwn(groups, key)) throw new RangeError(\`no such group: \${key}\`);
    return groups[key] ?? null;
  }
}

       const compile = (pattern, flags) =>
  pattern instanceof Pattern ? pattern : new Pattern(pattern, flags);
       const match = (pattern, text, flags) => compile(pattern, flags).match(text);
       const fullmatch = (pattern, text, flags) => compile(pattern, flags).fullmatch(text);
       const search = (pattern, text, flags) => compile(pattern, flags).search(text);
       const findall = (pattern, text, flags) => compile(pattern, flags).findall(text);
       const finditer = (pattern, text, flags) => compile(pattern, flags).finditer(text);
       const sub = (pattern, by, text, { count = 0, flags } = {}) =>
  compile(pattern, flags).sub(by, text, count);
       const subn = (pattern, by, text, { count = 0, flags } = {}) =>
  compile(pattern, flags).subn(by, text, count);
       const split = (pattern, text, { maxsplit = 0, flags } = {}) =>
  compile(pattern, flags).split(text, maxsplit);
       const escape = (text) => text.replace(/[\\s#$&()*+\\-.?[\\\\\\]^{|}~]/g, '\\\\$&');

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["I"]:I,["M"]:M,["S"]:S,["IGNORECASE"]:IGNORECASE,["MULTILINE"]:MULTILINE,["DOTALL"]:DOTALL,["Pattern"]:Pattern,["Match"]:Match,["compile"]:compile,["match"]:match,["fullmatch"]:fullmatch,["search"]:search,["findall"]:findall,["finditer"]:finditer,["sub"]:sub,["subn"]:subn,["split"]:split,["escape"]:escape})}))(globalThis)`,
  },
  {
    name: 'itertools',
    exports: `count cycle repeat accumulate batched chain from_iterable compress dropwhile takewhile filterfalse groupby islice pairwise starmap tee zip zip_longest product permutations combinations combinations_with_replacement`,
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
  /** chain.from_iterable */
  export function from_iterable<T>(lists: Iterable<Iterable<T>>): Generator<T>;
  export function compress<T>(items: Iterable<T>, selectors: Iterable<unknown>): Generator<T>;
  export function dropwhile<T>(test: (item: T) => unknown, items: Iterable<T>): Generator<T>;
  export function takewhile<T>(test: (item: T) => unknown, items: Iterable<T>): Generator<T>;
  export function filterfalse<T>(
    test: ((item: T) => unknown) | null,
    items: Iterable<T>,
  ): Generator<T>;
  /** Neighbours with one key, as [key, array]; sort first, as in Python. */
  export function groupby<T, K = T>(items: Iterable<T>, keyOf?: (item: T) => K): Generator<[K, T[]]>;
  export function islice<T>(
    items: Iterable<T>,
    start: number,
    stop?: number | null,
    step?: number,
  ): Generator<T>;
  export function pairwise<T>(items: Iterable<T>): Generator<[T, T]>;
  export function starmap<A extends unknown[], R>(
    call: (...args: A) => R,
    lists: Iterable<A>,
  ): Generator<R>;
  export function tee<T>(items: Iterable<T>, n?: number): Generator<T>[];
  export function zip(...lists: Iterable<unknown>[]): Generator<unknown[]>;
  export function zip_longest(
    lists: Iterable<unknown>[],
    options?: { fillvalue?: unknown },
  ): Generator<unknown[]>;
  /** \`product([a, b], { repeat: 2 })\` */
  export function product<T>(lists: Iterable<T>[], options?: { repeat?: number }): Generator<T[]>;
  export function permutations<T>(items: Iterable<T>, r?: number): Generator<T[]>;
  export function combinations<T>(items: Iterable<T>, r: number): Generator<T[]>;
  export function combinations_with_replacement<T>(items: Iterable<T>, r: number): Generator<T[]>;
}`,
    source: `((function(){"use strict";const{RangeError,Boolean,Symbol,Array}=arguments[0];// Python's itertools as generators: nothing is computed before it is asked for.
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
       function* from_iterable(lists) {
  for (const list of lists) yield* list;
}
       function* compress(items, selectors) {
  for (const [item, selected] of zip(items, selectors)) if (selected) yield item;
}
       function* dropwhile(test, items) {
  let dropping = true;
  for (const item of items) {
    dropping &&= Boolean(test(item));
    if (!dropping) yield item;
  }
}
       function* takewhile(test, items) {
  for (const item of items) {
    if (!test(item)) return;
    yield item;
  }
}
       function* filterfalse(test, items) {
  for (const item of items) if (!(test ? test(item) : item)) yield item;
}
// Groups of neighbours with one key, as [key, array].
       function* groupby(items, keyOf = (item) => item) {
  let group;
  for (const item of items) {
    const key = keyOf(item);
    if (group !== undefined && group[0] === key) {
      group[1].push(item);
      continue;
    }
    if (group !== undefined) yield group;
    group = [key, [item]];
  }
  if (group !== undefined) yield group;
}
       function* islice(items, start, stop, step = 1) {
  const [from, to] = stop === undefined ? [0, start] : [start, stop ?? Infinity];
  let index = 0;
  if (from >= to) return;
  for (const item of items) {
    if (index >= from && (index - from) % step === 0) yield item;
    index += 1;
    if (index >= to) return;
  }
}
       function* pairwise(items) {
  let previous;
  let isFirst = true;
  for (const item of items) {
    if (!isFirst) yield [previous, item];
    previous = item;
    isFirst = false;
  }
}
       function* starmap(call, lists) {
  for (const list of lists) yield call(...list);
}
       function tee(items, n = 2) {
  const source = items[Symbol.iterator]();
  const queues = Array.from({ length: n }, () => []);
  return queues.map(function* own(queue) {
    for (;;) {
      if (queue.length === 0) {
        const { done, value } = source.next();
        if (done) return;
        for (const each of queues) each.push(value);
      }
      yield queue.shift();
    }
  });
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
       function* combinations_with_replacement(items, r) {
  const pool = [...items];
  const rest = (_, taken) => [...pool.keys()].slice(taken.at(-1) ?? 0);
  yield* picks(r, rest, (indices) => indices.map((index) => pool[index]));
}
// All ways to take \`size\` indices one after the other, in order, each from what \`options\` leaves.
function* picks(size, options, read, taken = []) {
  if (taken.length === size) yield read(taken);
  else
    for (const index of options(taken.length, taken))
      yield* picks(size, options, read, [...taken, index]);
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["count"]:count,["cycle"]:cycle,["repeat"]:repeat,["accumulate"]:accumulate,["batched"]:batched,["chain"]:chain,["from_iterable"]:from_iterable,["compress"]:compress,["dropwhile"]:dropwhile,["takewhile"]:takewhile,["filterfalse"]:filterfalse,["groupby"]:groupby,["islice"]:islice,["pairwise"]:pairwise,["starmap"]:starmap,["tee"]:tee,["zip"]:zip,["zip_longest"]:zip_longest,["product"]:product,["permutations"]:permutations,["combinations"]:combinations,["combinations_with_replacement"]:combinations_with_replacement})}))(globalThis)`,
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
    compare(other: timedelta): number;
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
    readonly ms: number;
    readonly year: number;
    /** 1 to 12. */
    readonly month: number;
    readonly day: number;
    /** Monday is 0. */
    weekday(): number;
    isoweekday(): number;
    /** Year, week, day of the week. */
    isocalendar(): [number, number, number];
    toordinal(): number;
    replace(changes: { year?: number; month?: number; day?: number }): this;
    add(delta: timedelta): this;
    sub(delta: timedelta): this;
    sub(other: date): timedelta;
    compare(other: date): number;
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
    static combine(day: date, time?: { hour?: number; minute?: number; second?: number }): datetime;
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
    source: `((function(){"use strict";const{String,Math,Object,Date,RangeError,RegExp}=arguments[0];// Python's datetime, in UTC only. JavaScript has no operators for objects: a.add(delta), a.sub(b), a.compare(b).
const DAY = 86_400_000;
const pad = (n, width = 2) => String(n).padStart(width, '0');
const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const months =
  'January February March April May June July August September October November December'.split(
    ' ',
  );

       class timedelta {
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
    const clock = \`\${Math.floor(ms / 3_600_000)}:\${pad(Math.floor(ms / 60_000) % 60)}:\${pad(Math.floor(ms / 1000) % 60)}\`;
    const fraction = ms % 1000 ? \`.\${pad(ms % 1000, 3)}000\` : '';
    return (
      (this.days ? \`\${this.days} day\${Math.abs(this.days) === 1 ? '' : 's'}, \` : '') +
      clock +
      fraction
    );
  }
  toJSON() {
    return this.toString();
  }
}

       class date {
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
      if (!write) throw new RangeError(\`Unsupported directive \${whole}\`);
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

       class datetime extends date {
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
      /^(\\d{4}-\\d\\d-\\d\\d)(?:[T ](\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d{1,9}))?)?(Z|[+-]\\d\\d:?\\d\\d)?)?$/.exec(
        text,
      );
    if (!found) throw new RangeError(\`Invalid isoformat string: '\${text}'\`);
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
      this.strftime(\`%Y-%m-%d\${separator}%H:%M:%S\`) +
      (this.millisecond ? \`.\${pad(this.millisecond, 3)}000\` : '')
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
    throw new RangeError(\`There is no day \${year}-\${month}-\${day}\`);
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
  f: (d) => \`\${pad(d.millisecond ?? 0, 3)}000\`,
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
    Y: '\\\\d{4}',
    y: '\\\\d\\\\d',
    m: '\\\\d\\\\d?',
    d: '\\\\d\\\\d?',
    H: '\\\\d\\\\d?',
    I: '\\\\d\\\\d?',
    M: '\\\\d\\\\d?',
    S: '\\\\d\\\\d?',
  };
  const words = {
    f: '\\\\d{1,6}',
    p: '[AaPp][Mm]',
    B: '[A-Za-z]+',
    b: '[A-Za-z]{3}',
    A: '[A-Za-z]+',
    a: '[A-Za-z]{3}',
  };
  const letters = [];
  const source = format.replace(/%([a-zA-Z%])|[^]/g, (piece, letter) => {
    if (letter === undefined) return piece.replace(/[\\\\^$.*+?()[\\]{}|/-]/, '\\\\$&');
    const reader = { ...readers, ...words }[letter];
    if (letter === '%' || !reader)
      return letter === '%' ? '%' : bad(\`Unsupported directive \${piece}\`);
    letters.push(letter);
    return \`(\${reader})\`;
  });
  const found =
    new RegExp(\`^\${source}$\`).exec(text) ?? bad(\`'\${text}' does not match format '\${format}'\`);
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

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["timedelta"]:timedelta,["date"]:date,["datetime"]:datetime})}))(globalThis)`,
  },
  {
    name: 'time',
    exports: `time time_ns monotonic perf_counter gmtime timegm asctime ctime strftime`,
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
  /** %Y %m %d %H %M %S %j %a %b %% */
  export function strftime(format: string, t?: StructTime): string;
}`,
    source: `((function(){"use strict";const{Date,BigInt,Math,Object,String,RangeError}=arguments[0];// Python's time over the run's clock. There is no sleep: nothing else runs meanwhile.
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
    tm_yday: Math.floor((at.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
    tm_isdst: 0,
  });
}
// calendar.timegm: the inverse of gmtime.
       const timegm = (t) =>
  Date.UTC(t.tm_year, t.tm_mon - 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec) / 1000;

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n) => String(n).padStart(2, '0');
       function asctime(t = gmtime()) {
  const clock = \`\${two(t.tm_hour)}:\${two(t.tm_min)}:\${two(t.tm_sec)}\`;
  return \`\${days[t.tm_wday]} \${months[t.tm_mon - 1]} \${String(t.tm_mday).padStart(2)} \${clock} \${t.tm_year}\`;
}
       const ctime = (seconds = time()) => asctime(gmtime(seconds));

       function strftime(format, t = gmtime()) {
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
    if (!Object.hasOwn(directives, letter)) throw new RangeError(\`Unsupported directive \${whole}\`);
    return directives[letter]();
  });
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["time"]:time,["time_ns"]:time_ns,["monotonic"]:monotonic,["perf_counter"]:perf_counter,["gmtime"]:gmtime,["timegm"]:timegm,["asctime"]:asctime,["ctime"]:ctime,["strftime"]:strftime})}))(globalThis)`,
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
    exports: `ROUND_HALF_EVEN ROUND_HALF_UP ROUND_HALF_DOWN ROUND_UP ROUND_DOWN ROUND_CEILING ROUND_FLOOR Decimal`,
    declaration: `declare module 'decimal' {
  /** Python's decimal: exact, rounded half-even to 28 digits. \`new Decimal('0.1').add('0.2').toString()\` is \`0.3\`. */
  type Rounding =
    | 'ROUND_HALF_EVEN'
    | 'ROUND_HALF_UP'
    | 'ROUND_HALF_DOWN'
    | 'ROUND_UP'
    | 'ROUND_DOWN'
    | 'ROUND_CEILING'
    | 'ROUND_FLOOR';
  export const ROUND_HALF_EVEN: 'ROUND_HALF_EVEN',
    ROUND_HALF_UP: 'ROUND_HALF_UP',
    ROUND_HALF_DOWN: 'ROUND_HALF_DOWN';
  export const ROUND_UP: 'ROUND_UP', ROUND_DOWN: 'ROUND_DOWN';
  export const ROUND_CEILING: 'ROUND_CEILING', ROUND_FLOOR: 'ROUND_FLOOR';
  type Numeric = Decimal | string | number | bigint;
  export class Decimal {
    /** A number is read as it is written: 0.1 is 0.1. */
    constructor(value?: Numeric);
    add(other: Numeric): Decimal;
    sub(other: Numeric): Decimal;
    mul(other: Numeric): Decimal;
    div(other: Numeric): Decimal;
    /** With the sign of the dividend. */
    mod(other: Numeric): Decimal;
    floordiv(other: Numeric): Decimal;
    pow(power: number): Decimal;
    sqrt(): Decimal;
    /** To the places of the pattern: \`x.quantize('0.01', 'ROUND_HALF_UP')\`. */
    quantize(pattern: Numeric, rounding?: Rounding): Decimal;
    round(places?: number, rounding?: Rounding): Decimal;
    normalize(): Decimal;
    neg(): Decimal;
    abs(): Decimal;
    compare(other: Numeric): -1 | 0 | 1;
    eq(other: Numeric): boolean;
    lt(other: Numeric): boolean;
    gt(other: Numeric): boolean;
    le(other: Numeric): boolean;
    ge(other: Numeric): boolean;
    isZero(): boolean;
    parts(): { coefficient: bigint; exponent: number };
    toNumber(): number;
    toFixed(places: number, rounding?: Rounding): string;
    toString(): string;
    toJSON(): string;
  }
}`,
    source: `((function(){"use strict";const{String,BigInt,Math,RangeError,Object,Number,TypeError,Symbol}=arguments[0];// Python's decimal: a whole coefficient times a power of ten, exact, rounded to \`precision\` digits where Python would be.
// There is no NaN, infinity or negative zero: what would give one throws.
       const ROUND_HALF_EVEN = 'ROUND_HALF_EVEN';
       const ROUND_HALF_UP = 'ROUND_HALF_UP';
       const ROUND_HALF_DOWN = 'ROUND_HALF_DOWN';
       const ROUND_UP = 'ROUND_UP';
       const ROUND_DOWN = 'ROUND_DOWN';
       const ROUND_CEILING = 'ROUND_CEILING';
       const ROUND_FLOOR = 'ROUND_FLOOR';

const PRECISION = 28;
const MAX_EXPONENT = 100_000;
const abs = (n) => (n < 0n ? -n : n);
const digitsOf = (n) => String(abs(n)).length;
const tens = (n) => 10n ** BigInt(n);

       class Decimal {
  #coefficient;
  #exponent;

  // A number is read as it is written, so that Decimal(0.1) is 0.1 (in Python it is not).
  constructor(value = 0, exponent) {
    const [coefficient, power] = exponent === undefined ? parse(value) : [BigInt(value), exponent];
    if (Math.abs(power) > MAX_EXPONENT) throw new RangeError(\`The exponent \${power} is too large\`);
    this.#coefficient = coefficient;
    this.#exponent = power;
    Object.freeze(this);
  }
  add(other) {
    const [a, b, exponent] = this.#aligned(other);
    return rounded(a + b, exponent);
  }
  sub(other) {
    return this.add(of(other).neg());
  }
  mul(other) {
    const { coefficient, exponent } = of(other).parts();
    return rounded(this.#coefficient * coefficient, this.#exponent + exponent);
  }
  div(other) {
    const { coefficient: by, exponent: power } = of(other).parts();
    if (by === 0n) throw new RangeError('division by zero');
    const ideal = this.#exponent - power;
    const more = Math.max(0, PRECISION + 1 + digitsOf(by) - digitsOf(this.#coefficient));
    const scaled = this.#coefficient * tens(more);
    const quotient = scaled / by;
    // A remainder only decides ties: one more digit stands for all of it.
    if (scaled % by !== 0n)
      return rounded(quotient * 10n + (scaled < 0n === by < 0n ? 1n : -1n), ideal - more - 1);
    return rounded(quotient, ideal - more).#shortened(ideal);
  }
  // The sign of the remainder is that of the dividend, as in Python's Decimal.
  mod(other) {
    const [a, b, exponent] = this.#aligned(other);
    if (b === 0n) throw new RangeError('modulo by zero');
    return rounded(a % b, exponent);
  }
  floordiv(other) {
    const [a, b] = this.#aligned(other);
    if (b === 0n) throw new RangeError('division by zero');
    return rounded(a / b, 0);
  }
  pow(power) {
    if (!Number.isSafeInteger(power) || Math.abs(power) > 9999)
      throw new RangeError('The power must be a whole number up to 9999');
    const whole = new Decimal(
      this.#coefficient ** BigInt(Math.abs(power)),
      this.#exponent * Math.abs(power),
    );
    return power < 0 ? new Decimal(1).div(whole) : whole.add(0);
  }
  sqrt() {
    if (this.#coefficient < 0n) throw new RangeError('square root of a negative number');
    const ideal = Math.floor(this.#exponent / 2);
    const odd = this.#exponent - 2 * ideal;
    const more = PRECISION + 1;
    const square = this.#coefficient * tens(odd + 2 * more);
    const root = rootOf(square);
    if (root * root !== square) return rounded(root * 10n + 1n, ideal - more - 1);
    return rounded(root, ideal - more).#shortened(ideal);
  }
  quantize(pattern, rounding = ROUND_HALF_EVEN) {
    return this.#to(of(pattern).parts().exponent, rounding);
  }
  round(places = 0, rounding = ROUND_HALF_EVEN) {
    return this.#to(-places, rounding);
  }
  normalize() {
    return this.#coefficient === 0n ? new Decimal(0) : this.add(0).#shortened(MAX_EXPONENT);
  }
  neg() {
    return new Decimal(-this.#coefficient, this.#exponent);
  }
  abs() {
    return new Decimal(abs(this.#coefficient), this.#exponent);
  }
  compare(other) {
    const [a, b] = this.#aligned(other);
    return a < b ? -1 : a > b ? 1 : 0;
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
  le(other) {
    return this.compare(other) <= 0;
  }
  ge(other) {
    return this.compare(other) >= 0;
  }
  isZero() {
    return this.#coefficient === 0n;
  }
  parts() {
    return { coefficient: this.#coefficient, exponent: this.#exponent };
  }
  toNumber() {
    return Number(\`\${this.#coefficient}e\${this.#exponent}\`);
  }
  toFixed(places, rounding = ROUND_HALF_UP) {
    return plain(this.#to(-places, rounding).parts());
  }
  toString() {
    const digits = String(abs(this.#coefficient));
    const power = this.#exponent + digits.length - 1;
    if (this.#exponent <= 0 && power >= -6) return plain(this.parts());
    const sign = this.#coefficient < 0n ? '-' : '';
    return \`\${sign}\${digits[0]}\${digits.length > 1 ? \`.\${digits.slice(1)}\` : ''}E\${power < 0 ? '' : '+'}\${power}\`;
  }
  toJSON() {
    return this.toString();
  }
  valueOf() {
    throw new TypeError(
      'Operators would round a Decimal: use add, sub, mul, div, compare, or toNumber() and toString()',
    );
  }
  [Symbol.toPrimitive](hint) {
    return hint === 'string' ? this.toString() : this.valueOf();
  }
  #aligned(other) {
    const { coefficient, exponent } = of(other).parts();
    const low = Math.min(this.#exponent, exponent);
    return [
      this.#coefficient * tens(this.#exponent - low),
      coefficient * tens(exponent - low),
      low,
    ];
  }
  #to(exponent, rounding) {
    if (exponent <= this.#exponent)
      return new Decimal(this.#coefficient * tens(this.#exponent - exponent), exponent);
    return new Decimal(
      divided(this.#coefficient, tens(exponent - this.#exponent), rounding),
      exponent,
    );
  }
  // Without the zeros at the end, down to an exponent.
  #shortened(exponent) {
    let { coefficient, exponent: power } = this.parts();
    while (power < exponent && coefficient % 10n === 0n && coefficient !== 0n) {
      coefficient /= 10n;
      power += 1;
    }
    return new Decimal(coefficient, coefficient === 0n ? exponent : power);
  }
}

const of = (value) => (value instanceof Decimal ? value : new Decimal(value));

function parse(value) {
  if (value instanceof Decimal) return [value.parts().coefficient, value.parts().exponent];
  const found = /^\\s*([+-]?)(?=\\.?\\d)(\\d*)(?:\\.(\\d*))?(?:[eE]([+-]?\\d+))?\\s*$/.exec(
    String(value).replaceAll('_', ''),
  );
  if (!found) throw new RangeError(\`Not a decimal number: \${String(value)}\`);
  const [, sign, whole, fraction = '', exponent = 0] = found;
  return [
    BigInt(sign === '-' ? -1 : 1) * BigInt(whole + fraction),
    Number(exponent) - fraction.length,
  ];
}

function rounded(coefficient, exponent) {
  const excess = digitsOf(coefficient) - PRECISION;
  if (excess <= 0) return new Decimal(coefficient, exponent);
  const shorter = divided(coefficient, tens(excess), ROUND_HALF_EVEN);
  // 9.99… may have become 10.
  return digitsOf(shorter) > PRECISION
    ? new Decimal(shorter / 10n, exponent + excess + 1)
    : new Decimal(shorter, exponent + excess);
}

function divided(n, by, rounding) {
  const quotient = n / by;
  const rest = abs(n % by);
  if (rest === 0n) return quotient;
  const half = rest * 2n < by ? -1 : rest * 2n > by ? 1 : 0;
  const away = {
    ROUND_UP: true,
    ROUND_DOWN: false,
    ROUND_CEILING: n > 0n,
    ROUND_FLOOR: n < 0n,
    ROUND_HALF_UP: half >= 0,
    ROUND_HALF_DOWN: half > 0,
    ROUND_HALF_EVEN: half > 0 || (half === 0 && quotient % 2n !== 0n),
  }[rounding];
  if (away === undefined) throw new RangeError(\`Unknown rounding \${String(rounding)}\`);
  return away ? quotient + (n < 0n ? -1n : 1n) : quotient;
}

// Newton's method from above: it falls until it is the root.
function rootOf(n) {
  if (n < 2n) return n;
  let root = tens(Math.ceil(digitsOf(n) / 2));
  for (;;) {
    const next = (root + n / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

function plain({ coefficient, exponent }) {
  const digits =
    String(abs(coefficient)).padStart(1 - exponent, '0') + '0'.repeat(Math.max(0, exponent));
  const cut = exponent < 0 ? digits.length + exponent : digits.length;
  return \`\${coefficient < 0n ? '-' : ''}\${digits.slice(0, cut)}\${exponent < 0 ? \`.\${digits.slice(cut)}\` : ''}\`;
}

return ((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};f(n);return n})({__proto__:null,["ROUND_HALF_EVEN"]:ROUND_HALF_EVEN,["ROUND_HALF_UP"]:ROUND_HALF_UP,["ROUND_HALF_DOWN"]:ROUND_HALF_DOWN,["ROUND_UP"]:ROUND_UP,["ROUND_DOWN"]:ROUND_DOWN,["ROUND_CEILING"]:ROUND_CEILING,["ROUND_FLOOR"]:ROUND_FLOOR,["Decimal"]:Decimal})}))(globalThis)`,
  },
];
