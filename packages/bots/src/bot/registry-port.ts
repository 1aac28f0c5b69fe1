import type { Bot } from './bot.ts';

/** What becomes of a bot while it is supervised. A field that is left out stays; null clears it. */
export interface BotProgress {
  readonly status?: Bot['status'];
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
