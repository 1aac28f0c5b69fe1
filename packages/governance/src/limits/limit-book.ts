import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { CallUsage } from '../gate/call.ts';
import type { LimitBook, LimitShortage, LimitSubject, ReserveResult } from '../gate/ports.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import type { LimitDemand } from '../policy/decision.ts';

/** `total` is what its rows add up to, so that asking costs the same however many there are. */
export const LIMITS_MIGRATION: Migration = {
  id: 'limits-1',
  sql: `
    CREATE TABLE limit_counters (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      total INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE limit_usage (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      counter INTEGER NOT NULL REFERENCES limit_counters (id),
      amount INTEGER NOT NULL,
      counts_until INTEGER NOT NULL,
      is_held INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX limit_usage_by_counter ON limit_usage (counter, counts_until);
    CREATE INDEX limit_usage_by_end ON limit_usage (counts_until);
  `,
};

export interface LimitBookOptions {
  /**
   * How long money and tokens are held for a call whose end nobody tells of, in ms: the process died, or the call takes so
   * long. Default 10 minutes; never shorter than the limit's own window.
   */
  longestCallMs?: number;
}

/**
 * Counts usage in the ledger, so that the limits hold for all processes together and after a restart. Windows slide: at no
 * moment does what was taken within the `windowMs` before it, calls under way included, exceed what is allowed. A
 * reservation that is never settled counts as spent.
 *
 * A call counts from when it was let through. Money and tokens count as estimated until the call ends, and then as they
 * were, from that moment on.
 *
 * What a call takes and only its result tells (`isCountedAfterwards`) is anything until it is known: such a call holds all
 * that is left, so there is one at a time, and it alone can pass the limit. When its result does not tell, it took all that
 * is allowed.
 */
export function createLimitBook({ longestCallMs = 600_000 }: LimitBookOptions = {}): LimitBook {
  return new SqliteLimitBook(longestCallMs);
}

/** What one row of usage has to be found and settled by. */
const Held = z.strictObject({
  id: z.int(),
  name: z.string(),
  measure: z.enum(['calls', 'spend', 'tokens']),
  currency: z.string().optional(),
  windowMs: z.number(),
  allowed: z.number(),
  isCountedAfterwards: z.literal(true).exactOptional(),
});
type Held = z.output<typeof Held>;

/** The reservation itself carries it, so that nothing has to be remembered for a call that never ends. */
const Reservation = z.array(Held);

/** Beyond this no sum is exact, and no real usage is. */
const MOST = 1e14;

class SqliteLimitBook implements LimitBook {
  readonly #longestCallMs: number;
  readonly #statements = new WeakMap<DatabaseSync, Statements>();

  constructor(longestCallMs: number) {
    this.#longestCallMs = longestCallMs;
  }

  reserve(
    { database, at }: LedgerTransaction,
    demands: readonly LimitDemand[],
    subject: LimitSubject,
  ): ReserveResult {
    const statements = this.#of(database);
    statements.forgetSome(at);
    const held: Held[] = [];
    for (const demand of demands) {
      const refusal = this.#take(statements, at, demand, subject, held);
      if (refusal) {
        for (const { id } of held) statements.remove(id);
        return { kind: 'refused', rule: demand.rule, ...refusal };
      }
    }
    return { kind: 'reserved', reservation: JSON.stringify(held) };
  }

  commit({ database, at }: LedgerTransaction, reservation: string, actual: CallUsage): void {
    const statements = this.#of(database);
    for (const held of heldBy(reservation)) {
      const { id, name, measure, windowMs } = held;
      if (measure === 'calls') {
        statements.settle(id); // it was made when it was let through
        continue;
      }
      const reserved = statements.remove(id) ?? 0;
      const estimate = held.isCountedAfterwards === true ? Math.ceil(held.allowed) : reserved;
      const amount = usedOf(actual, held, estimate);
      if (amount > 0) statements.add(name, amount, at + windowMs, false);
    }
  }

  release({ database }: LedgerTransaction, reservation: string): void {
    const statements = this.#of(database);
    for (const { id } of heldBy(reservation)) statements.remove(id);
  }

