import { library } from './library.generated.ts';

/** The modules that every sandbox may allow: the useful part of Python's, over JavaScript's own. */
export const moduleNames: readonly string[] = Object.freeze(library.map(({ name }) => name));

/**
 * Module name to a JavaScript expression whose value is the frozen namespace. It wants nothing but the standard globals of
 * the compartment in which it is evaluated, `Date` and `Math.random` among them, and keeps no state between two runs.
 */
export const moduleSources = byName(({ source }) => source);

/** Module name to its TypeScript declaration, `declare module 'math' {…}`, to show to whoever writes the code. */
export const moduleDeclarations = byName(({ declaration }) => declaration);

/** Module name to the names it exports: what `prepareGuestSource` takes as `modules`. */
export const moduleExports: ReadonlyMap<string, readonly string[]> = new Map(
  library.map(({ name, exports }) => [name, exports.split(' ')]),
);

/** No prototype: a module called `constructor` is not there. */
function byName(
  of: (module: (typeof library)[number]) => string,
): Readonly<Record<string, string>> {
  const record: Record<string, string> = Object.create(null);
  for (const module of library) record[module.name] = of(module);
  return Object.freeze(record);
}
