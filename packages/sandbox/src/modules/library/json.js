// Python's json: its spacing, sort_keys, indent, default. NaN and infinities are an error, as JSON has none.
export function dumps(
  value,
  { indent, sort_keys = false, separators, default: replace, ensure_ascii = true } = {},
) {
  const [comma, colon] = separators ?? [indent === undefined ? ', ' : ',', ': '];
  const step = typeof indent === 'number' ? ' '.repeat(indent) : indent;
  const open = new Set();

  function write(item, margin) {
    if (typeof item?.toJSON === 'function') return write(item.toJSON(), margin);
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the default has the others
    switch (typeof item) {
      case 'string':
        return quoted(item, ensure_ascii);
      case 'number':
        if (!Number.isFinite(item))
          throw new RangeError('Out of range float values are not JSON compliant');
        return Object.is(item, -0) ? '-0.0' : String(item);
      case 'bigint':
      case 'boolean':
        return String(item);
      case 'object':
        return item === null ? 'null' : writeContainer(item, margin);
      default:
        if (replace) return write(replace(item), margin);
        if (item === undefined) return 'null';
        throw new TypeError(`Object of type ${typeof item} is not JSON serializable`);
    }
  }

  function writeContainer(item, margin) {
    if (open.has(item)) throw new RangeError('Circular reference detected');
    open.add(item);
    const inner = step === undefined ? '' : `${margin}${step}`;
    const isList = Array.isArray(item) || item instanceof Set;
    const parts = isList ? [...item].map((each) => write(each, inner)) : members(item, inner);
    open.delete(item);
    const [left, right] = isList ? '[]' : '{}';
    if (parts.length === 0) return left + right;
    if (step === undefined) return left + parts.join(comma) + right;
    return `${left}\n${inner}${parts.join(`${comma.trimEnd()}\n${inner}`)}\n${margin}${right}`;
  }

  function members(item, margin) {
    const entries = item instanceof Map ? [...item] : Object.entries(item);
    if (sort_keys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return entries
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => quoted(String(key), ensure_ascii) + colon + write(each, margin));
  }

  return write(value, '');
}

function quoted(text, ensureAscii) {
  const literal = JSON.stringify(text);
  if (!ensureAscii) return literal;
  return literal.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function loads(text, { object_hook, parse_float, parse_int } = {}) {
  return JSON.parse(text, (_key, value, context) => {
    if (typeof value === 'number') {
      const source = context?.source ?? String(value);
      const parse = /^-?\d+$/.test(source) ? parse_int : parse_float;
      return parse ? parse(source) : value;
    }
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && object_hook ? object_hook(value) : value;
  });
}