  /** Why it cannot be had; undefined when it is taken. */
  #take(
    statements: Statements,
    at: number,
    demand: LimitDemand,
    subject: LimitSubject,
    held: Held[],
  ): { explanation: string; shortage?: LimitShortage } | undefined {
    const { amount, allowed, measure, currency, windowMs, isCountedAfterwards } = demand;
    if (!(amount >= 0 && amount <= MOST)) {
      return {
        explanation: `${limitInWords(demand)}; how much this call would take cannot be told.`,
      };
    }
    const name = counterName(demand, subject);
    const whole = Math.ceil(amount);
    const total = statements.totalAt(name, at);
    const isHeldByItself = held.some((other) => other.name === name && other.isCountedAfterwards);
    if (isCountedAfterwards === true && isHeldByItself) return undefined; // the same limit, said twice
    // It needs room for at least something.
    const needed = Math.max(whole, 1);
    if (total + needed > allowed) {
      const reserved = statements.heldOf(name);
      const shortage: LimitShortage = {
        measure,
        ...(currency !== undefined && { currency }),
        allowed,
        used: total - reserved,
        reserved,
        asked: whole,
        freesAt: needed > allowed ? null : statements.fallsTo(name, allowed - needed, total),
      };
      const why = isCountedAfterwards === true ? ONE_AT_A_TIME : '';
      return {
        explanation: `${limitInWords(demand)}; ${shortageInWords(shortage)}${why}`,
        shortage,
      };
    }
    const heldMs = measure === 'calls' ? windowMs : Math.max(windowMs, this.#longestCallMs);
    const taken = isCountedAfterwards === true ? Math.ceil(allowed) - total : whole;
    const id = statements.add(name, taken, at + heldMs, true);
    const ofCurrency = currency !== undefined && { currency };
    const afterwards = isCountedAfterwards === true && { isCountedAfterwards };
    held.push({ id, name, measure, windowMs, allowed, ...ofCurrency, ...afterwards });
    return undefined;
  }

  #of(database: DatabaseSync): Statements {
    let statements = this.#statements.get(database);
    if (!statements) this.#statements.set(database, (statements = new Statements(database)));
    return statements;
  }
}

function heldBy(reservation: string): Held[] {
  return Reservation.parse(JSON.parse(reservation));
}

/**
 * Two limits of one rule that differ in nothing of this are counted as one. Where a new policy has another of it, it begins
 * anew; only what is allowed can change and the count go on.
 */
function counterName(
  { rule, measure, currency, by, windowMs }: LimitDemand,
  subject: LimitSubject,
): string {
  return JSON.stringify([rule, measure, currency ?? null, windowMs, by, subjectOf(by, subject)]);
}

function subjectOf(
  by: LimitDemand['by'],
  { actor, action, runId }: LimitSubject,
): readonly (string | null)[] {
  switch (by) {
    case 'agent':
      return [actor.kind, actor.id];
    case 'run':
      return [runId]; // calls of no run share one
    case 'tool':
      return [action];
    case 'all':
      return [];
  }
}

/**
 * What was really taken; the estimate where the call does not say, or says what cannot be. Money of another currency cannot
 * be weighed against the limit: where there is no estimate either, all that is allowed counts as taken.
 */
function usedOf(
  { cost, tokens }: CallUsage,
  { measure, currency, allowed }: Held,
  estimate: number,
): number {
  if (measure === 'tokens') return (tokens && counted(tokens.in + tokens.out)) ?? estimate;
  if (!cost) return estimate;
  if (cost.currency === currency) return counted(cost.amount) ?? estimate;
  return estimate === 0 ? Math.ceil(allowed) : estimate;
}

function counted(amount: number): number | undefined {
  if (!(amount >= 0)) return undefined;
  return Math.min(Math.ceil(amount), MOST);
}

const ONE_AT_A_TIME =
  ' What it takes is known only when it is done, so one such call at a time is let through.';

function limitInWords({ rule, allowed, measure, currency, windowMs, by }: LimitDemand): string {
  const what = currency === undefined ? measure : `minor units of ${currency}`;
  const whose = by === 'all' ? 'by all together' : `for each ${by}`;
  return `Rule ${rule} allows ${allowed} ${what} within ${inWords(windowMs)} ${whose}`;
}

function shortageInWords({ used, reserved, asked, freesAt }: LimitShortage): string {
  const underWay = reserved === 0 ? '' : ` and ${reserved} held for calls under way`;
  const when =
    freesAt === null
      ? 'which is never allowed'
      : `for which there is room by ${new Date(freesAt).toISOString()}`;
  return `${used} are used${underWay}; this call would take ${asked}, ${when}.`;
}

const UNITS = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1_000],
] as const;

function inWords(ms: number): string {
  for (const [unit, length] of UNITS) {
    if (ms % length === 0)
      return ms === length ? `a ${unit.slice(0, -1)}` : `${ms / length} ${unit}`;
  }
  return `${ms} ms`;
}

