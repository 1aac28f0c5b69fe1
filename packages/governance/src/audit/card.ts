import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Actor, Tier } from '@buddy/core';
import { readRecord } from './entry-record.ts';
import { minuteOf } from './log-writer.ts';
import { hasTable } from '../ledger/migrations.ts';

export interface GovernanceCard {
  /** Approvals that wait for people. */
  pendingApprovals: number;
  /**
   * Denied actions of the last 24 hours, counted by whole minutes. Also those that bear a later time than now: what somebody
   * was denied on a clock that was ahead, or has been set back since, is not hidden by it.
   */
  violations24h: number;
  /** Decisions ever made, by tier. */
  tiers: Readonly<Record<Tier, number>>;
  /** The last ten, the newest first. */
  decisions: readonly CardDecision[];
}

export interface CardDecision {
  seq: number;
  at: number;
  actor: Actor;
  action: string;
  tier: Tier;
  decision: 'allow' | 'deny' | 'approve';
  rule: string;
  reasonCode: string;
}

const DAY_MINUTES = 24 * 60;
const LAST_DECISIONS = 10;

/** From figures that were kept when the entries were written. */
export function readCard(database: DatabaseSync, now: number): GovernanceCard {
  return {
    pendingApprovals:
      numberOf(database, 'SELECT count(*) AS value FROM audit_pending_approvals') -
      overdueApprovals(database, now),
    violations24h: numberOf(
      database,
      'SELECT coalesce(sum(count), 0) AS value FROM audit_denials WHERE minute >= ?',
      minuteOf(now) - DAY_MINUTES,
    ),
    tiers: readTierCounts(database),
    decisions: lastDecisions(database),
  };
}

/** Those that have expired by now, and of which the log does not say so yet. */
function overdueApprovals(database: DatabaseSync, now: number): number {
  if (!hasTable(database, 'approvals')) return 0;
  return numberOf(
    database,
    `SELECT count(*) AS value FROM approvals WHERE state IN ('pending', 'approved') AND expires_at <= ? AND state = 'pending'`,
    now,
  );
}

export function readTierCounts(database: DatabaseSync): Record<Tier, number> {
  const count = (tier: Tier) =>
    numberOf(database, 'SELECT value FROM audit_counts WHERE name = ?', `tier_${tier}`);
  return { 1: count(1), 2: count(2), 3: count(3), 4: count(4) };
}

function lastDecisions(database: DatabaseSync): CardDecision[] {
  // Ten of each, by the index, of which the last ten are taken: a scan for the last ten of any could be long.
  const select = database.prepare(
    'SELECT record FROM audit_entries WHERE decision = ? ORDER BY seq DESC LIMIT ?',
  );
  const entries = ['allow', 'deny', 'approve']
    .flatMap((decision) => select.all(decision, LAST_DECISIONS))
    .map(({ record }) => readRecord(String(record)))
    .toSorted((a, b) => b.seq - a.seq);
  return entries.slice(0, LAST_DECISIONS).flatMap((entry) => {
    if (entry.kind !== 'intent' && entry.kind !== 'refusal') return [];
    const { seq, at, actor, action, tier, decision, rule, reasonCode } = entry;
    return [{ seq, at, actor, action, tier, decision, rule, reasonCode }];
  });
}

function numberOf(database: DatabaseSync, sql: string, ...values: SQLInputValue[]): number {
  return Number(database.prepare(sql).get(...values)?.['value'] ?? 0);
}
