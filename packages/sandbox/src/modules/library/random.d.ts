/** Python's random. For a sequence of its own, `new Random(seed)`; numbers differ from Python's. */
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
