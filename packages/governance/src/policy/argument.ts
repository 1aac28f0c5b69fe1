/** The argument was not given: no own property of that name, or an undefined one. */
export const ABSENT = Symbol('absent');
/** The way to the argument ends at something that is no object, or reading it threw. */
export const UNREADABLE = Symbol('unreadable');
/** What the argument was is not known any more; only of past decisions. */
export const NOT_RECORDED = Symbol('not recorded');

/**
 * Reads an argument by its path. Own properties only, so that nothing inherited is ever taken for an argument; nothing is
 * converted. Never throws.
 */
export function readArgument(input: unknown, steps: readonly string[]): unknown {
  if (input === undefined) return ABSENT;
  let value = input;
  try {
    for (const step of steps) {
      if (typeof value !== 'object' || value === null) return UNREADABLE;
      if (!Object.hasOwn(value, step)) return ABSENT;
      value = Reflect.get(value, step);
    }
  } catch {
    return UNREADABLE; // a getter or a proxy of the caller
  }
  return value === undefined ? ABSENT : value;
}
