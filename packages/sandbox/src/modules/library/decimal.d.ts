/** Python's decimal: exact, rounded half-even to 28 digits. `new Decimal('0.1').add('0.2').toString()` is `0.3`. */
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
  /** To the places of the pattern: `x.quantize('0.01', 'ROUND_HALF_UP')`. */
  quantize(pattern: Numeric, rounding?: Rounding): Decimal;
  compare(other: Numeric): -1 | 0 | 1;
  eq(other: Numeric): boolean;
  lt(other: Numeric): boolean;
  gt(other: Numeric): boolean;
  toNumber(): number;
  toString(): string;
  toJSON(): string;
}
