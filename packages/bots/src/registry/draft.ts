import type { DeploymentTemplate } from '../bot/bot-config.ts';
import type { Contents, MalformedEntry, StoredBot } from './contents.ts';
import { MalformedBotError, UnknownBotError, UnknownTemplateError } from './errors.ts';
import type { Telling } from './events.ts';

/**
 * The contents while changes are made to them. Several callers' changes go into one draft, so each refuses before it has
 * changed anything.
 */
export class Draft {
  readonly at: number;
  /** The same, as it is written into the file. */
  readonly now: string;
  readonly templates: Map<string, DeploymentTemplate>;
  readonly bots: Map<string, StoredBot>;
  readonly tellings: Telling[] = [];
  #malformed: readonly MalformedEntry[];
  #isChanged = false;

  /** @param at In ms since the epoch. */
  constructor({ templates, bots, malformed }: Contents, at: number) {
    this.at = at;
    this.now = new Date(at).toISOString();
    this.templates = new Map(templates);
    this.bots = new Map(bots);
    this.#malformed = malformed;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** @throws {UnknownBotError} {MalformedBotError} */
  bot(id: string): StoredBot {
    const stored = findBot({ bots: this.bots, malformed: this.#malformed }, id);
    if (!stored) throw new UnknownBotError(id);
    return stored;
  }

  isMalformed(kind: MalformedEntry['kind'], name: string): boolean {
    return this.#malformed.some((entry) => entry.kind === kind && entry.name === name);
  }

  templateOf(name: string | undefined): DeploymentTemplate | undefined {
    if (name === undefined) return undefined;
    const template = this.templates.get(name);
    if (!template) throw new UnknownTemplateError(name, this.templates.keys());
    return template;
  }

  putBot(stored: StoredBot, ...tellings: readonly Telling[]): void {
    // It replaces what could not be read. A second entry beside one that can stays: nobody has said which is right.
    if (!this.bots.has(stored.bot.id)) this.#dropMalformed('bot', stored.bot.id);
    this.bots.set(stored.bot.id, stored);
    this.#changed(tellings);
  }

  /** Also entries of this id that are malformed: else one of them would take its place. */
  deleteBot(id: string, ...tellings: readonly Telling[]): void {
    this.#dropMalformed('bot', id);
    this.bots.delete(id);
    this.#changed(tellings);
  }

  putTemplate(template: DeploymentTemplate): void {
    if (!this.templates.has(template.name)) this.#dropMalformed('template', template.name);
    this.templates.set(template.name, template);
    this.#changed([this.#templateChanged(template.name, 'written')]);
  }

  deleteTemplate(name: string): void {
    this.#dropMalformed('template', name);
    this.templates.delete(name);
    this.#changed([this.#templateChanged(name, 'deleted')]);
  }

  contents(generation: number): Contents {
    const { templates, bots } = this;
    return { generation, templates, bots, malformed: this.#malformed };
  }

  #templateChanged(template: string, change: 'written' | 'deleted'): Telling {
    const { at } = this;
    return (emit) => emit('templateChanged', { at, template, change });
  }

  #dropMalformed(kind: MalformedEntry['kind'], name: string): void {
    this.#malformed = this.#malformed.filter(
      (entry) => !(entry.kind === kind && entry.name === name),
    );
  }

  #changed(tellings: readonly Telling[]): void {
    this.#isChanged = true;
    this.tellings.push(...tellings);
  }
}

/** @throws {MalformedBotError} For "there is none" would not be true. */
export function findBot(
  { bots, malformed }: Pick<Contents, 'bots' | 'malformed'>,
  id: string,
): StoredBot | undefined {
  const stored = bots.get(id);
  if (stored) return stored;
  const entry = malformed.find(({ kind, name }) => kind === 'bot' && name === id);
  if (entry) throw new MalformedBotError(id, entry.problems);
  return undefined;
}
