import type { Bot } from '../bot/bot.ts';
import type { BotProgress, SupervisedBots } from '../bot/registry-port.ts';

/**
 * One bot's place in the registry. Processes do not wait for a disk: what cannot be recorded is told, kept, and recorded before
 * the next change, so that each move still is a legal one.
 */
export class BotRecord {
  readonly #id: string;
  readonly #registry: SupervisedBots;
  readonly #onFailure: (error: unknown) => void;
  #waiting: BotProgress[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(id: string, registry: SupervisedBots, onFailure: (error: unknown) => void) {
    this.#id = id;
    this.#registry = registry;
    this.#onFailure = onFailure;
  }

  /** @throws What the registry throws: then nothing may be started. */
  async recordOrThrow(progress: BotProgress): Promise<Bot> {
    await this.#flush();
    return this.#registry.record(this.#id, progress);
  }

  /** Never rejects. */
  record(progress: BotProgress): Promise<void> {
    this.#waiting.push(progress);
    return this.#flush();
  }

  #flush(): Promise<void> {
    this.#work = this.#work.then(() => this.#recordWaiting());
    return this.#work;
  }

  async #recordWaiting(): Promise<void> {
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      try {
        await this.#registry.record(this.#id, next);
      } catch (error) {
        this.#onFailure(error);
        if (isPassing(error)) return;
      }
      this.#waiting.shift();
    }
  }
}

/** A move that is refused will be refused for ever; a lock is let go, a disk emptied. */
function isPassing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return !['BOTS_ILLEGAL_MOVE', 'BOTS_UNKNOWN_BOT', 'BOTS_MALFORMED_BOT'].includes(code);
}
