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
