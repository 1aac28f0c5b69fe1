// Python's decimal: a whole coefficient times a power of ten, exact, rounded to `precision` digits where Python would be.
// There is no NaN, infinity or negative zero: what would give one throws.
export const ROUND_HALF_EVEN = 'ROUND_HALF_EVEN';
export const ROUND_HALF_UP = 'ROUND_HALF_UP';
export const ROUND_HALF_DOWN = 'ROUND_HALF_DOWN';
export const ROUND_UP = 'ROUND_UP';
export const ROUND_DOWN = 'ROUND_DOWN';
export const ROUND_CEILING = 'ROUND_CEILING';
export const ROUND_FLOOR = 'ROUND_FLOOR';

const PRECISION = 28;
const MAX_EXPONENT = 100_000;
const abs = (n) => (n < 0n ? -n : n);
const digitsOf = (n) => String(abs(n)).length;
const tens = (n) => 10n ** BigInt(n);

export class Decimal {
  #coefficient;
  #exponent;

  // A number is read as it is written, so that Decimal(0.1) is 0.1 (in Python it is not).
  constructor(value = 0, exponent) {
    const [coefficient, power] = exponent === undefined ? parse(value) : [BigInt(value), exponent];
    if (Math.abs(power) > MAX_EXPONENT) throw new RangeError(`The exponent ${power} is too large`);
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
    return Number(`${this.#coefficient}e${this.#exponent}`);
  }
  toFixed(places, rounding = ROUND_HALF_UP) {
    return plain(this.#to(-places, rounding).parts());
  }
  toString() {
    const digits = String(abs(this.#coefficient));
    const power = this.#exponent + digits.length - 1;
    if (this.#exponent <= 0 && power >= -6) return plain(this.parts());
    const sign = this.#coefficient < 0n ? '-' : '';
    return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}E${power < 0 ? '' : '+'}${power}`;
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
  const found = /^\s*([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/.exec(
    String(value).replaceAll('_', ''),
  );
  if (!found) throw new RangeError(`Not a decimal number: ${String(value)}`);
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
  if (away === undefined) throw new RangeError(`Unknown rounding ${String(rounding)}`);
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
  return `${coefficient < 0n ? '-' : ''}${digits.slice(0, cut)}${exponent < 0 ? `.${digits.slice(cut)}` : ''}`;
}
