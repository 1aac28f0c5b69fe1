import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import type { AuditEntry } from '../ledger/entry.ts';
import { BLOCK_ENTRIES } from './log-schema.ts';
import { readRecord } from './entry-record.ts';

const MAX_PAGE = 1_000;
const Moment = z
  .int()
  .min(0)
  .max(Date.UTC(9999, 11, 31));

export const AuditQuery = z.strictObject({
  /** The actor's id; for approvals, policies and controls, whose word it was. */
  actor: z.string().exactOptional(),
  action: z.string().exactOptional(),
  tier: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).exactOptional(),
  decision: z.enum(['allow', 'deny', 'approve']).exactOptional(),
  kind: z.enum(['intent', 'refusal', 'outcome', 'approval', 'policy', 'control']).exactOptional(),
  /** Not before; in ms since the epoch. */
  since: Moment.exactOptional(),
  /** Before; in ms since the epoch. */
  until: Moment.exactOptional(),
  /** Entries a page. */
  limit: z.int().min(1).max(MAX_PAGE).default(50),
  /** Where the page before said to go on. */
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'must be what a page before gave as its next')
    .exactOptional(),
});
export type AuditQueryInput = z.input<typeof AuditQuery>;
export type AuditQuery = z.output<typeof AuditQuery>;

export interface AuditPage {
  entries: readonly AuditEntry[];
  /** To be given as `after` for the next page; undefined when this is the last. */
  next?: string;
}

/**
 * Block by block, the latest first: those of another time are skipped, and in the others one index gives the entries in
 * their order, until the page is full.
 */
export function queryEntries(database: DatabaseSync, query: AuditQuery): AuditPage {
  const { conditions, values } = whereOf(query);
  const rows = database
    .prepare(
      `SELECT seq, record FROM audit_blocks CROSS JOIN audit_entries
       WHERE ${conditions.join(' AND ')}
       ORDER BY audit_blocks.block DESC, seq DESC LIMIT ?`,
    )
    .all(...values, query.limit + 1);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    entries: page.map(({ record }) => readRecord(String(record))),
    ...(rows.length > page.length && last && { next: String(last['seq']) }),
  };
}

/** From what few entries have to what many have: SQLite has no figures to choose an index by. */
const BLOCKED = ['actor', 'action'] as const;
const PLAIN = ['decision', 'tier', 'kind'] as const;

function whereOf(query: AuditQuery): { conditions: string[]; values: SQLInputValue[] } {
  const { since, until, after } = query;
  const [leading] = [...BLOCKED, ...PLAIN].filter((column) => query[column] !== undefined);
  const conditions = [
    leading === 'actor' || leading === 'action'
      ? 'audit_entries.block = audit_blocks.block'
      : `seq BETWEEN audit_blocks.block * ${BLOCK_ENTRIES} AND audit_blocks.block * ${BLOCK_ENTRIES} + ${BLOCK_ENTRIES - 1}`,
  ];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...given: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  for (const column of [...BLOCKED, ...PLAIN]) {
    const value = query[column];
    // A plus keeps SQLite from another index than the leading one.
    if (value !== undefined) add(`${column === leading ? '' : '+'}${column} = ?`, value);
  }
  if (since !== undefined) add(`latest >= ? AND ${AT} >= ?`, since, isoOf(since));
  if (until !== undefined) add(`earliest < ? AND ${AT} < ?`, until, isoOf(until));
  if (after !== undefined) {
    add(`audit_blocks.block <= ? / ${BLOCK_ENTRIES} AND +seq < ?`, Number(after), Number(after));
  }
  return { conditions, values };
}

/** In ISO 8601, whose order is that of time. */
const AT = "json_extract(record, '$.at')";

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
