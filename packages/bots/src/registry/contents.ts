import { z } from 'zod';
import { Bot, type BotDefinition } from '../bot/bot.ts';
import type { BotConfig, DeploymentTemplate, ResolvedBot } from '../bot/bot-config.ts';
import { deepFreeze } from '../bot/deep-freeze.ts';
import type { EntryProblem } from './file/problem.ts';

/** What became of a bot, beside what was written about it. */
export const BotState = z.strictObject({
  status: Bot.shape.status,
  statusReason: Bot.shape.statusReason,
  statusSince: Bot.shape.statusSince,
  process: Bot.shape.process,
  mark: Bot.shape.mark,
  lastExit: Bot.shape.lastExit,
  restarts: Bot.shape.restarts,
  revision: Bot.shape.revision,
  createdAt: Bot.shape.createdAt,
  updatedAt: Bot.shape.updatedAt,
});
export type BotState = z.output<typeof BotState>;

export interface StoredBot {
  readonly config: BotConfig;
  readonly state: BotState;
  /** Both together, with template and defaults filled in, as callers see it. Frozen, for all of them see the same one. */
  readonly bot: Bot;
}

/** An entry that does not have the shape it must have. It stays in the file as it is, until somebody deletes it. */
export interface MalformedEntry {
  readonly kind: 'bot' | 'template';
  readonly name: string | undefined;
  readonly raw: unknown;
  readonly problems: readonly EntryProblem[];
}

/** All that the file says. */
export interface Contents {
  /** Grows by one with each write; 0 when there is no file yet. */
  readonly generation: number;
  readonly templates: ReadonlyMap<string, DeploymentTemplate>;
  readonly bots: ReadonlyMap<string, StoredBot>;
  readonly malformed: readonly MalformedEntry[];
}

export const EMPTY: Contents = {
  generation: 0,
  templates: new Map(),
  bots: new Map(),
  malformed: [],
};

export function storeBot({ config, definition }: ResolvedBot, state: BotState): StoredBot {
  return { config, state, bot: deepFreeze(wholeBot(definition, state)) };
}

function wholeBot(definition: BotDefinition, state: BotState): Bot {
  return { ...definition, ...state };
}
