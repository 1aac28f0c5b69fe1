import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import type { Turn } from '../children/engine-waves.ts';

/** An engine in a process of its own, which waits until it is its turn. */
export class Contender {
  readonly #name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
  }

  static async start(
    name: string,
    { databaseUrl = '', redisPort = 0 }: { databaseUrl?: string; redisPort?: number } = {},
  ): Promise<Contender> {
    const child = fork(
      new URL('../children/engine-waves.ts', import.meta.url),
      [name, databaseUrl, String(redisPort)],
      {
        execArgv: ['--conditions=@buddy/source', '--expose-gc'],
        // What DBOS tells about itself, and what pg thinks of how it is used, is not of interest here.
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    const contender = new Contender(name, child);
    await contender.#heard();
    return contender;
  }

  /** @returns How many tasks it did in a second. */
  async take(turn: Turn): Promise<number> {
    this.#child.send(turn);
    const ms = z.number().parse(await this.#heard());
    const { plan, times } = turn;
    return (times * plan.waves * plan.width * 1_000) / ms;
  }

  async #heard(): Promise<unknown> {
    let said = '';
    const hear = (text: Buffer) => (said += text.toString());
    this.#child.stderr?.on('data', hear);
    const stop = new AbortController();
    try {
      const { signal } = stop;
      const [message] = await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(([code]) => {
          throw new Error(`${this.#name} ended with ${String(code)}: ${said.slice(-2_000)}`);
        }),
      ]);
      return message;
    } finally {
      stop.abort();
      this.#child.stderr?.off('data', hear);
      this.#child.stderr?.resume();
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}
