import { z } from 'zod';
import { type Bot, BotRole } from '../../bot/bot.ts';
import { BOT_STATUSES } from '../../bot/status.ts';

export const SORT_KEYS = ['id', 'role', 'status', 'created', 'updated', 'restarts'] as const;
type SortKey = (typeof SORT_KEYS)[number];

/** Which bots, in which order. What is left out does not narrow. */
export const BotQuery = z.strictObject({
  /** One of these. */
  role: oneOrMore(BotRole).optional(),
  /** One of these. */
  status: oneOrMore(z.enum(BOT_STATUSES)).optional(),
  /** All of these. */
  tag: oneOrMore(z.string().min(1)).optional(),
  /** Somewhere in id, description, tags, template or command line; upper and lower case are the same. */
  text: z.string().optional(),
  sort: z.enum(SORT_KEYS).default('id'),
  order: z.enum(['ascending', 'descending']).default('ascending'),
  /** At most so many. */
  limit: z.int().min(1).max(10_000).default(100),
  /** The `next` of the page before, asked for in the same order. */
  after: z
    .string()
    .transform((text, context) => {
      const cursor = readCursor(text);
      if (cursor) return cursor;
      context.addIssue({ code: 'custom', message: 'must be the `next` of an earlier page' });
      return z.NEVER;
    })
    .optional(),
});
export type BotQueryInput = z.input<typeof BotQuery>;
export type BotQuery = z.output<typeof BotQuery>;

function oneOrMore<Item extends z.ZodType>(item: Item) {
  return z.union([item, z.array(item).readonly()]);
}

export interface BotPage {
  readonly bots: readonly Bot[];
  /** How many fit, on all pages. */
  readonly total: number;
  /** Where the next page begins; undefined on the last. */
  readonly next?: string;
}

export function findBots(bots: Iterable<Bot>, query: BotQuery): BotPage {
  const { sort, order, limit, after } = query;
  const found = [...bots].filter(filterOf(query));
  const sign = order === 'ascending' ? 1 : -1;
  const compare = (one: Place, other: Place) => sign * compareBy(sort, one, other);
  const sorted = found.map((bot) => ({ key: keyOf(bot, sort), id: bot.id, bot })).toSorted(compare);
  const start = after ? firstAfter(sorted, after, compare) : 0;
  const page = sorted.slice(start, start + limit);
  const last = page.at(-1);
  const isLast = start + limit >= sorted.length;
  return {
    bots: page.map(({ bot }) => bot),
    total: sorted.length,
    ...(last && !isLast && { next: cursorOf(last) }),
  };
}

function filterOf({ role, status, tag, text }: BotQuery): (bot: Bot) => boolean {
  const roles = role === undefined ? undefined : new Set([role].flat());
  const statuses = status === undefined ? undefined : new Set([status].flat());
  const tags = tag === undefined ? [] : [tag].flat();
  const words = text?.toLowerCase() ?? '';
  return (bot) =>
    (roles?.has(bot.role) ?? true) &&
    (statuses?.has(bot.status) ?? true) &&
    tags.every((one) => bot.tags.includes(one)) &&
    (words === '' || textOf(bot).includes(words));
}

/** Bots are never changed, only replaced. */
const texts = new WeakMap<Bot, string>();

function textOf(bot: Bot): string {
  const known = texts.get(bot);
  if (known !== undefined) return known;
  const { id, description, tags, template = '', deployment } = bot;
  const text = [id, description, ...tags, template, deployment.command, ...deployment.args]
    .join('\n')
    .toLowerCase();
  texts.set(bot, text);
  return text;
}

/** Where a bot stands in an order. Ids make it one in which no two are equal. */
interface Place {
  readonly key: string | number;
  readonly id: string;
}

function keyOf(bot: Bot, sort: SortKey): string | number {
  switch (sort) {
    case 'id':
      return '';
    case 'role':
      return bot.role;
    case 'status':
      return BOT_STATUSES.indexOf(bot.status);
    case 'created':
      return bot.createdAt;
    case 'updated':
      return bot.updatedAt;
    case 'restarts':
      return bot.restarts;
  }
}

/** By character codes, so that the order is the same on every machine. */
function compareBy(sort: SortKey, one: Place, other: Place): number {
  return (sort === 'id' ? 0 : compareValues(one.key, other.key)) || compareValues(one.id, other.id);
}

function compareValues(one: string | number, other: string | number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function firstAfter(
  sorted: readonly Place[],
  place: Place,
  order: (one: Place, other: Place) => number,
): number {
  const index = sorted.findIndex((other) => order(other, place) > 0);
  return index === -1 ? sorted.length : index;
}

function cursorOf({ key, id }: Place): string {
  return Buffer.from(JSON.stringify([key, id])).toString('base64url');
}

const Cursor = z.tuple([z.union([z.string(), z.number()]), z.string()]);

function readCursor(text: string): Place | undefined {
  try {
    const [key, id] = Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { key, id };
  } catch {
    return undefined; // whatever it is, it is no cursor
  }
}
