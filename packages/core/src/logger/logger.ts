/** Writes one line of a log: fields for programs, a message for people. An error goes into the field `err`. */
export interface LogMethod {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** Where a package tells what it does. A pino logger is one as it is. */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  /** A logger that adds these fields to each of its lines. */
  child(bindings: Record<string, unknown>): Logger;
}

/** Tells nobody: the default wherever no logger is given. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
