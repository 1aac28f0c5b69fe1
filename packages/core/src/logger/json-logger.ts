import { z } from 'zod';
import type { Clock } from '../clock/clock.ts';
import { systemClock } from '../clock/system-clock.ts';
import { parseOrThrow } from '../parse.ts';
import { plainData } from '../redaction/redact-tree.ts';
import { redact as redactByDefault } from '../redaction/redactor.ts';
import type { Logger, LogMethod } from './logger.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

export const JsonLoggerOptions = z.strictObject({
  /** The least important level that is written; `silent` writes none. */
  level: z.enum([...LEVELS, 'silent']).default('info'),
  /** Whether secrets are taken out of every line. Where it is off in production, the first line says so. */
  redact: z.boolean().default(true),
});
export type JsonLoggerInput = z.input<typeof JsonLoggerOptions>;
export type JsonLoggerOptions = z.output<typeof JsonLoggerOptions>;

export interface JsonLoggerPorts {
  /** Takes one whole line, its newline included. Default: standard output. */
  write?: (line: string) => void;
  clock?: Pick<Clock, 'now'>;
  /** The name of the environment; `production` is the one that matters. Default: NODE_ENV. */
  environment?: string | undefined;
  /** Default: `redact` with its default options. */
  redact?: (value: unknown) => unknown;
}

/**
 * A logger that writes JSON Lines in the manner of pino, with words for levels and ISO 8601 for times:
 * `{"level":"info","time":"2026-01-01T00:00:00.000Z","runId":"run-1","msg":"started"}`. It writes anything, and never throws
 * over what it is given.
 * @throws {InvalidInputError} When an option does not fit.
 * @example
 * const logger = createJsonLogger({ level: 'debug' });
 * logger.child({ runId: 'run-1' }).info({ tasks: 12 }, 'started');
 */
export function createJsonLogger(
  input: JsonLoggerInput = {},
  {
    write = (line) => process.stdout.write(line),
    clock = systemClock,
    environment = process.env['NODE_ENV'],
    redact = redactByDefault,
  }: JsonLoggerPorts = {},
): Logger {
  const options = parseOrThrow(JsonLoggerOptions, input, 'options of createJsonLogger');
  const clean = options.redact ? redact : plainData;
  const isWritten = (level: Level) =>
    options.level !== 'silent' && LEVELS.indexOf(level) >= LEVELS.indexOf(options.level);
  const print = (level: Level, fields: object) => {
    const fixed = { level, time: new Date(clock.now()).toISOString() };
    // `fixed` twice: it comes first in the line, and no field can take its place.
    write(`${JSON.stringify({ ...fixed, ...fields, ...fixed })}\n`);
  };

  if (!options.redact && environment === 'production') {
    print('warn', { msg: 'Redaction is OFF in production: secrets will be written to this log' });
  }
  return loggerWith({}, clean, (level, fields) => {
    if (isWritten(level)) print(level, fields());
  });
}

function loggerWith(
  bindings: object,
  clean: (value: unknown) => unknown,
  print: (level: Level, fields: () => object) => void,
): Logger {
  const method =
    (level: Level): LogMethod =>
    (first: object | string, message?: string) => {
      print(level, () => ({ ...bindings, ...cleanFields(clean, ...lineOf(first, message)) }));
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (further) => loggerWith({ ...bindings, ...cleanFields(clean, further) }, clean, print),
  };
}

function lineOf(first: object | string, message: string | undefined): [object, string?] {
  if (typeof first === 'string') return [{}, first];
  if (first instanceof Error) return [{ err: first }, message ?? first.message];
  return message === undefined ? [first] : [first, message];
}

/** Cleaned before anything else touches them: to spread an object is to read it, and that may throw. */
function cleanFields(clean: (value: unknown) => unknown, fields: object, message?: string): object {
  const cleaned = clean(fields);
  const isRecord = typeof cleaned === 'object' && cleaned !== null && !Array.isArray(cleaned);
  return {
    ...(isRecord ? cleaned : { fields: cleaned }),
    ...(message !== undefined && { msg: clean(message) }),
  };
}
