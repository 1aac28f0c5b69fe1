import {
  Bot,
  BotDefinition,
  type BotDefinitionInput,
  type BotProgress,
  IllegalMoveError,
  isLegalMove,
  LEGAL_MOVES,
  type SupervisedBots,
  UnknownBotError,
} from '@buddy/bots';

const MOMENT = '2026-01-01T00:00:00.000Z';

/** A registry that forgets, as strict as the real one. */
export class MemoryBots implements SupervisedBots {
  readonly #bots = new Map<string, Bot>();
  /** Every move of every bot, in order. */
  readonly moves: string[] = [];
  /** When set, nothing can be recorded. */
  failure: Error | undefined;
  /** When set, recording waits for it, as for a lock that others hold. */
  held: Promise<void> | undefined;

  constructor(definitions: readonly BotDefinitionInput[]) {
    for (const definition of definitions) this.add(definition);
  }

  add(definition: BotDefinitionInput): void {
    this.put({
      ...BotDefinition.parse(definition),
      status: 'registered',
      statusSince: MOMENT,
      restarts: 0,
      revision: 1,
      createdAt: MOMENT,
      updatedAt: MOMENT,
    });
  }

  /** As it is, malformed or not. */
  put(stored: Bot): void {
    this.#bots.set(stored.id, stored);
  }

  now(id: string): Bot {
    const found = this.#bots.get(id);
    if (!found) throw new UnknownBotError(id);
    return found;
  }

  async get(id: string): Promise<Bot | undefined> {
    return this.#bots.get(id);
  }

  async all(): Promise<readonly Bot[]> {
    return [...this.#bots.values()];
  }

  async record(id: string, progress: BotProgress): Promise<Bot> {
    await this.held;
    if (this.failure) throw this.failure;
    const before = this.now(id);
    const { status, ...fields } = progress;
    if (status !== undefined) {
      if (!isLegalMove(before.status, status)) {
        throw new IllegalMoveError(id, before.status, status, LEGAL_MOVES[before.status]);
      }
      this.moves.push(`${id}: ${before.status} -> ${status}`);
    }
    const merged = { ...before, ...(status && { status, statusReason: undefined }), ...fields };
    const kept = Object.entries(merged).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    const next = Bot.parse(Object.fromEntries(kept));
    this.#bots.set(id, next);
    return next;
  }
}

/** A bot of the fewest words. */
export function bot(
  id: string,
  deployment: BotDefinitionInput['deployment'] = { command: 'true' },
): BotDefinitionInput {
  return { id, role: 'worker', deployment };
}
