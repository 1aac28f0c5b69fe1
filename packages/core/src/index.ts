export {
  type AtomicWriteOptions,
  followLink,
  writeFileAtomic,
} from './atomic-file/write-file-atomic.ts';
export { acceleratedClock } from './clock/accelerated-clock.ts';
export type { Clock } from './clock/clock.ts';
export { ManualClock } from './clock/manual-clock.ts';
export { systemClock } from './clock/system-clock.ts';
export { createGuardedEmitter, type GuardedEmitter } from './events/guarded-emitter.ts';
export {
  BuddyError,
  type BuddyErrorOptions,
  describeFailure,
  type FailureDescription,
  type FailureEffect,
} from './errors.ts';
export { FileAccessError, type FileOperation } from './file-access-error.ts';
export { type FileLock, type FileLockOptions, tryLockFile } from './file-lock/file-lock.ts';
export { countingId, type NewId, randomId } from './ids.ts';
export {
  appendJsonLines,
  type JsonLinesAppender,
  type JsonLinesAppenderOptions,
  openJsonLinesAppender,
} from './json-lines/append-json-lines.ts';
export {
  formatJsonLineProblem,
  type JsonLine,
  type JsonLineProblem,
  type JsonLineProblemReason,
  type JsonLinesSource,
  readJsonLines,
  type ReadJsonLinesOptions,
} from './json-lines/read-json-lines.ts';
export { NotSerializableError, stringifyJsonLine } from './json-lines/stringify-json-line.ts';
export { SocketFolderError } from './local-socket/errors.ts';
export { receiveMessages, sendMessage } from './local-socket/json-messages.ts';
export {
  connectLocally,
  listenLocally,
  type LocalSocket,
  type LocalSocketPorts,
} from './local-socket/local-socket.ts';
export { localSocketPath } from './local-socket/socket-path.ts';
export {
  createJsonLogger,
  type JsonLoggerInput,
  JsonLoggerOptions,
  type JsonLoggerPorts,
} from './logger/json-logger.ts';
export { type Logger, type LogMethod, silentLogger } from './logger/logger.ts';
export { oneAtATime } from './one-at-a-time.ts';
export { fitForTerminal, textTable } from './terminal/terminal-text.ts';
export { InvalidInputError, parseOrThrow, safeParseEither } from './parse.ts';
export { keyedDraw, type Random, seededRandom, systemRandom } from './random/random.ts';
export {
  createRedactor,
  redact,
  type RedactionInput,
  RedactionOptions,
  type Redactor,
  redactText,
} from './redaction/redactor.ts';
export { StatisticsInputError } from './statistics/errors.ts';
export { normalCdf, normalQuantile } from './statistics/normal.ts';
export { median, medianAbsoluteDeviation, quantile } from './statistics/quantile.ts';
export { type Interval, wilsonInterval, type WilsonOptions } from './statistics/wilson-interval.ts';
export type { Action, Actor, Decision, Tier } from './tool/action.ts';
export {
  ApprovalRequiredError,
  ToolDeniedError,
  ToolInputError,
  ToolOutputError,
} from './tool/errors.ts';
export { isGoverned, markGoverned } from './tool/governance-mark.ts';
export { isSelfChecking, markSelfChecking } from './tool/self-checking-mark.ts';
export {
  defineTool,
  extendContext,
  type Reconciliation,
  type Tool,
  type ToolContext,
  type ToolDefinition,
  type ToolEffect,
  toolContext,
} from './tool/tool.ts';
