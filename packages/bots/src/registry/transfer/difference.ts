import { toSnakeCase } from '../file/snake-case.ts';

/** A field that has another value now. */
export interface Difference {
  /** `deployment.restart.period_ms`. */
  readonly path: string;
  /** Undefined when the field is new. */
  readonly before: unknown;
  /** Undefined when the field is taken away. */
  readonly after: unknown;
}

/** Of two values as they are in files. Lists are compared whole. */
export function differencesBetween(before: unknown, after: unknown): Difference[] {
  return compare('', toSnakeCase(before), toSnakeCase(after));
}

function compare(path: string, before: unknown, after: unknown): Difference[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      compare(path === '' ? name : `${path}.${name}`, before[name], after[name]),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
