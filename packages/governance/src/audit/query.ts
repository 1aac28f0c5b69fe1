import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import type { AuditEntry } from '../ledger/entry.ts';
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
    .regex(/^[^~]+~[0-9]{1,16}$/, 'must be what a page before gave as its next')
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
 * By time and number, so that every filter is one range of one index, however long the log is. A clock that was set back
 * shows here, as it should.
 */
export function queryEntries(database: DatabaseSync, query: AuditQuery): AuditPage {
  const { conditions, values } = whereOf(query);
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const rows = database
    .prepare(
      `SELECT seq, at, record FROM audit_entries ${where} ORDER BY at DESC, seq DESC LIMIT ?`,
    )
    .all(...values, query.limit + 1);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    entries: page.map(({ record }) => readRecord(String(record))),
    ...(rows.length > page.length &&
      last && { next: `${String(last['at'])}~${String(last['seq'])}` }),
  };
}

function whereOf({ actor, action, tier, decision, kind, since, until, after }: AuditQuery) {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...given: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (actor !== undefined) add('actor = ?', actor);
  if (action !== undefined) add('action = ?', action);
  if (tier !== undefined) add('tier = ?', tier);
  if (decision !== undefined) add('decision = ?', decision);
  if (kind !== undefined) add('kind = ?', kind);
  if (since !== undefined) add('at >= ?', isoOf(since));
  if (until !== undefined) add('at < ?', isoOf(until));
  if (after !== undefined) {
    const [at = '', seq = ''] = after.split('~');
    add('(at, seq) < (?, ?)', at, Number(seq));
  }
  return { conditions, values };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
