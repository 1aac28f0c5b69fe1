import type { Bot } from './bot.ts';

/** What becomes of a bot while it is supervised. A field that is left out stays; null clears it. */
export interface BotProgress {
  /** Another one than the bot has: to stay is not a move, so of two that start a bot at once one is refused. */
  readonly status?: Bot['status'];
  /** Cleared, when it is left out, by a change of status: it spoke of the old one. */
  readonly statusReason?: string | null;
  readonly process?: Bot['process'] | null;
  readonly mark?: string | null;
  readonly lastExit?: Bot['lastExit'];
  readonly restarts?: number;
}

/** What the supervisor needs of a registry. */
export interface SupervisedBots {
  get(id: string): Promise<Bot | undefined>;
  all(): Promise<readonly Bot[]>;
  /**
   * Resolves when it is on disk.
   * @throws {IllegalMoveError} {UnknownBotError} Nothing was changed.
   */
  record(id: string, progress: BotProgress): Promise<Bot>;
}
