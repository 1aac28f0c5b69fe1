import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Clock,
  FileAccessError,
  stringifyJsonLine,
  systemClock,
  writeFileAtomic,
  oneAtATime,
} from '@buddy/core';
import { appendLines } from './append-lines.ts';
import { OutputFailedError } from './errors.ts';
import type { Output } from './output.ts';
import { PathUses } from './path-uses.ts';

/**
 * Opens an output that writes into a folder; it is made when it is missing.
 *
 * Records are kept in memory and written in the background once a file has 256 KiB of them, whole lines at a time and in
 * order; no file stays open in between, so any number of files will do. `isCongested` turns true at 4 MiB (characters)
 * since the last `flush`. One process at a time per folder.
 * @throws {OutputFailedError} When the folder cannot be made.
 * @example
 * const output = await openFolderOutput('out/run-1');
 * output.append('phase21/events.jsonl', { type: 'runStarted' });
 * await output.write('phase21/run.json', '{}\n');
 * await output.close();
 */
export async function openFolderOutput(
  folder: string,
  { clock = systemClock }: { clock?: Clock } = {},
): Promise<Output> {
  try {
    await clock.external(() => mkdir(folder, { recursive: true }));
  } catch (error) {
    throw new OutputFailedError(folder, error);
  }
  return new FolderOutput(folder, clock);
}

const WRITE_AT_CHARS = 262_144;
const CONGESTED_AT_CHARS = 4_194_304;

interface Buffered {
  lines: string[];
  chars: number;
}

class FolderOutput implements Output {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #uses = new PathUses();
  /** What waits to be written, by path. */
  #buffers = new Map<string, Buffered>();
  readonly #sizes = new Map<string, number>();
  readonly #madeFolders = new Set(['.']);
  #charsSinceFlush = 0;
  /** Everything that touches the disk happens one after the other. */
  readonly #inTurn = oneAtATime();
  #isWritingScheduled = false;
  /** The first; every later call hears of it. */
  #failure: OutputFailedError | undefined;
  readonly #brokenPaths = new Set<string>();
  #closed: Promise<void> | undefined;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  get isCongested(): boolean {
    return this.#charsSinceFlush >= CONGESTED_AT_CHARS;
  }

  append(path: string, record: object): void {
    this.#uses.note(path, 'appended');
    this.#throwFailure();
    const line = stringifyJsonLine(record);
    let buffer = this.#buffers.get(path);
    if (!buffer) this.#buffers.set(path, (buffer = { lines: [], chars: 0 }));
    buffer.lines.push(line);
    buffer.chars += line.length;
    this.#charsSinceFlush += line.length;
    if (buffer.chars >= WRITE_AT_CHARS) this.#writeSoon();
  }

  async write(path: string, text: string): Promise<void> {
    this.#uses.note(path, 'written');
    await this.#afterLast(async () => {
      try {
        await this.#makeFolder(dirname(path));
        await writeFileAtomic(join(this.#folder, path), text);
      } catch (error) {
        // core's error says `Cannot write` too
        throw new OutputFailedError(path, error instanceof FileAccessError ? error.cause : error);
      }
    });
  }

  async flush(): Promise<void> {
    this.#charsSinceFlush = 0;
    await this.#afterLast(() => this.#writeBuffers());
    this.#throwFailure();
  }

  close(): Promise<void> {
    this.#uses.close();
    this.#closed ??= this.flush();
    return this.#closed;
  }

  #writeSoon(): void {
    if (this.#isWritingScheduled) return;
    this.#isWritingScheduled = true;
    void this.#afterLast(() => this.#writeBuffers()); // never rejects: a failure is kept for the next caller
  }

  /** Tries every file, also after one that failed, so that as much as possible is kept. */
  async #writeBuffers(): Promise<void> {
    this.#isWritingScheduled = false; // from here on, appends belong to the next writing
    const buffers = this.#buffers;
    this.#buffers = new Map();
    for (const [path, { lines }] of buffers) {
      if (this.#brokenPaths.has(path)) continue; // never a record after a gap
      try {
        await this.#makeFolder(dirname(path));
        const file = join(this.#folder, path);
        this.#sizes.set(path, await appendLines(file, lines, this.#sizes.get(path)));
      } catch (error) {
        this.#brokenPaths.add(path);
        this.#failure ??= new OutputFailedError(path, error);
      }
    }
  }

  /** Not `recursive`: when somebody removed the output folder, that has to be seen, not mended. */
  async #makeFolder(path: string): Promise<void> {
    if (this.#madeFolders.has(path)) return;
    await this.#makeFolder(dirname(path));
    try {
      await mkdir(join(this.#folder, path));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    this.#madeFolders.add(path);
  }

  #afterLast(work: () => Promise<void>): Promise<void> {
    return this.#clock.external(() => this.#inTurn(work));
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }
}
