/** What a program's value is in JSON, for whoever calls the tool may write it to a file or a wire: a Map becomes its entries. */
export function jsonValue(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'object':
      return jsonObject(value);
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
    case 'function':
    case 'symbol':
      return null;
  }
}

function jsonObject(value: object | null): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Map)
    return [...value].map(([key, held]) => [jsonValue(key), jsonValue(held)]);
  if (value instanceof Set) return [...value].map(jsonValue);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return { name: value.name, message: value.message };
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, jsonValue(held)]));
}
