import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { FileAccessError } from '../file-access-error.ts';
import { parseOrThrow } from '../parse.ts';
import { type ByteLine, ByteLines } from './byte-lines.ts';

/** A path, or chunks as they come: a Node stream, an async iterable, an array. */
export type JsonLinesSource =
  | string
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** One line that holds a value, or says why it does not. Lines are counted from 1, empty ones too. */
export type JsonLine<T> = { kind: 'value'; line: number; value: T } | JsonLineProblem;

/**
 * `TOO_LONG` - longer than `maxLineBytes`, skipped; `NOT_UTF8`; `NOT_JSON`; `TORN` - the last line has no newline and is
 * not JSON, as after a crash of its writer; `INVALID` - does not fit the schema.
 */
export type JsonLineProblemReason = 'TOO_LONG' | 'NOT_UTF8' | 'NOT_JSON' | 'TORN' | 'INVALID';

export interface JsonLineProblem {
  kind: 'problem';
  line: number;
  /** The file, when it is known. */
  file?: string;
  /** The field inside the value at which it goes wrong first, such as `input.email`. */
  path?: string;
  reason: JsonLineProblemReason;
  /** What is wrong, for people. Never quotes the line. */
  message: string;
}

export interface ReadJsonLinesOptions {
  /** The name to put in problems, for a source that is not a path. */
  file?: string;
  /** A line longer than this is skipped, and never held in memory. Default 1 MiB. */
  maxLineBytes?: number;
}

const DEFAULT_MAX_LINE_BYTES = 2 ** 20;
const CHUNK_BYTES = 2 ** 18;

/**
 * Reads JSON Lines (UTF-8, one JSON value per line) as they stream in; memory holds one chunk and one line, whatever the
 * size of the file. Empty lines, a byte order mark and CRLF are accepted. A bad line is a problem among the values, never
 * the end of the reading.
 * @param options With a `schema`, each value must fit it, and comes out as it says; without one, any JSON will do.
 * @throws {FileAccessError} While reading, when the file cannot be read. Errors of a stream that was handed in pass as they are.
 * @example
 * for await (const line of readJsonLines('predicted_tasks.jsonl', { schema: Prediction })) {
 *   if (line.kind === 'problem') console.error(formatJsonLineProblem(line)); // predicted_tasks.jsonl:7: wave: …
 *   else plan(line.value);
 * }
 */
export function readJsonLines<Schema extends z.ZodType>(
  source: JsonLinesSource,
  options: ReadJsonLinesOptions & { schema: Schema },
): AsyncGenerator<JsonLine<z.output<Schema>>, void, undefined>;
export function readJsonLines(
  source: JsonLinesSource,
  options?: ReadJsonLinesOptions,
): AsyncGenerator<JsonLine<unknown>, void, undefined>;
export async function* readJsonLines(
  source: JsonLinesSource,
  options: ReadJsonLinesOptions & { schema?: z.ZodType } = {},
): AsyncGenerator<JsonLine<unknown>, void, undefined> {
  const file = options.file ?? (typeof source === 'string' ? source : undefined);
  const maxLineBytes = parseOrThrow(
    z.int().positive(),
    options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES,
    'maxLineBytes of readJsonLines',
  );
  const lines = new ByteLines(maxLineBytes);
  const read = (line: ByteLine) => readLine(line, options.schema, file, maxLineBytes);
  for await (const chunk of typeof source === 'string' ? fileChunks(source) : byteChunks(source)) {
    for (const line of lines.push(chunk)) {
      const result = read(line);
      if (result) yield result;
    }
  }
  for (const line of lines.finish()) {
    const result = read(line);
    if (result) yield result;
  }
}

/**
 * A problem as one line for people: `predicted_tasks.jsonl:7: input.email: Invalid email address`.
 */
export function formatJsonLineProblem({ file, line, message }: JsonLineProblem): string {
  return `${file === undefined ? `line ${line}` : `${file}:${line}`}: ${message}`;
}

async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  try {
    const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: CHUNK_BYTES });
    yield* stream;
  } catch (error) {
    throw new FileAccessError('read', path, error);
  }
}

async function* byteChunks(
  source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<Buffer> {
  let half = ''; // a chunk of text may end between the two halves of a character
  for await (const chunk of source) {
    if (typeof chunk === 'string') {
      const text = half + chunk;
      const last = text.charCodeAt(text.length - 1);
      const end = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
      half = text.slice(end);
      yield Buffer.from(text.slice(0, end));
    } else {
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  }
  if (half !== '') yield Buffer.from(half);
}

/** `undefined` for an empty line. */
function readLine(
  line: ByteLine,
  schema: z.ZodType | undefined,
  file: string | undefined,
  maxLineBytes: number,
): JsonLine<unknown> | undefined {
  const problem = (
    reason: JsonLineProblemReason,
    message: string,
    path?: string,
  ): JsonLineProblem => ({
    kind: 'problem',
    line: line.line,
    ...(file !== undefined && { file }),
    ...(path !== undefined && { path }),
    reason,
    message,
  });

  if (line.kind === 'tooLong') {
    return problem('TOO_LONG', `The line is longer than ${maxLineBytes} bytes; it was skipped`);
  }
  if (!isUtf8(line.bytes)) return problem('NOT_UTF8', 'The line is not valid UTF-8');
  const text = withoutByteOrderMark(line);
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = withoutQuote(error);
    return line.isTerminated
      ? problem('NOT_JSON', `The line is not JSON: ${detail}`)
      : problem('TORN', `The last line is incomplete, as after a crash of its writer: ${detail}`);
  }
  if (!schema) return { kind: 'value', line: line.line, value };
  const result = schema.safeParse(value);
  if (result.success) return { kind: 'value', line: line.line, value: result.data };
  const { message, path } = describeIssues(result.error.issues);
  return problem('INVALID', message, path);
}

function withoutByteOrderMark({ line, bytes }: { line: number; bytes: Buffer }): string {
  const text = bytes.toString('utf8');
  return line === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** What V8 says, less the piece of the line it quotes: a line may hold anything, and problems end up in logs. */
function withoutQuote(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (?:\.{3})?"[^]*$/, '');
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): { message: string; path?: string } {
  const message = issues
    .map(({ path, message: said }) =>
      path.length === 0 ? said : `${z.core.toDotPath(path)}: ${said}`,
    )
    .join('; ');
  const path = issues[0]?.path ?? [];
  return path.length === 0 ? { message } : { message, path: z.core.toDotPath(path) };
}
