import {
  type BotConfig,
  type DeploymentTemplate,
  readTemplate,
  resolveBot,
} from '../../bot/bot-config.ts';
import { botsExtending, created, newState, rewritten, updated } from '../changes.ts';
import { type StoredBot, storeBot } from '../contents.ts';
import { checkDependencies } from '../dependencies.ts';
import type { Draft } from '../draft.ts';
import { DependencyError, ImportRefusedError } from '../errors.ts';
import { nameIn } from '../file/file-text.ts';
import { type EntryProblem, type Problem, problemsOf } from '../file/problem.ts';
import { toCamelCase } from '../file/snake-case.ts';
import { type Difference, differencesBetween } from './difference.ts';
import type { BotsDocument } from './document.ts';

/** What becomes of a bot or template that is there already and differs. */
export type ConflictRule = 'refuse' | 'replace' | 'skip';

export interface ImportedEntry {
  readonly kind: 'bot' | 'template';
  readonly name: string;
  /** From what is there to what the document says; empty for what is added. */
  readonly differences: readonly Difference[];
}

/** What an import did, or would do. What a document does not name stays as it is. */
export interface ImportReport {
  readonly isDryRun: boolean;
  readonly added: readonly ImportedEntry[];
  readonly replaced: readonly ImportedEntry[];
  readonly skipped: readonly ImportedEntry[];
  /** For which the import was, or would be, refused. */
  readonly conflicts: readonly ImportedEntry[];
  readonly unchanged: readonly ImportedEntry[];
  /** What kept an entry out; the others go on. */
  readonly problems: readonly EntryProblem[];
}

/** @throws {ImportRefusedError} {TemplateBreaksBotError} Nothing was changed. */
export function importInto(
  draft: Draft,
  document: BotsDocument,
  { rule, isDryRun }: { rule: ConflictRule; isDryRun: boolean },
): ImportReport {
  const verdicts = new Verdicts(rule);
  const templates = importedTemplates(draft, document.templates, verdicts);
  const allTemplates = new Map(draft.templates);
  for (const template of templates) allTemplates.set(template.name, template);
  const bots = importedBots(draft, document.bots, allTemplates, verdicts);
  const rebuilt = templates.flatMap((template) =>
    botsExtending(draft, template, (id) => bots.has(id)),
  );
  const others = new Map(
    [...draft.bots.values(), ...rebuilt].map((other) => [other.bot.id, other]),
  );
  const fit = withoutUnfit(others, bots, verdicts);
  const report = verdicts.report(isDryRun);
  if (isDryRun) return report;
  if (report.conflicts.length > 0) {
    throw new ImportRefusedError(report.conflicts.map(({ kind, name }) => `${kind} ${name}`));
  }
  for (const template of templates) draft.putTemplate(template);
  for (const stored of [...rebuilt, ...fit]) {
    const isNew = !draft.bots.has(stored.bot.id);
    draft.putBot(stored, isNew ? created(draft, stored) : updated(draft, stored));
  }
  return report;
}

/** Collects what is said of each entry. */
class Verdicts {
  readonly #rule: ConflictRule;
  readonly #seen = new Set<string>();
  readonly #entries: Record<
    'added' | 'replaced' | 'skipped' | 'conflicts' | 'unchanged',
    ImportedEntry[]
  > = { added: [], replaced: [], skipped: [], conflicts: [], unchanged: [] };
  readonly #problems: EntryProblem[] = [];

  constructor(rule: ConflictRule) {
    this.#rule = rule;
  }

