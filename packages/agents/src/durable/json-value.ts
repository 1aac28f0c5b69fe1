import { BuddyError } from '@buddy/core';

/** What an engine was to remember has no form in JSON. The message says where in the value, and what is there. */
export class NotJsonError extends BuddyError {
  readonly code = 'AGENTS_NOT_JSON';
}

/**
 * The JSON of a value as a store keeps it, and the value as it will come back from there: what JSON changes, such as a date or
 * a field that is undefined, is changed for whoever asked first, too, so that a replay sees the same. What is undefined as a
 * whole, as the result of a workflow that returns nothing, comes back as null.
 * @param what Names the value, for the message.
 * @throws {NotJsonError} For a function, a symbol, a BigInt, a circle, a number that is not finite, something undefined in a
 * list, and an object with a class of its own and no `toJSON`, as a Map.
 */
export function asJson<Value>(value: Value, what: string): { text: string; value: Value } {
  const isSame = new Check(what).check(value, undefined);
  const text = textOf(value, what);
  return { text, value: isSame ? value : (JSON.parse(text) as Value) };
}

function textOf(value: unknown, what: string): string {
  try {
    return JSON.stringify(value ?? null);
  } catch (error) {
    // What was looked at is fit; so it is what somebody's `toJSON` did.
    throw new NotJsonError(`${what} cannot be written as JSON`, { cause: error });
  }
}

/** Where something is in a value: a link from it to the whole, made into words only when it is needed. */
interface Place {
  key: string | number;
  object: object;
  within: Place | undefined;
}

class Check {
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  /** @returns Whether it will come back from JSON as it is. */
  check(value: unknown, place: Place | undefined): boolean {
    if (isPlain(value)) return true;
    switch (typeof value) {
      case 'undefined':
        return false; // as a field it is left out, as a whole it is null; lists look themselves
      case 'object':
        return value === null || this.#checkObject(value, place);
      case 'number':
        return this.#refuse(String(value), place);
      case 'string':
      case 'boolean':
        return true;
      case 'bigint':
      case 'symbol':
      case 'function':
        return this.#refuse(`a ${typeof value}`, place);
    }
  }

  #checkObject(object: object, place: Place | undefined): boolean {
    if (!('toJSON' in object) || typeof object.toJSON !== 'function') {
      return this.#checkFields(object, place);
    }
    const told: unknown = object.toJSON(place === undefined ? '' : String(place.key));
    if (told === object) this.#checkFields(object, place); // JSON asks once, too
    else this.check(told, place);
    return false;
  }

  #checkFields(object: object, place: Place | undefined): boolean {
    for (let above = place; above; above = above.within) {
      if (above.object === object) return this.#refuse('a circle', place);
    }
    if (Array.isArray(object)) return this.#checkList(object, place);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && !isOrdinary(prototype)) return this.#refuse(nameOf(object), place);
    let isSame = prototype !== null;
    for (const [key, value] of Object.entries(object)) {
      if (isPlain(value)) continue;
      if (!this.check(value, { key, object, within: place })) isSame = false;
    }
    return isSame;
  }

  #checkList(list: readonly unknown[], within: Place | undefined): boolean {
    let isSame = true;
    for (let key = 0; key < list.length; key++) {
      const value = list[key];
      if (isPlain(value)) continue;
      const place = { key, object: list, within };
      if (value === undefined) return this.#refuse('undefined, in a list,', place);
      if (!this.check(value, place)) isSame = false;
    }
    return isSame;
  }

  #refuse(found: string, place: Place | undefined): never {
    const path: string[] = [];
    for (let at = place; at; at = at.within) path.unshift(`[${JSON.stringify(at.key)}]`);
    const where = path.length === 0 ? '' : ` at ${path.join('')}`;
    throw new NotJsonError(`${this.#what} has to be JSON, and is ${found}${where}`);
  }
}

/** What nearly every value is. */
function isPlain(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value === null ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

/** Also of an object that was made elsewhere, as in a `node:vm` context. */
function isOrdinary(prototype: unknown): boolean {
  return (
    prototype === Object.prototype ||
    (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null)
  );
}

function nameOf(object: object): string {
  const { name } = object.constructor;
  return name === '' ? 'an object of a class' : `a ${name}`;
}
