import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';

/** A program in a process of its own, which does what it is asked and answers; it says something when it is ready. */
export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
  }

  static async start(program: URL, args: readonly string[]): Promise<Child> {
    const forked = fork(program, args, {
      execArgv: ['--conditions=@buddy/source', '--expose-gc'],
      // What DBOS tells about itself, and what pg thinks of how it is used, is not of interest here.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const child = new Child([basename(program.pathname), args[0]].join(' '), forked);
    await child.#heard();
    return child;
  }

  async ask(question: object): Promise<unknown> {
    this.#process.send(question);
    return this.#heard();
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill();
    await gone;
  }

  /** @throws {Error} When it ends instead of answering; with the end of what it said. */
  async #heard(): Promise<unknown> {
    const child = this.#process;
    let said = '';
    const hear = (text: Buffer) => (said += text.toString());
    child.stderr?.on('data', hear);
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const [message]: unknown[] = await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }).then(([code]) => {
          throw new Error(`${this.#name} ended with ${String(code)}: ${said.slice(-2_000)}`);
        }),
      ]);
      return message;
    } finally {
      stop.abort();
      child.stderr?.off('data', hear);
      child.stderr?.resume();
    }
  }
}
