import type { LogLevel } from '../protocol/messages.ts';
import { describe } from './describe.ts';

export interface ConsoleLimits {
  maxLogBytes: number;
  maxLogLines: number;
}

const silent = (): void => undefined;

/** A console whose lines go to the host; past its limits it says so once and falls silent. */
export function createConsole(
  limits: ConsoleLimits,
  write: (level: LogLevel, text: string) => void,
): Record<string, (...values: unknown[]) => void> {
  let linesLeft = limits.maxLogLines;
  let charsLeft = limits.maxLogBytes;

  const logger =
    (level: LogLevel) =>
    (...values: unknown[]): void => {
      if (linesLeft <= 0 || charsLeft <= 0) return;
      linesLeft -= 1;
      const text = values.map((value) => describe(value, charsLeft)).join(' ');
      charsLeft -= text.length;
      write(level, charsLeft < 0 ? text.slice(0, charsLeft) : text);
      if (linesLeft <= 0 || charsLeft <= 0)
        write('warn', '[the rest of the log is left out: it is over its limit]');
    };
  const log = logger('log');
  const counts = new Map<string, number>();
  return {
    debug: logger('debug'),
    log,
    info: logger('info'),
    warn: logger('warn'),
    error: logger('error'),
    trace: logger('debug'),
    dir: log,
    dirxml: log,
    count: (label?: unknown): void => {
      const count = (counts.get(labelOf(label)) ?? 0) + 1;
      counts.set(labelOf(label), count);
      log(`${labelOf(label)}: ${count}`);
    },
    countReset: (label?: unknown): void => void counts.delete(labelOf(label)),
    table: log,
    group: log,
    groupCollapsed: log,
    groupEnd: silent,
    time: silent,
    timeLog: silent,
    timeEnd: silent,
    assert: (condition: unknown, ...values: unknown[]): void => {
      if (!condition) logger('error')('Assertion failed', ...values);
    },
  };
}

function labelOf(label: unknown): string {
  return describe(label ?? 'default', MAX_LABEL_CHARS);
}

const MAX_LABEL_CHARS = 200;
