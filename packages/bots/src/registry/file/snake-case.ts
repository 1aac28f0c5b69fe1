/*
 * Files have their field names in snake_case, programs in camelCase. Every key of the files is the name of a field (what a
 * person names is a value), so they are translated wherever they are.
 */

export function toSnakeCase(value: unknown): unknown {
  return mapKeys(value, snakeCase);
}

/** Names in camelCase stay, so whoever writes a file may use either. */
export function toCamelCase(value: unknown): unknown {
  return mapKeys(value, (name) =>
    name.replaceAll(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function mapKeys(value: unknown, map: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [map(name), mapKeys(item, map)]),
  );
}
