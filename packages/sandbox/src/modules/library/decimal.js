// Python's decimal: a whole coefficient times a power of ten, exact, rounded half-even to 28 digits where Python would be.
// There is no NaN, infinity or negative zero: what would give one throws.
export const ROUND_HALF_EVEN = 'ROUND_HALF_EVEN';
export const ROUND_HALF_UP = 'ROUND_HALF_UP';
export const ROUND_DOWN = 'ROUND_DOWN';
export const ROUND_UP = 'ROUND_UP';

const PRECISION = 28;
const abs = (n) => (n < 0n ? -n : n);
const widthOf = (n) => String(abs(n)).length;
const tens = (n) => 10n ** BigInt(n);
const of = (value) => (value instanceof Decimal ? value : new Decimal(value));

export class Decimal {
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
    return Number(`${this.coefficient}e${this.exponent}`);
  }
  toString() {
    const [first, ...rest] = String(abs(this.coefficient));
    const power = this.exponent + rest.length;
    if (this.exponent <= 0 && power >= -6) return plain(this);
    const digits = rest.length > 0 ? `${first}.${rest.join('')}` : first;
    return `${this.coefficient < 0n ? '-' : ''}${digits}E${power < 0 ? '' : '+'}${power}`;
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
  const found = /^\s*([+-]?)(?=\.?\d)(\d*)\.?(\d*)(?:e([+-]?\d+))?\s*$/i.exec(text);
  if (!found) throw new RangeError(`Not a decimal number: ${text}`);
  const [, sign, whole, fraction, exponent = 0] = found;
  return [BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`), exponent - fraction.length];
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
  if (away === undefined) throw new RangeError(`Unknown rounding ${String(rounding)}`);
  return quotient + (away ? (n < 0n ? -1n : 1n) : 0n);
}

function plain({ coefficient, exponent }) {
  const digits = String(abs(coefficient)) + '0'.repeat(Math.max(0, exponent));
  const text = digits.padStart(1 - exponent, '0');
  const cut = text.length + Math.min(0, exponent);
  const fraction = exponent < 0 ? `.${text.slice(cut)}` : '';
  return `${coefficient < 0n ? '-' : ''}${text.slice(0, cut)}${fraction}`;
}
