import { z } from 'zod';
import type { Contents } from '../contents.ts';
import { DocumentError, TooNewError } from '../errors.ts';
import { problemsOf } from '../file/problem.ts';
import { toSnakeCase } from '../file/snake-case.ts';

/*
 * What people write, keep in git and hand on: what is meant to be, without what became of it.
 * {
 *   "format": "buddy-bots",
 *   "version": 1,
 *   "templates": [{ "name": "node", "deployment": { "command": "node" } }],
 *   "bots": [{ "id": "crawler", "role": "worker", "template": "node", "deployment": { "args": ["crawl.js"] } }]
 * }
 */

const FORMAT = 'buddy-bots';
const VERSION = 1;

/** Entries are in the order of their names, fields in one order, so that two exports differ only where the bots do. */
export function renderDocument({ templates, bots }: Contents): string {
  const document = {
    format: FORMAT,
    version: VERSION,
    templates: inOrder(templates.values(), ({ name }) => name),
    bots: inOrder(
      [...bots.values()].map(({ config }) => config),
      ({ id }) => id,
    ),
  };
  return `${JSON.stringify(toSnakeCase(document), null, 2)}\n`;
}

function inOrder<Item>(items: Iterable<Item>, nameOf: (item: Item) => string): Item[] {
  return [...items].toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

const Envelope = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  templates: z.array(z.unknown()).default([]),
  bots: z.array(z.unknown()).default([]),
});

/** Its entries are not checked yet. */
export type BotsDocument = z.output<typeof Envelope>;

const Versioned = z.object({ format: z.literal(FORMAT), version: z.int().min(VERSION + 1) });
const Registry = z.object({ format: z.literal('buddy-bots-registry') });

/**
 * @param source Where the text comes from, for messages.
 * @throws {DocumentError} {TooNewError}
 */
export function parseDocument(text: string, source: string): BotsDocument {
  const json = parseJson(text, source);
  const newer = Versioned.safeParse(json);
  if (newer.success) throw new TooNewError(source, newer.data.version, VERSION);
  if (Registry.safeParse(json).success) {
    throw new DocumentError(
      `${source} is a registry: buddy-bots export --registry ${source} makes of it what can be imported.`,
    );
  }
  const envelope = Envelope.safeParse(json);
  if (envelope.success) return envelope.data;
  const problems = problemsOf(envelope.error, '').map(
    ({ path, reason }) => `  ${path.slice(1) || 'all of it'}: ${reason}`,
  );
  throw new DocumentError(
    `${source} is no document of bots:\n${problems.join('\n')}\nIt begins like {"format": "${FORMAT}", "version": ${VERSION}, "bots": [`,
  );
}

function parseJson(text: string, source: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw new DocumentError(`${source} is not JSON: ${placeOf(error, text)}`, { cause: error });
  }
}

/** Line and column, as editors count them; the parser's own words quote the text, which may hold what is secret. */
function placeOf(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const at = /at position (\d+)/.exec(message)?.[1];
  if (at === undefined) return text.trim() === '' ? 'it is empty' : 'it ends too early';
  const before = text.slice(0, Number(at)).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
