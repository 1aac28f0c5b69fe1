/*
 * Files have their field names in snake_case, programs in camelCase. Every key of the files is the name of a field (what a
 * person names is a value), so they are translated wherever they are.
 */

export function toSnakeCase(value: unknown): unknown {
  return mapKeys(value, snakeCase);
}

/** Names in camelCase stay, so whoever writes a file may use either. */
export function toCamelCase(value: unknown): unknown {
  return mapKeys(value, camelCase);
}

export const snakeCase = remembered((name) =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
);

const camelCase = remembered((name) =>
  name.replaceAll(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
);

const MOST_NAMES = 1_000;

/** There are few names, each many thousand times. */
function remembered(translate: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const translated = translate(name);
    if (known.size < MOST_NAMES) known.set(name, translated);
    return translated;
  };
}

function mapKeys(value: unknown, map: (name: string) => string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, map));
  const mapped: Record<string, unknown> = {}; // no `__proto__` gets in: in camelCase it is another name
  for (const [name, item] of Object.entries(value)) mapped[map(name)] = mapKeys(item, map);
  return mapped;
}
