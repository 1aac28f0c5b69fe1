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
  /** The attempt that has not begun: it takes all that comes until it does. */
  #next: Promise<void> | undefined;

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

  /** Resolves when all that was asked for has been tried. Never rejects. */
  recorded(): Promise<void> {
    return this.#work;
  }

  /** In the order of the calls. Never rejects. */
  record(progress: BotProgress): Promise<void> {
    this.#waiting.push(progress);
    return this.#flush();
  }

  #flush(): Promise<void> {
    this.#next ??= this.#work.then(() => {
      this.#next = undefined;
      return this.#recordWaiting();
    });
    this.#work = this.#next;
    return this.#next;
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
