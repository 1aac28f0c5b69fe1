import {
  type Clock,
  createGuardedEmitter,
  type Logger,
  parseOrThrow,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
  writeFileAtomic,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import type { Bot } from '../bot/bot.ts';
import type { BotConfig, DeploymentTemplate } from '../bot/bot-config.ts';
import type { BotProgress, SupervisedBots } from '../bot/registry-port.ts';
import {
  type BotUpdate,
  createBot,
  deleteBot,
  deleteTemplate,
  putTemplate,
  recordProgress,
  updateBot,
  type UpdateOptions,
} from './changes.ts';
import { Draft, findBot } from './draft.ts';
import type { RegistryEvents } from './events.ts';
import type { EntryProblem } from './file/problem.ts';
import type { WriteFile } from './file/registry-file.ts';
import { type RegistryInput, RegistryOptions } from './options.ts';
import { type BotPage, BotQuery, type BotQueryInput, findBots } from './query/query.ts';
import { type RegistryStatistics, statisticsOf } from './query/statistics.ts';
import { RegistryStore } from './store.ts';
import { parseDocument, renderDocument } from './transfer/document.ts';
import { type ConflictRule, type ImportReport, importInto } from './transfer/import.ts';

export interface ImportOptions {
  /** Default `refuse`: when anything that is there differs, nothing is imported. */
  readonly conflicts?: ConflictRule;
  /** Only says what would become of each entry. Default false. */
  readonly isDryRun?: boolean;
  /** Where the text comes from, for messages. Default `the document`. */
  readonly source?: string;
}

/**
 * The bots of one file. Several processes may have it open: reads see what any of them wrote last, and every change is made
 * to that. What a change resolves with is on the disk; what it rejects with has changed nothing, except where a
 * `FileAccessError` says that the effect is unknown.
 */
export interface BotRegistry extends SupervisedBots {
  readonly events: EventEmitter<RegistryEvents>;
  /** @throws {DuplicateBotError} {UnknownTemplateError} {DependencyError} {InvalidInputError} */
  create(bot: BotConfig): Promise<Bot>;
  /** Undefined when there is none. @throws {MalformedBotError} */
  get(id: string): Promise<Bot | undefined>;
  /** In the order in which they were created. */
  all(): Promise<readonly Bot[]>;
  list(query?: BotQueryInput): Promise<BotPage>;
  statistics(): Promise<RegistryStatistics>;
  /**
   * Writes the definition anew. A bot that runs goes on as it was started until its next start.
   * @throws {UnknownBotError} {RevisionConflictError} {UnknownTemplateError} {DependencyError} {InvalidInputError}
   */
  update(id: string, changes: BotUpdate, options?: UpdateOptions): Promise<Bot>;
  /** @throws {UnknownBotError} {BotRunningError} {BotRequiredError} */
  delete(id: string): Promise<void>;
  /** @throws {UnknownBotError} {IllegalMoveError} {MalformedBotError} */
  record(id: string, progress: BotProgress): Promise<Bot>;
  templates(): Promise<readonly DeploymentTemplate[]>;
  /** Creates or replaces it; bots that extend it follow at their next start. @throws {TemplateBreaksBotError} */
  putTemplate(template: DeploymentTemplate): Promise<DeploymentTemplate>;
  /** @throws {UnknownTemplateError} {TemplateInUseError} */
  deleteTemplate(name: string): Promise<void>;
  /** What was written about all bots, and the templates, as JSON whose order never changes; not what became of them. */
  export(): Promise<string>;
  /** @throws {DocumentError} {TooNewError} {ImportRefusedError} {TemplateBreaksBotError} */
  import(text: string, options?: ImportOptions): Promise<ImportReport>;
  /** What in the file cannot be read, each with its place and the reason. */
  problems(): Promise<readonly EntryProblem[]>;
  /** Begins with no bots where a registry was damaged or has vanished; what was set aside stays. @throws {RegistryIntactError} */
  startOver(): Promise<void>;
}

export interface RegistryPorts {
  clock?: Clock;
  /** For the pauses of those who wait for the lock. */
  random?: Random;
  /** Told of listeners that throw. */
  logger?: Logger;
  /** Core's `writeFileAtomic`, unless a test wants a disk that fails. */
  writeFile?: WriteFile;
}

/**
 * Opens a registry; nothing is read or written before it is used.
 * @throws {InvalidInputError}
 * @example
 * const registry = createBotRegistry({ file: 'bots.json' });
 * await registry.create({ id: 'crawler', role: 'worker', deployment: { command: 'node', args: ['crawl.js'] } });
 */
export function createBotRegistry(
  input: RegistryInput,
  {
    clock = systemClock,
    random = systemRandom,
    logger = silentLogger,
    writeFile = writeFileAtomic,
  }: RegistryPorts = {},
): BotRegistry {
  const options = parseOrThrow(RegistryOptions, input, 'options of createBotRegistry');
  const { events, emit } = createGuardedEmitter<RegistryEvents>((error, name) =>
    logger.error({ err: error, event: name }, 'A listener of the registry threw'),
  );
  const store = new RegistryStore(options, {
    clock,
    random,
    writeFile,
    emit,
  });
  const bots = async (): Promise<Bot[]> =>
    [...(await store.read()).bots.values()].map(({ bot }) => bot);
  return {
    events,
    create: (bot) => store.change((draft) => createBot(draft, bot)),
    get: async (id) => findBot(await store.read(), id)?.bot,
    all: bots,
    list: async (query = {}) =>
      findBots(await bots(), parseOrThrow(BotQuery, query, 'query for bots')),
    statistics: async () => statisticsOf(await store.read()),
    update: (id, changes, conditions = {}) =>
      store.change((draft) => updateBot(draft, id, changes, conditions)),
    delete: (id) => store.change((draft) => deleteBot(draft, id)),
    record: (id, progress) => store.change((draft) => recordProgress(draft, id, progress)),
    templates: async () => [...(await store.read()).templates.values()],
    putTemplate: (template) => store.change((draft) => putTemplate(draft, template)),
    deleteTemplate: (name) => store.change((draft) => deleteTemplate(draft, name)),
    export: async () => renderDocument(await store.read()),
    import: async (
      text,
      { conflicts: rule = 'refuse', isDryRun = false, source = 'the document' } = {},
    ) => {
      const document = parseDocument(text, source);
      if (!isDryRun)
        return store.change((draft) => importInto(draft, document, { rule, isDryRun }));
      return importInto(new Draft(await store.read(), clock.now()), document, { rule, isDryRun });
    },
    problems: async () => (await store.read()).malformed.flatMap(({ problems }) => problems),
    startOver: () => store.startOver(),
  };
}
