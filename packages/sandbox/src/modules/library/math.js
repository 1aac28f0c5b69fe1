// Python's math over JavaScript's numbers. Where Python raises ValueError, a RangeError is thrown.
export const pi = Math.PI;
export const e = Math.E;
export const tau = 2 * Math.PI;
export const inf = Infinity;
export const nan = NaN;

export const { sin, cos, tan, atan, atan2, sinh, cosh, tanh, asinh, cbrt, exp, expm1, hypot } =
  Math;
export const { floor, ceil, trunc, abs: fabs } = Math;
export const { isFinite: isfinite, isNaN: isnan } = Number;
export const isinf = (x) => x === Infinity || x === -Infinity;

const inDomain = (result, ...args) => {
  if (Number.isNaN(result) && !args.some(Number.isNaN)) throw new RangeError('math domain error');
  return result;
};
export const sqrt = (x) => inDomain(Math.sqrt(x), x);
export const asin = (x) => inDomain(Math.asin(x), x);
export const acos = (x) => inDomain(Math.acos(x), x);
export const acosh = (x) => inDomain(Math.acosh(x), x);
export const atanh = (x) => inDomain(Math.abs(x) === 1 ? NaN : Math.atanh(x), x);
export const pow = (x, y) => inDomain(x === 0 && y < 0 ? NaN : x === 1 ? 1 : x ** y, x, y);
export const fmod = (x, y) => inDomain(x % y, x, y);

const positive = (x) => inDomain(x <= 0 ? NaN : x, x);
export const log = (x, base) =>
  base === undefined ? Math.log(positive(x)) : Math.log(positive(x)) / Math.log(positive(base));
export const log2 = (x) => Math.log2(positive(x));
export const log10 = (x) => Math.log10(positive(x));
export const log1p = (x) => inDomain(x <= -1 ? NaN : Math.log1p(x), x);

export const degrees = (x) => x * (180 / Math.PI);
export const radians = (x) => x * (Math.PI / 180);
export const copysign = (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x));
export const dist = (p, q) => Math.hypot(...p.map((x, i) => x - q[i]));

export function isclose(a, b, { rel_tol = 1e-9, abs_tol = 0 } = {}) {
  if (a === b) return true;
  if (isinf(a) || isinf(b)) return false;
  return Math.abs(a - b) <= Math.max(rel_tol * Math.max(Math.abs(a), Math.abs(b)), abs_tol);
}

// Shewchuk's partial sums: what is rounded off in one addition is kept, and added at the end, largest first.
export function fsum(values) {
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

export const prod = (values, { start = 1 } = {}) => [...values].reduce((a, b) => a * b, start);

const whole = (n) => {
  if (!Number.isSafeInteger(Number(n))) throw new TypeError(`${n} is not a whole number`);
  if (n < 0) throw new RangeError(`${n} is negative`);
  return BigInt(n);
};
const asNumber = (big) => (big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big);
export const factorial = (n) => perm(n);
export function perm(n, k = n) {
  let result = 1n;
  for (let i = whole(n) - whole(k) + 1n; i <= BigInt(n); i += 1n) result *= i;
  return asNumber(k > n ? 0n : result);
}
export function comb(n, k) {
  if (whole(k) > whole(n)) return 0;
  const few = k < n - k ? BigInt(k) : BigInt(n - k);
  let result = 1n;
  for (let i = 1n; i <= few; i += 1n) result = (result * (BigInt(n) - few + i)) / i;
  return asNumber(result);
}
const gcd2 = (a, b) => (b === 0 ? Math.abs(a) : gcd2(b, a % b));
export const gcd = (...ns) => ns.reduce(gcd2, 0);
export const lcm = (...ns) =>
  ns.reduce((a, b) => (a && b ? Math.abs(a / gcd2(a, b)) * Math.abs(b) : 0), 1);
export function isqrt(n) {
  const root = Math.floor(Math.sqrt(Number(whole(n))));
  return root * root > n ? root - 1 : root;
}
