import { redactText } from '@buddy/core';
import type { OutputStream } from '../process/processes.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogLine } from './log-line.ts';
import type { LogRing } from './log-ring.ts';
import type { RotatingFile } from './rotating-file.ts';

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
  /** Told of each line as it was written, secrets and all, before anybody else. */
  onRawLine: ((stream: OutputStream, text: string) => void) | undefined;
  /** A private key goes over many lines, none of which looks like a secret by itself. */
  readonly #isInPrivateKey: Record<OutputStream, boolean> = { stdout: false, stderr: false };

  constructor(ports: BotLogsPorts) {
    this.#ports = ports;
    this.#splitters = this.#newSplitters();
  }

  write(stream: OutputStream, bytes: Buffer): void {
    this.#splitters[stream].write(bytes);
  }

  /** The process that wrote has ended: what it did not finish is a line, and the next one begins anew. */
  endOfProcess(): void {
    for (const splitter of Object.values(this.#splitters)) splitter.end();
    this.#splitters = this.#newSplitters();
    this.#isInPrivateKey.stdout = false;
    this.#isInPrivateKey.stderr = false;
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

  #add(stream: OutputStream, raw: string): void {
    this.onRawLine?.(stream, raw);
    const text = this.#withoutSecrets(stream, raw);
    if (text === undefined) return;
    const { ring, file, now, onLine } = this.#ports;
    const line = { at: now(), stream, text };
    ring.push(line);
    file?.append(`${new Date(line.at).toISOString()} ${stream} ${text}`);
    onLine(line);
  }

  #withoutSecrets(stream: OutputStream, raw: string): string | undefined {
    const wasInKey = this.#isInPrivateKey[stream];
    const beginsKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(raw);
    if (beginsKey || wasInKey) {
      this.#isInPrivateKey[stream] = !/-----END [A-Z0-9 ]*PRIVATE KEY/.test(raw);
      return wasInKey ? undefined : '[redacted:private-key]';
    }
    return redactText(raw);
  }
}
