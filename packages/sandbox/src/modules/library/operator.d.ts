/* oxlint-disable no-underscore-dangle -- Python's names */
/** Python's operator: `rows.map(itemgetter('name'))`, `reduce(add, xs)`. */
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
/** `attrgetter('owner.name')` */
export function attrgetter(...paths: string[]): (object: object) => unknown;
export function methodcaller(name: string, ...args: unknown[]): (object: object) => unknown;
