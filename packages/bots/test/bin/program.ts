import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@buddy/core';
import { runCommandLine } from '../../src/bin/command-line.ts';
import { COMMANDS } from '../../src/bin/commands.ts';

/** The registry of a folder that the program is not started in. */
export function registryIn(folder: string): string {
  return join(folder, 'buddy-bots.json');
}

/** One command line, without a process of its own: starting one costs more than most commands. Files are those of `folder`. */
export async function runIn(folder: string, line: string): Promise<Ended> {
  const words = line.split(' ').filter((word) => word !== '');
  const placed = words.map((word) => (word.endsWith('.json') ? join(folder, word) : word));
  const isCommand = placed.length > 0 && !line.includes('--help');
  const given = isCommand ? [...placed, '--registry', registryIn(folder)] : placed;
  let [out, err] = ['', ''];
  const code = await runCommandLine(COMMANDS, given, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    clock: systemClock,
    whenInterrupted: () => new AbortController().signal,
  });
  return { code, out, err };
}

const BIN = fileURLToPath(new URL('../../src/bin/buddy-bots.ts', import.meta.url));

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The program as a shell starts it. */
export class Program {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #wrote = Promise.withResolvers<void>();
  out = '';
  err = '';

  constructor(folder: string, line: string) {
    const given = line === '' ? [] : line.split(' ');
    const child = spawn(process.execPath, ['--conditions=@buddy/source', BIN, ...given], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#tell();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.#tell();
    });
    void this.#closed.then(() => this.#tell());
  }

  /** Resolves once it has written `text`. */
  async hasWritten(text: string): Promise<void> {
    while (!this.out.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`It has ended: ${this.out}${this.err}`);
      await this.#wrote.promise;
    }
  }

  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    this.#child.kill(signal);
  }

  /** As `| head` does once it has seen enough. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  async end(): Promise<Ended> {
    const [code] = await this.#closed;
    return { code: typeof code === 'number' ? code : null, out: this.out, err: this.err };
  }

  #tell(): void {
    this.#wrote.resolve();
    this.#wrote = Promise.withResolvers();
  }
}
