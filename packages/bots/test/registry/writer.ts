import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./writing-child.ts', import.meta.url));

/** A process that writes. Its acknowledgements are read to the last, also those that it gave just before its end. */
export class Writer {
  readonly name: string;
  /** The last number that it was told is in its own bot. */
  own = 0;
  /** All values of the shared counter that it was told it had written. */
  readonly counts: number[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  readonly #read: Promise<void>;
  #told = Promise.withResolvers<void>();
  #errors = '';

  constructor(file: string, name: string, limit = 0) {
    this.name = name;
    const parameters = ['--conditions=@buddy/source', CHILD, file, name, `${limit}`];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.#ended = once(child, 'close');
    child.stderr.on('data', (text: Buffer) => {
      this.#errors += text.toString();
    });
    this.#read = this.#readAll(createInterface({ input: child.stdout }));
  }

  /** Resolves once it was told `count` times that its own bot is on the disk. */
  async hasWritten(count: number): Promise<void> {
    while (this.own < count) await this.#told.promise;
  }

  /** `kill -9`: it does not get to do anything any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    const [, signal] = await this.#ended;
    await this.#read;
    if (signal !== 'SIGKILL') throw new Error(`It had ended by itself: ${this.#errors}`);
  }

  /** Resolves once it has done all that it was to do. */
  async end(): Promise<void> {
    const [code] = await this.#ended;
    await this.#read;
    if (code !== 0) throw new Error(`It ended with ${String(code)}: ${this.#errors}`);
  }

  async #readAll(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const [what, number] = line.split(' ');
      if (what === 'own') this.own = Number(number);
      else this.counts.push(Number(number));
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    }
    this.#told.promise.catch(() => undefined); // maybe nobody waits for more
    this.#told.reject(new Error(`It said no more: ${this.#errors}`));
  }
}
