import { z } from 'zod';
import {
  type BotConfig,
  type DeploymentTemplate,
  readTemplate,
  resolveBot,
} from '../../bot/bot-config.ts';
import {
  BotState,
  type Contents,
  type MalformedEntry,
  type StoredBot,
  storeBot,
} from '../contents.ts';
import { TooNewError } from '../errors.ts';
import { problemsOf } from './problem.ts';
import { toCamelCase, toSnakeCase } from './snake-case.ts';

/*
 * {"format":"buddy-bots-registry","version":1,"generation":42,
 * "templates":[
 * {"name":"node","deployment":{…}}
 * ],
 * "bots":[
 * {"id":"crawler","role":"worker",…,"state":{"status":"running",…}}
 * ]}
 *
 * One line per template and bot: a line is written again only when its bot has changed, and a person who has to look into
 * it finds it with grep. What changes with each write stands in front, so that it can be read without the rest.
 */

const FORMAT = 'buddy-bots-registry';
const VERSION = 1;

/** Bytes that surely hold the head. */
export const HEAD_BYTES = 128;
const HEAD = /^\{"format":"buddy-bots-registry","version":1,"generation":(\d{1,15}),/;

/** Undefined when it does not begin as files that we write do; it may be one all the same. */
export function generationInHead(head: string): number | undefined {
  const digits = HEAD.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function renderContents({ generation, templates, bots, malformed }: Contents): string {
  const malformedOf = (kind: MalformedEntry['kind']) =>
    malformed.filter((entry) => entry.kind === kind).map(({ raw }) => JSON.stringify(raw));
  const templateLines = [...templates.values()].map((template) =>
    JSON.stringify(toSnakeCase(template)),
  );
  const botLines = [...bots.values()].map(lineOf);
  return `{"format":"${FORMAT}","version":${VERSION},"generation":${generation},
"templates":${listOf([...templateLines, ...malformedOf('template')])},
"bots":${listOf([...botLines, ...malformedOf('bot')])}}
`;
}

function listOf(lines: readonly string[]): string {
  return lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n]`;
}

/** What did not change is not put into words again: of most bots nothing does, of most others only the state. */
const lines = new WeakMap<StoredBot, string>();
const configs = new WeakMap<BotConfig, string>();

function lineOf(stored: StoredBot): string {
  const known = lines.get(stored);
  if (known !== undefined) return known;
  const config = configs.get(stored.config) ?? JSON.stringify(toSnakeCase(stored.config));
  configs.set(stored.config, config);
  const line = `${config.slice(0, -1)},"state":${JSON.stringify(toSnakeCase(stored.state))}}`;
  lines.set(stored, line);
  return line;
}

/** The text is no registry's, or not a whole one. */
export class NotARegistryError extends Error {}

const Envelope = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  generation: z.int().nonnegative(),
  templates: z.array(z.unknown()),
  bots: z.array(z.unknown()),
});

const Versioned = z.object({ format: z.literal(FORMAT), version: z.int().min(VERSION + 1) });

/**
 * An entry that is malformed does not keep the others from being read.
 * @throws {NotARegistryError} {TooNewError}
 */
export function parseContents(text: string, file: string): Contents {
  const json = parseJson(text);
  const newer = Versioned.safeParse(json);
  if (newer.success) throw new TooNewError(`The registry ${file}`, newer.data.version, VERSION);
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) {
    const told = problemsOf(envelope.error, '').map(
      ({ path, reason }) => `${path.slice(1)}: ${reason}`,
    );
    throw new NotARegistryError(`it is JSON, but no registry (${told.join('; ')})`);
  }
  const malformed: MalformedEntry[] = [];
  const templates = readTemplates(envelope.data.templates, malformed);
  const bots = readBots(envelope.data.bots, templates, malformed);
  return { generation: envelope.data.generation, templates, bots, malformed };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : `it is torn, or no JSON (${String(error)})`;
    throw new NotARegistryError(reason, { cause: error });
  }
}

function readTemplates(
  entries: readonly unknown[],
  malformed: MalformedEntry[],
): Map<string, DeploymentTemplate> {
  const templates = new Map<string, DeploymentTemplate>();
  for (const [index, raw] of entries.entries()) {
    const at = `templates[${index}]`;
    const name = nameIn(raw, 'name');
    const result = readTemplate(toCamelCase(raw));
    if (!result.success) {
      malformed.push(malformedEntry('template', name, raw, problemsOf(result.error, at)));
    } else if (templates.has(result.data.name)) {
      malformed.push(malformedEntry('template', name, raw, [twice(at, 'name')]));
    } else {
      templates.set(result.data.name, result.data);
    }
  }
  return templates;
}

function readBots(
  entries: readonly unknown[],
  templates: ReadonlyMap<string, DeploymentTemplate>,
  malformed: MalformedEntry[],
): Map<string, StoredBot> {
  const bots = new Map<string, StoredBot>();
  for (const [index, raw] of entries.entries()) {
    const at = `bots[${index}]`;
    const result = readBot(raw, at, templates);
    if (Array.isArray(result)) {
      malformed.push(malformedEntry('bot', nameIn(raw, 'id'), raw, result));
    } else if (bots.has(result.bot.id)) {
      malformed.push(malformedEntry('bot', result.bot.id, raw, [twice(at, 'id')]));
    } else {
      bots.set(result.bot.id, result);
    }
  }
  return bots;
}

function readBot(
  raw: unknown,
  at: string,
  templates: ReadonlyMap<string, DeploymentTemplate>,
): StoredBot | { path: string; reason: string }[] {
  const entry = Entry.safeParse(toCamelCase(raw));
  if (!entry.success) return problemsOf(entry.error, at);
  const { state, ...written } = entry.data;
  const { template: name } = written;
  const template = typeof name === 'string' ? templates.get(name) : undefined;
  if (typeof name === 'string' && !template) {
    return [{ path: `${at}.template`, reason: `there is no template "${name}" that can be read` }];
  }
  const resolved = resolveBot(written, template);
  if (!resolved.success) return problemsOf(resolved.error, at);
  return storeBot(resolved.data, state);
}

const Entry = z.looseObject({ state: BotState });

export function nameIn(raw: unknown, field: 'id' | 'name' | 'template'): string | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const name: unknown = Reflect.get(raw, field);
  return typeof name === 'string' ? name : undefined;
}

function twice(at: string, field: string): { path: string; reason: string } {
  return { path: `${at}.${field}`, reason: 'an entry before it has the same' };
}

function malformedEntry(
  kind: MalformedEntry['kind'],
  name: string | undefined,
  raw: unknown,
  problems: readonly { path: string; reason: string }[],
): MalformedEntry {
  const named = name === undefined ? {} : { name };
  return { kind, name, raw, problems: problems.map((problem) => ({ kind, ...named, ...problem })) };
}
