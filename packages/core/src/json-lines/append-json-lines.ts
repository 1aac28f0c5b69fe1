import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../atomic-file/sync-folder.ts';
import { FileAccessError } from '../file-access-error.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import { stringifyJsonLine } from './stringify-json-line.ts';

export interface JsonLinesAppenderOptions {
  /**
   * Whether `append` resolves only when the records would survive a power cut. Default true. With false, they survive a
   * crash of this process, and `sync` makes them durable.
   */
  isDurable?: boolean;
  /** Permission bits of a new file, less the umask. Default 0o666. */
  mode?: number;
}

/** Appends records to a file, one line each, in the order of the calls. Made by `openJsonLinesAppender`. */
export interface JsonLinesAppender {
  /**
   * Resolves when the records are written. Calls made while one is being written go out together, with one sync.
   * @throws {NotSerializableError} When a record has no form in JSON; none of this call is written.
   * @throws {FileAccessError} When writing fails; some of the records may be in the file.
   */
  append(...records: readonly unknown[]): Promise<void>;
  /** Resolves when all that was appended so far would survive a power cut. */
  sync(): Promise<void>;
  /** Writes what is still waiting and closes the file. A second call does nothing. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a JSON Lines file for appending; a missing file is made, a missing folder is not.
 *
 * When the file ends in a torn line (a crash, a full disk), that line is ended first, so that no record is glued to it:
 * nothing is taken away, and a reader reports the line by itself. One process at a time: the lines of two may mix.
 * @throws {FileAccessError} When the file cannot be opened.
 * @example
 * await using outcomes = await openJsonLinesAppender('out/outcomes.jsonl');
 * await outcomes.append({ task_id: 'task_3', status: 'completed' });
 */
export async function openJsonLinesAppender(
  path: string,
  { isDurable = true, mode = 0o666 }: JsonLinesAppenderOptions = {},
): Promise<JsonLinesAppender> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'a+', mode);
    const isNew = (await file.stat()).size === 0;
    if (isNew && isDurable) await syncFolder(dirname(path));
    return new Appender(path, file, isDurable);
  } catch (error) {
    await file?.close();
    throw new FileAccessError('append', path, error);
  }
}

/**
 * Appends records to a file once, durably. For more than one call, keep an appender open.
 * @throws {NotSerializableError} When a record has no form in JSON; nothing is written.
 * @throws {FileAccessError} When the file cannot be written.
 * @example
 * await appendJsonLines('out/outcomes.jsonl', [{ task_id: 'task_3' }, { task_id: 'task_4' }]);
 */
export async function appendJsonLines(
  path: string,
  records: Iterable<unknown>,
  options?: JsonLinesAppenderOptions,
): Promise<void> {
  const lines = Array.from(records);
  lines.forEach(stringifyJsonLine); // before the file is made
  await using appender = await openJsonLinesAppender(path, options);
  await appender.append(...lines);
}

interface Batch {
  text: string;
  written: Promise<void>;
}

class Appender implements JsonLinesAppender {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #isDurable: boolean;
  /** Whether the file is known to end in a newline (or to be empty). */
  #endsCleanly = false;
  readonly #inTurn = oneAtATime();
  #waiting: Batch | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string, file: FileHandle, isDurable: boolean) {
    this.#path = path;
    this.#file = file;
    this.#isDurable = isDurable;
  }

  async append(...records: readonly unknown[]): Promise<void> {
    const text = records.map(stringifyJsonLine).join('');
    if (text === '') return;
    if (!this.#waiting) {
      const batch: Batch = { text: '', written: this.#afterLast(() => this.#write(batch)) };
      this.#waiting = batch;
    }
    this.#waiting.text += text;
    await this.#waiting.written;
  }

  sync(): Promise<void> {
    return this.#afterLast(() => this.#file.datasync());
  }

  close(): Promise<void> {
    this.#closed ??= this.#afterLast(() => this.#file.close());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(batch: Batch): Promise<void> {
    this.#waiting = undefined; // from here on, appends belong to the next batch
    const start = this.#endsCleanly || (await this.#endsInNewline()) ? '' : '\n';
    this.#endsCleanly = false; // until it is known that all of it arrived
    await this.#file.appendFile(start + batch.text);
    this.#endsCleanly = true;
    if (this.#isDurable) await this.#file.datasync();
  }

  async #endsInNewline(): Promise<boolean> {
    const { size } = await this.#file.stat();
    if (size === 0) return true;
    const { buffer } = await this.#file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 0x0a;
  }

  /** Does one thing after the other, also after one that failed. */
  #afterLast(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(work).catch((error: unknown) => {
      throw new FileAccessError('append', this.#path, error);
    });
  }
}