  /** @returns Whether it was named before. */
  isTwice(kind: EntryProblem['kind'], name: string, at: string): boolean {
    const key = `${kind} ${name}`;
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      return false;
    }
    const reason = 'an entry before it has the same';
    this.problem(kind, name, [{ path: `${at}.${kind === 'bot' ? 'id' : 'name'}`, reason }]);
    return true;
  }

  problem(
    kind: EntryProblem['kind'],
    name: string | undefined,
    problems: readonly Problem[],
  ): void {
    const named = name === undefined ? {} : { name };
    this.#problems.push(...problems.map((problem) => ({ kind, ...named, ...problem })));
  }

  /** @returns Whether it is to be written. */
  isWritten(kind: EntryProblem['kind'], name: string, before: unknown, after: unknown): boolean {
    if (before === undefined) {
      this.#entries.added.push({ kind, name, differences: [] });
      return true;
    }
    const entry = { kind, name, differences: differencesBetween(before, after) };
    if (entry.differences.length === 0) {
      this.#entries.unchanged.push(entry);
      return false;
    }
    const into = { refuse: 'conflicts', replace: 'replaced', skip: 'skipped' } as const;
    this.#entries[into[this.#rule]].push(entry);
    return this.#rule === 'replace';
  }

  takeBack(kind: EntryProblem['kind'], name: string): void {
    for (const list of [this.#entries.added, this.#entries.replaced]) {
      const index = list.findIndex((entry) => entry.kind === kind && entry.name === name);
      if (index !== -1) list.splice(index, 1);
    }
  }

  report(isDryRun: boolean): ImportReport {
    return { isDryRun, ...this.#entries, problems: this.#problems };
  }
}

/** What is there and cannot be read differs from everything. */
const UNREADABLE = '(an entry that cannot be read)';

function importedTemplates(
  draft: Draft,
  entries: readonly unknown[],
  verdicts: Verdicts,
): DeploymentTemplate[] {
  return entries.flatMap((raw, index) => {
    const at = `templates[${index}]`;
    const result = readTemplate(toCamelCase(raw));
    if (!result.success) {
      verdicts.problem('template', nameIn(raw, 'name'), problemsOf(result.error, at));
      return [];
    }
    const { name } = result.data;
    if (verdicts.isTwice('template', name, at)) return [];
    const before =
      draft.templates.get(name) ?? (draft.isMalformed('template', name) ? UNREADABLE : undefined);
    return verdicts.isWritten('template', name, before, result.data) ? [result.data] : [];
  });
}

/** By id, with the place in the document. */
type Imported = ReadonlyMap<string, { stored: StoredBot; at: string }>;

function importedBots(
  draft: Draft,
  entries: readonly unknown[],
  templates: ReadonlyMap<string, DeploymentTemplate>,
  verdicts: Verdicts,
): Imported {
  const bots = new Map<string, { stored: StoredBot; at: string }>();
  for (const [index, raw] of entries.entries()) {
    const at = `bots[${index}]`;
    const id = nameIn(raw, 'id');
    const templateName = nameIn(raw, 'template');
    const template = templateName === undefined ? undefined : templates.get(templateName);
    if (templateName !== undefined && !template) {
      const reason = `there is no template "${templateName}"`;
      verdicts.problem('bot', id, [{ path: `${at}.template`, reason }]);
      continue;
    }
    const resolved = resolveBot(toCamelCase(raw), template);
    if (!resolved.success) {
      verdicts.problem('bot', id, problemsOf(resolved.error, at));
      continue;
    }
    const { config } = resolved.data;
    if (verdicts.isTwice('bot', config.id, at)) continue;
    if (!verdicts.isWritten('bot', config.id, configBefore(draft, config.id), config)) continue;
    const old = draft.bots.get(config.id);
    const state = old ? rewritten(old.state, draft) : newState(draft);
    bots.set(config.id, { stored: storeBot(resolved.data, state), at });
  }
  return bots;
}

function configBefore(draft: Draft, id: string): BotConfig | string | undefined {
  return draft.bots.get(id)?.config ?? (draft.isMalformed('bot', id) ? UNREADABLE : undefined);
}

/** Without the bots whose dependencies are not there, or lead back to them; and without those that these leave alone. */
function withoutUnfit(
  others: ReadonlyMap<string, StoredBot>,
  imported: Imported,
  verdicts: Verdicts,
): StoredBot[] {
  const fit = new Map([...imported].map(([id, { stored }]) => [id, stored]));
  for (;;) {
    const all = new Map([...others, ...fit]);
    const unfit = [...fit.values()].flatMap((stored) => {
      const reason = unfitness(all, stored);
      return reason === undefined ? [] : [{ id: stored.bot.id, reason }];
    });
    if (unfit.length === 0) return [...fit.values()];
    for (const { id, reason } of unfit) {
      fit.delete(id);
      verdicts.takeBack('bot', id);
      const at = imported.get(id)?.at ?? 'bots';
      verdicts.problem('bot', id, [{ path: `${at}.deployment.depends_on`, reason }]);
    }
  }
}

function unfitness(all: ReadonlyMap<string, StoredBot>, stored: StoredBot): string | undefined {
  try {
    checkDependencies(all, stored);
    return undefined;
  } catch (error) {
    if (error instanceof DependencyError) return error.message;
    throw error;
  }
}
