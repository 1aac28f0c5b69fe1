import { BuddyError, InvalidInputError, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { type Bot, BotExit, ProcessIdentity } from '../bot/bot.ts';
import {
  type BotConfig,
  type DeploymentTemplate,
  readTemplate,
  resolveBotOrThrow,
} from '../bot/bot-config.ts';
import type { BotProgress } from '../bot/registry-port.ts';
import { BOT_STATUSES, type BotStatus, isLegalMove, LEGAL_MOVES } from '../bot/status.ts';
import { type BotState, type StoredBot, storeBot } from './contents.ts';
import { checkDependencies, dependentsOf } from './dependencies.ts';
import type { Draft } from './draft.ts';
import {
  BotRequiredError,
  BotRunningError,
  DuplicateBotError,
  IllegalMoveError,
  RevisionConflictError,
  TemplateBreaksBotError,
  TemplateInUseError,
} from './errors.ts';
import type { Telling } from './events.ts';

/** What may be written anew of a bot; a field that is left out stays, one that is undefined is taken away. */
export type BotChanges = Partial<Omit<BotConfig, 'id'>>;

/** The changes, or what makes them of what is there; it may be called more than once, and must not wait. */
export type BotUpdate = BotChanges | ((written: BotConfig) => BotChanges);

export interface UpdateOptions {
  /** The revision that the decision rests on; another one is refused. */
  readonly revision?: number;
}

export function createBot(draft: Draft, written: BotConfig): Bot {
  const resolved = resolveBotOrThrow(written, draft.templateOf(written.template));
  const { id } = resolved.config;
  if (draft.bots.has(id) || draft.isMalformed('bot', id)) throw new DuplicateBotError(id);
  const stored = storeBot(resolved, newState(draft));
  checkDependencies(draft.bots, stored);
  draft.putBot(stored, created(draft, stored));
  return stored.bot;
}

export function newState(draft: Draft): BotState {
  const { now } = draft;
  return {
    status: 'registered',
    statusSince: now,
    restarts: 0,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

export function created({ at }: Draft, { bot }: StoredBot): Telling {
  return (emit) => emit('botCreated', { at, bot });
}

/** What is in it is checked with the rest. A promise, of a function that waits, is no record. */
const Changes = z.record(z.string(), z.unknown());

export function updateBot(
  draft: Draft,
  id: string,
  update: BotUpdate,
  { revision }: UpdateOptions,
): Bot {
  const { config, state } = draft.bot(id);
  if (revision !== undefined && revision !== state.revision) {
    throw new RevisionConflictError(id, revision, state.revision);
  }
  const changes = parseOrThrow(
    Changes,
    typeof update === 'function' ? update(config) : update,
    `changes of bot "${id}"`,
  );
  const written = { ...config, ...changes, id };
  const resolved = resolveBotOrThrow(written, draft.templateOf(written.template));
  const stored = storeBot(resolved, rewritten(state, draft));
  checkDependencies(draft.bots, stored);
  draft.putBot(stored, updated(draft, stored));
  return stored.bot;
}

export function rewritten(state: BotState, { now }: Draft): BotState {
  return { ...state, revision: state.revision + 1, updatedAt: now };
}

export function updated({ at }: Draft, { bot }: StoredBot): Telling {
  return (emit) => emit('botUpdated', { at, bot });
}

/** In these a process is there, or will be. */
const ALIVE: ReadonlySet<BotStatus> = new Set([
  'starting',
  'running',
  'degraded',
  'stopping',
  'backing_off',
]);

export function deleteBot(draft: Draft, id: string): void {
  if (!draft.bots.has(id) && draft.isMalformed('bot', id)) {
    draft.deleteBot(id);
    return;
  }
  const { bot } = draft.bot(id);
  if (ALIVE.has(bot.status)) throw new BotRunningError(id, bot.status);
  const dependents = dependentsOf(draft.bots, id).filter((other) => other !== id);
  if (dependents.length > 0) throw new BotRequiredError(id, dependents);
  draft.deleteBot(id, (emit) => emit('botDeleted', { at: draft.at, bot }));
}

const Progress = z.strictObject({
  status: z.enum(BOT_STATUSES).exactOptional(),
  statusReason: z.string().nullable().exactOptional(),
  process: ProcessIdentity.nullish(),
  mark: z.string().nullable().exactOptional(),
  lastExit: BotExit.optional(),
  restarts: z.int().nonnegative().exactOptional(),
});

export function recordProgress(draft: Draft, id: string, progress: BotProgress): Bot {
  const { config, state, bot } = draft.bot(id);
  const checked = parseOrThrow(Progress, progress, `progress of bot "${id}"`);
  const { status: to } = checked;
  if (to !== undefined && !isLegalMove(state.status, to)) {
    throw new IllegalMoveError(id, state.status, to, LEGAL_MOVES[state.status]);
  }
  const next = progressed(state, checked, draft.now);
  const stored = storeBot({ config, definition: definitionOf(bot) }, next);
  if (to === undefined) draft.putBot(stored);
  else draft.putBot(stored, statusChanged(draft, id, state.status, to, next.statusReason));
  return stored.bot;
}

function progressed(
  before: BotState,
  { status, statusReason, process, mark, lastExit, restarts }: z.output<typeof Progress>,
  now: string,
): BotState {
  const moved = status === undefined ? {} : { status, statusSince: now };
  const reasonBefore = status === undefined ? before.statusReason : undefined;
  return withoutUndefined({
    ...before,
    ...moved,
    statusReason: after(reasonBefore, statusReason),
    process: after(before.process, process),
    mark: after(before.mark, mark),
    lastExit: lastExit ?? before.lastExit,
    restarts: restarts ?? before.restarts,
    updatedAt: now,
  });
}

/** What is left out stays, null clears. */
function after<Value>(
  before: Value | undefined,
  said: Value | null | undefined,
): Value | undefined {
  return said === undefined ? before : (said ?? undefined);
}

function withoutUndefined<Value extends object>(value: Value): Value {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what may be undefined may be missing
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Value;
}

function definitionOf({ id, role, description, tags, template, deployment }: Bot) {
  const named = template === undefined ? {} : { template };
  return { id, role, description, tags, ...named, deployment };
}

function statusChanged(
  { at }: Draft,
  id: string,
  from: BotStatus,
  to: BotStatus,
  reason: string | undefined,
): Telling {
  const why = reason === undefined ? {} : { reason };
  return (emit) => emit('statusChanged', { at, id, from, to, ...why });
}

export function putTemplate(draft: Draft, written: DeploymentTemplate): DeploymentTemplate {
  const result = readTemplate(written);
  if (!result.success) throw new InvalidInputError(`template "${written.name}"`, result.error);
  const rebuilt = botsExtending(draft, result.data);
  draft.putTemplate(result.data);
  for (const stored of rebuilt) draft.putBot(stored, updated(draft, stored));
  return result.data;
}

/**
 * The bots that extend the template, as they are with it; `isLeftOut` are written in other ways.
 * @throws {TemplateBreaksBotError}
 */
export function botsExtending(
  draft: Draft,
  template: DeploymentTemplate,
  isLeftOut: (id: string) => boolean = () => false,
): StoredBot[] {
  return [...draft.bots.values()]
    .filter(({ config }) => config.template === template.name && !isLeftOut(config.id))
    .map(({ config, state }) => {
      try {
        const stored = storeBot(resolveBotOrThrow(config, template), rewritten(state, draft));
        checkDependencies(draft.bots, stored);
        return stored;
      } catch (error) {
        if (!(error instanceof BuddyError)) throw error;
        throw new TemplateBreaksBotError(template.name, config.id, error);
      }
    });
}

export function deleteTemplate(draft: Draft, name: string): void {
  const users = [...draft.bots.values()].filter(({ config }) => config.template === name);
  if (users.length > 0) {
    throw new TemplateInUseError(
      name,
      users.map(({ bot }) => bot.id),
    );
  }
  if (!draft.isMalformed('template', name)) draft.templateOf(name);
  draft.deleteTemplate(name);
}
