/** One value inside the arguments, by its path. */
export interface ArgumentRow {
  /** `lines[0].price`; empty for the whole argument. */
  path: string;
  kind: 'text' | 'number' | 'yes or no' | 'nothing' | 'empty list' | 'empty object';
  value: string;
}

export interface ArgumentRows {
  rows: readonly ArgumentRow[];
  /** Values that are there and not in `rows`. */
  leftOut: number;
}

const MAX_ROWS = 200;

/** Arguments as a table that a person can read: plain data as it came out of JSON. */
export function argumentRows(input: unknown, maxRows = MAX_ROWS): ArgumentRows {
  const rows: ArgumentRow[] = [];
  let leftOut = 0;
  const open: { path: string; value: unknown }[] = [{ path: '', value: input }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { path, value } = next;
    const inner = typeof value === 'object' && value !== null ? fieldsOf(value, path) : [];
    if (inner.length > 0) open.push(...inner.toReversed());
    else if (rows.length < maxRows) rows.push(rowOf(path, value));
    else leftOut += 1;
  }
  return { rows, leftOut };
}

export interface ChangedArgument {
  path: string;
  before: ArgumentRow | undefined;
  after: ArgumentRow | undefined;
}

/** What differs between two sets of arguments. */
export function changedArguments(before: unknown, after: unknown): readonly ChangedArgument[] {
  const [old, now] = [byPath(before), byPath(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }))
    .filter((change) => !isSame(change.before, change.after));
}

const MAX_COMPARED = 10_000;

function byPath(input: unknown): Map<string, ArgumentRow> {
  return new Map(argumentRows(input, MAX_COMPARED).rows.map((row) => [row.path, row]));
}

function isSame(a: ArgumentRow | undefined, b: ArgumentRow | undefined): boolean {
  return a?.kind === b?.kind && a?.value === b?.value;
}

function fieldsOf(value: object, path: string): { path: string; value: unknown }[] {
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => ({ path: `${path}[${at}]`, value: item }));
  }
  return Object.entries(value).map(([key, item]: [string, unknown]) => ({
    path: path === '' ? nameOf(key) : `${path}.${nameOf(key)}`,
    value: item,
  }));
}

/** A name that holds signs of a path is put in quotes, so that it cannot pass for a path. */
function nameOf(key: string): string {
  return /^[^\s.[\]"]+$/u.test(key) ? key : JSON.stringify(key);
}

function rowOf(path: string, value: unknown): ArgumentRow {
  if (typeof value === 'string') return { path, kind: 'text', value };
  if (typeof value === 'number') return { path, kind: 'number', value: String(value) };
  if (typeof value === 'boolean') return { path, kind: 'yes or no', value: value ? 'yes' : 'no' };
  if (Array.isArray(value)) return { path, kind: 'empty list', value: '' };
  const isObject = typeof value === 'object' && value !== null;
  return { path, kind: isObject ? 'empty object' : 'nothing', value: '' };
}
