import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a writer was told is on the disk. */
export interface Acknowledged {
  seq: number;
  kind: 'intent' | 'outcome';
  action: string;
}

const CHILD = fileURLToPath(new URL('./appending-child.ts', import.meta.url));

export interface WriterOptions {
  file: string;
  name: string;
  /** How many agents it has, all at once. */
  agents: number;
}

/** A process that appends. Its acknowledgements are read to the last, also those that it gave just before its end. */
export class Writer {
  readonly acknowledged: Acknowledged[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  readonly #read: Promise<void>;
  #told = Promise.withResolvers<void>();
  #errors = '';

  constructor({ file, name, agents }: WriterOptions) {
    const parameters = ['--conditions=@buddy/source', CHILD, file, name, String(agents)];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.#ended = once(child, 'close');
    child.stderr.on('data', (text: Buffer) => {
      this.#errors += text.toString();
    });
    this.#read = this.#readAll(createInterface({ input: child.stdout }));
  }

  /** Resolves once it was told `count` times that something is on the disk. */
  async hasAcknowledged(count: number): Promise<void> {
    while (this.acknowledged.length < count) await this.#told.promise;
  }

  /** `kill -9`: it does not get to do anything any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    const [, signal] = await this.#ended;
    await this.#read;
    if (signal !== 'SIGKILL') throw new Error(`It had ended by itself: ${this.#errors}`);
  }

  async #readAll(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      // The kill may have come in the middle of a line; what was not said to the end does not count.
      if (!line.endsWith('}')) continue;
      this.acknowledged.push(JSON.parse(line));
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    }
    this.#told.promise.catch(() => undefined); // maybe nobody waits for more
    this.#told.reject(new Error(`It said no more: ${this.#errors}`));
  }
}
