import { types } from 'node:util';
import { showUntrusted } from './show-untrusted.ts';

/** How much is taken from a party that nobody vouches for. */
export interface UntrustedBounds {
  /** Objects and lists within each other. Default 32. */
  maxDepth: number;
  /** Values in all, lists and objects with them. Default 10,000. */
  maxValues: number;
  /** Characters (UTF-16 units) of all texts and field names together. Default 1,000,000. */
  maxChars: number;
}

export type UntrustedSnapshot =
  | { ok: true; value: unknown }
  /** `path` says where: `input.lines[3].note`; `problem` says the path, what is there, and what to do. */
  | { ok: false; path: string; problem: string };

const DEFAULT_BOUNDS: UntrustedBounds = {
  maxDepth: 32,
  maxValues: 10_000,
  maxChars: 1_000_000,
};

/** Names by which a careless merge reaches the prototype of everything. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Copies a value that came from a model, a sandbox or a stranger, so that nobody else holds it and nothing of it runs: own
 * data only. Plain objects, lists, texts, finite numbers, booleans, null and dates are copied; fields that are undefined are
 * left out. Whatever else there is (getters, proxies, functions, symbols, instances of classes, bytes, bigints, prototype
 * keys, cycles, holes, halves of characters, too much of anything) refuses the whole. Never throws, calls nothing of the
 * value's own.
 * @param bounds What differs from the defaults.
 * @example
 * snapshotUntrusted({ to: 'ada' }); // { ok: true, value: { to: 'ada' } }
 * snapshotUntrusted(JSON.parse('{"__proto__": {}}')); // { ok: false, path: 'input.__proto__', problem: '…' }
 */
export function snapshotUntrusted(
  value: unknown,
  bounds: Partial<UntrustedBounds> = {},
): UntrustedSnapshot {
  const copier = new Copier({ ...DEFAULT_BOUNDS, ...bounds });
  try {
    return { ok: true, value: value === undefined ? undefined : copier.copy(value, 'input') };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, path: error.path, problem: error.message };
    throw error;
  }
}

/** Thrown inside this file only. */
class Refusal extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

class Copier {
  readonly #bounds: UntrustedBounds;
  /** The objects that the one being copied is in. */
  readonly #within: object[] = [];
  #values = 0;
  #chars = 0;

  constructor(bounds: UntrustedBounds) {
    this.#bounds = bounds;
  }

  copy(value: unknown, path: string): unknown {
    this.#values += 1;
    if (this.#values > this.#bounds.maxValues) {
      throw new Refusal(path, `is one value too many: at most ${this.#bounds.maxValues} are taken`);
    }
    switch (typeof value) {
      case 'string':
        return this.#text(value, path);
      case 'number':
        return finite(value, path);
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.#object(value, path);
      case 'undefined':
        throw new Refusal(path, 'is undefined in a list; write null, or leave it out');
      case 'bigint':
        throw new Refusal(path, 'is a bigint; write it as a text');
      case 'function':
      case 'symbol':
        throw new Refusal(path, `is a ${typeof value}; only plain data is taken`);
    }
  }

  #text(text: string, path: string): string {
    this.#chars += text.length;
    if (this.#chars > this.#bounds.maxChars) {
      throw new Refusal(path, `is too long: at most ${this.#bounds.maxChars} characters are taken`);
    }
    if (!text.isWellFormed()) throw new Refusal(path, 'has half a character: no valid Unicode');
    return text;
  }

  #object(object: object, path: string): unknown {
    // First of all, for asking a proxy anything runs code of its maker.
    if (types.isProxy(object)) throw new Refusal(path, 'is a proxy; only plain data is taken');
    if (types.isDate(object)) return date(object, path);
    if (this.#within.includes(object)) throw new Refusal(path, 'is an object that it is itself in');
    if (this.#within.length >= this.#bounds.maxDepth) {
      throw new Refusal(path, `is too deep: at most ${this.#bounds.maxDepth} levels are taken`);
    }
    this.#within.push(object);
    const copy = Array.isArray(object) ? this.#list(object, path) : this.#record(object, path);
    this.#within.pop();
    return copy;
  }

  #list(list: readonly unknown[], path: string): unknown[] {
    const { length } = list;
    if (this.#values + length > this.#bounds.maxValues) {
      throw new Refusal(path, `is too long: at most ${this.#bounds.maxValues} values are taken`);
    }
    if (Reflect.ownKeys(list).length > length + 1) {
      throw new Refusal(path, 'is a list with named fields; only plain data is taken');
    }
    return Array.from({ length }, (_, index) => {
      const at = `${path}[${index}]`;
      return this.copy(dataOf(list, String(index), at), at);
    });
  }

  #record(object: object, path: string): Record<string, unknown> {
    if (!isPlain(object)) {
      throw new Refusal(path, 'is an instance of a class; only plain data and dates are taken');
    }
    const copy: Record<string, unknown> = {};
    for (const key of Reflect.ownKeys(object)) {
      if (typeof key === 'symbol') throw new Refusal(path, 'has a field named by a symbol');
      const at = `${path}.${showUntrusted(key, { maxChars: MAX_SHOWN_KEY })}`;
      if (PROTOTYPE_KEYS.has(key)) throw new Refusal(at, 'is a name that reaches prototypes');
      this.#text(key, at);
      const value = dataOf(object, key, at);
      if (value !== undefined) copy[key] = this.copy(value, at);
    }
    return copy;
  }
}

const MAX_SHOWN_KEY = 60;

/** The value of an own, visible field that is no getter: read once, so that it cannot be another one the next time. */
function dataOf(object: object, key: string, path: string): unknown {
  const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
  if (!descriptor) throw new Refusal(path, 'is a hole in a list; write null');
  if (!('value' in descriptor)) throw new Refusal(path, 'is a getter; only plain data is taken');
  if (descriptor.enumerable !== true) throw new Refusal(path, 'is a hidden field');
  return descriptor.value;
}

/** Made by `{}`, by JSON.parse or without a prototype, in this realm or another. */
function isPlain(object: object): boolean {
  const prototype: unknown = Reflect.getPrototypeOf(object);
  if (typeof prototype !== 'object' || prototype === null) return prototype === null;
  return !types.isProxy(prototype) && Reflect.getPrototypeOf(prototype) === null;
}

function finite(value: number, path: string): number {
  if (!Number.isFinite(value))
    throw new Refusal(path, `is ${value}; only finite numbers are taken`);
  return value === 0 ? 0 : value; // minus zero has no canonical form of its own
}

function date(value: Date, path: string): Date {
  const time = Date.prototype.getTime.call(value);
  if (Number.isNaN(time)) throw new Refusal(path, 'is an invalid date');
  if (Reflect.ownKeys(value).length > 0)
    throw new Refusal(path, 'is a date with fields of its own');
  return new Date(time);
}
