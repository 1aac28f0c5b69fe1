import type { OutputStream } from '../process/processes.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogLine } from './log-line.ts';
import type { LogRing } from './log-ring.ts';
import type { RotatingFile } from './rotating-file.ts';
import { hiddenValues, PRIVATE_KEY, SecretFilter } from './secret-filter.ts';

export interface BotLogsPorts {
  readonly ring: LogRing;
  /** Left out: nothing is written. */
  readonly file?: RotatingFile | undefined;
  readonly now: () => number;
  readonly onLine: (line: LogLine) => void;
}

/** What one bot writes: cut into lines, its secrets taken out, kept in a ring and, if so wished, in a file. */
export class BotLogs {
  readonly #ports: BotLogsPorts;
  #splitters: Readonly<Record<OutputStream, LineSplitter>>;
  #filters: Readonly<Record<OutputStream, SecretFilter>>;
  #hidden: readonly string[] = [];
  /** Told of each line as it was written, secrets and all, before anybody else; and of what may be shown of it. */
  onRawLine: ((stream: OutputStream, text: string, shown: string) => void) | undefined;

  constructor(ports: BotLogsPorts) {
    this.#ports = ports;
    this.#splitters = this.#newSplitters();
    this.#filters = this.#newFilters();
  }

  /** What a process is handed may come out again: these are taken out of all that is written from now on. */
  hide(values: Iterable<string>): void {
    this.#hidden = hiddenValues(values);
    this.#filters = this.#newFilters();
  }

  write(stream: OutputStream, bytes: Buffer): void {
    this.#splitters[stream].write(bytes);
  }

  /** The process that wrote has ended: what it did not finish is a line, and the next one begins anew. */
  endOfProcess(): void {
    for (const stream of STREAMS) {
      this.#splitters[stream].end();
      for (const text of this.#filters[stream].end()) this.#keep(stream, text);
    }
    this.#splitters = this.#newSplitters();
  }

  last(count?: number): readonly LogLine[] {
    return this.#ports.ring.last(count);
  }

  async flush(): Promise<void> {
    await this.#ports.file?.flush();
  }

  #newSplitters(): Readonly<Record<OutputStream, LineSplitter>> {
    const splitterOf = (stream: OutputStream) =>
      new LineSplitter((text) => this.#add(stream, text));
    return { stdout: splitterOf('stdout'), stderr: splitterOf('stderr') };
  }

  #newFilters(): Readonly<Record<OutputStream, SecretFilter>> {
    return { stdout: new SecretFilter(this.#hidden), stderr: new SecretFilter(this.#hidden) };
  }

  #add(stream: OutputStream, raw: string): void {
    const shown = this.#filters[stream].linesFor(raw);
    this.onRawLine?.(stream, raw, shown.at(-1) ?? PRIVATE_KEY);
    for (const text of shown) this.#keep(stream, text);
  }

  #keep(stream: OutputStream, text: string): void {
    const { ring, file, now, onLine } = this.#ports;
    const line = { at: now(), stream, text };
    ring.push(line);
    file?.append(`${new Date(line.at).toISOString()} ${stream} ${text}`);
    onLine(line);
  }
}

const STREAMS = ['stdout', 'stderr'] as const;