/** Rows that have ended and are forgotten with each reservation, whomever they were of: more than one adds, so none pile up. */
const FORGOTTEN_EACH_TIME = 32;

class Statements {
  readonly #counter: StatementSync;
  readonly #newCounter: StatementSync;
  readonly #ended: StatementSync;
  readonly #forgetEnded: StatementSync;
  readonly #someEnded: StatementSync;
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  readonly #settle: StatementSync;
  readonly #held: StatementSync;
  readonly #byEnd: StatementSync;
  readonly #change: StatementSync;
  readonly #dropUnused: StatementSync;

  constructor(database: DatabaseSync) {
    this.#counter = database.prepare('SELECT id, total FROM limit_counters WHERE name = ?');
    this.#newCounter = database.prepare('INSERT INTO limit_counters (name, total) VALUES (?, 0)');
    this.#ended = database.prepare(
      'SELECT sum(amount) AS amount FROM limit_usage WHERE counter = ? AND counts_until <= ?',
    );
    this.#forgetEnded = database.prepare(
      'DELETE FROM limit_usage WHERE counter = ? AND counts_until <= ?',
    );
    this.#someEnded = database.prepare(
      `SELECT id FROM limit_usage WHERE counts_until <= ? ORDER BY counts_until LIMIT ${FORGOTTEN_EACH_TIME}`,
    );
    this.#add = database.prepare(
      'INSERT INTO limit_usage (counter, amount, counts_until, is_held) VALUES (?, ?, ?, ?)',
    );
    this.#settle = database.prepare('UPDATE limit_usage SET is_held = 0 WHERE id = ?');
    this.#held = database.prepare(
      `SELECT sum(amount) AS amount FROM limit_usage WHERE is_held = 1
       AND counter = (SELECT id FROM limit_counters WHERE name = ?)`,
    );
    this.#byEnd = database.prepare(
      `SELECT amount, counts_until FROM limit_usage
       WHERE counter = (SELECT id FROM limit_counters WHERE name = ?) ORDER BY counts_until`,
    );
    this.#remove = database.prepare(
      'DELETE FROM limit_usage WHERE id = ? RETURNING counter, amount',
    );
    this.#change = database.prepare('UPDATE limit_counters SET total = total + ? WHERE id = ?');
    this.#dropUnused = database.prepare(
      `DELETE FROM limit_counters WHERE id = ?
       AND NOT EXISTS (SELECT 1 FROM limit_usage WHERE counter = limit_counters.id)`,
    );
  }

  /** What counts at this moment. */
  totalAt(name: string, at: number): number {
    const row = this.#counter.get(name);
    if (!row) return 0;
    const ended = this.#ended.get(row['id'] ?? null, at)?.['amount'];
    if (typeof ended !== 'number') return Number(row['total']);
    this.#forgetEnded.run(row['id'] ?? null, at);
    this.#change.run(-ended, row['id'] ?? null);
    this.#dropUnused.run(row['id'] ?? null);
    return Number(row['total']) - ended;
  }

  /** How much of it is held for calls that nobody has settled. */
  heldOf(name: string): number {
    return Number(this.#held.get(name)?.['amount'] ?? 0);
  }

  /** When it has fallen to so little, when nothing is added. */
  fallsTo(name: string, little: number, total: number): number | null {
    let left = total;
    for (const { amount, counts_until: until } of this.#byEnd.iterate(name)) {
      left -= Number(amount);
      if (left <= little) return Number(until);
    }
    return null;
  }

  settle(id: number): void {
    this.#settle.run(id);
  }

  add(name: string, amount: number, until: number, isHeld: boolean): number {
    const counter = this.#counter.get(name)?.['id'] ?? this.#newCounter.run(name).lastInsertRowid;
    this.#change.run(amount, counter);
    return Number(this.#add.run(counter, amount, Math.ceil(until), isHeld ? 1 : 0).lastInsertRowid);
  }

  /** How much it was; undefined when it has ended long ago. */
  remove(id: number): number | undefined {
    const row = this.#remove.get(id);
    if (!row) return undefined;
    const amount = Number(row['amount']);
    this.#change.run(-amount, row['counter'] ?? null);
    this.#dropUnused.run(row['counter'] ?? null);
    return amount;
  }

  forgetSome(at: number): void {
    for (const { id } of this.#someEnded.all(at)) this.remove(Number(id));
  }
}
