/** Python's decimal: exact, rounded half-even to 28 digits. `new Decimal('0.1').add('0.2').toString()` is `0.3`. */
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
  /** To the places of the pattern: `x.quantize('0.01', 'ROUND_HALF_UP')`. */
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
