import type { DatabaseSync } from 'node:sqlite';
import type { Tier } from '@buddy/core';
import { hasTable } from '../ledger/migrations.ts';
import { readTierCounts } from './card.ts';
import { blockOf, minuteOf } from './log-writer.ts';

/** What a verifier looks at of an entry; whoever wrote it may have written anything. */
export interface SummedFields {
  seq?: unknown;
  at?: unknown;
  kind?: unknown;
  tier?: unknown;
  decision?: unknown;
  intent_seq?: unknown;
  event?: unknown;
  approval_id?: unknown;
  action?: unknown;
  by?: unknown;
  via?: unknown;
}

/** Undefined for what is no JSON, or no object. */
export function parseFields(record: Uint8Array): SummedFields | undefined {
  try {
    const { buffer, byteOffset, length } = record;
    const value: unknown = JSON.parse(Buffer.from(buffer, byteOffset, length).toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What is kept of entries beside them, so that they need not be read again, computed from the entries themselves. */
export class Summary {
  readonly #tiers: Record<Tier, number> = { 1: 0, 2: 0, 3: 0, 4: 0 };
  readonly #blocks: { earliest: number; latest: number }[] = [];
  readonly #denials = new Map<number, number>();
  readonly #openIntents = new Set<number>();
  readonly #pending = new Set<string>();
  /** The last turn of the kill switch. */
  #lastTurn: { isOn: boolean; at: number; by: unknown } | undefined;

  /** @returns What the entry tells that cannot have happened; undefined when it can. */
  add(seq: number, fields: SummedFields | undefined): string | undefined {
    const at = this.#date(seq, fields?.at);
    switch (fields?.kind) {
      case 'intent':
        this.#countTier(fields.tier);
        this.#openIntents.add(seq);
        return undefined;
      case 'refusal':
        this.#countTier(fields.tier);
        if (fields.decision === 'deny') {
          const minute = minuteOf(at);
          this.#denials.set(minute, (this.#denials.get(minute) ?? 0) + 1);
        }
        return undefined;
      case 'outcome':
        return this.#openIntents.delete(Number(fields.intent_seq))
          ? undefined
          : `is the outcome of entry ${String(fields.intent_seq)}, which is no intent that waits for one`;
      case 'approval':
        this.#countPending(fields.event, String(fields.approval_id));
        return undefined;
      case 'control':
        if (fields.event === 'kill_switch_on' || fields.event === 'kill_switch_off') {
          this.#lastTurn = { isOn: fields.event === 'kill_switch_on', at, by: idOf(fields.by) };
        }
        return undefined;
      default:
        return undefined;
    }
  }

  /** Names of the figures that are not what the entries say. */
  differencesFrom(database: DatabaseSync): string[] {
    const checks: readonly (readonly [name: string, agrees: boolean])[] = [
      ['decisions by tier', this.#agreeTiers(database)],
      ['times of blocks', this.#agreeBlocks(database)],
      ['denials by minute', agreeMaps(this.#denials, denialsIn(database))],
      ['intents without an outcome', agreeSets(this.#openIntents, openIntentsIn(database))],
      ['approvals that wait', agreeSets(this.#pending, pendingIn(database))],
      ['the kill switch', this.#agreesKillSwitch(database)],
    ];
    return checks.flatMap(([name, agrees]) => (agrees ? [] : [name]));
  }

  #date(seq: number, written: unknown): number {
    const at = Date.parse(String(written));
    const block = this.#blocks[blockOf(seq)];
    if (block === undefined) {
      this.#blocks.push({ earliest: at, latest: at });
    } else {
      block.earliest = Math.min(block.earliest, at);
      block.latest = Math.max(block.latest, at);
    }
    return at;
  }

  #countTier(tier: unknown): void {
    if (isTier(tier)) this.#tiers[tier] += 1;
  }

  #countPending(event: unknown, id: string): void {
    if (event === 'filed') this.#pending.add(id);
    else if (event !== 'voted' && event !== 'escalated') this.#pending.delete(id);
  }

  #agreeTiers(database: DatabaseSync): boolean {
    const kept = readTierCounts(database);
    return ([1, 2, 3, 4] as const).every((tier) => kept[tier] === this.#tiers[tier]);
  }

  #agreeBlocks(database: DatabaseSync): boolean {
    const blocks = database
      .prepare('SELECT block, earliest, latest FROM audit_blocks ORDER BY block')
      .all();
    return (
      blocks.length === this.#blocks.length &&
      this.#blocks.every(({ earliest, latest }, nth) => {
        const row = blocks[nth];
        return row?.['block'] === nth && row['earliest'] === earliest && row['latest'] === latest;
      })
    );
  }

  #agreesKillSwitch(database: DatabaseSync): boolean {
    if (!hasTable(database, 'controls')) return true;
    const row = database.prepare(`SELECT * FROM controls WHERE name = 'kill_switch'`).get();
    const last = this.#lastTurn;
    if (!row || !last) return !row && !last;
    return (
      row['is_on'] === (last.isOn ? 1 : 0) &&
      row['changed_at'] === last.at &&
      row['changed_by'] === last.by
    );
  }
}

function isTier(value: unknown): value is Tier {
  return value === 1 || value === 2 || value === 3 || value === 4;
}

/** Of an actor, as records have it. */
export function idOf(actor: unknown): unknown {
  return typeof actor === 'object' && actor !== null ? Reflect.get(actor, 'id') : undefined;
}

function denialsIn(database: DatabaseSync): Map<number, number> {
  const rows = database.prepare('SELECT minute, count FROM audit_denials').all();
  return new Map(rows.map(({ minute, count }) => [Number(minute), Number(count)]));
}

function openIntentsIn(database: DatabaseSync): Set<number> {
  const rows = database.prepare('SELECT seq FROM audit_open_intents').all();
  return new Set(rows.map(({ seq }) => Number(seq)));
}

function pendingIn(database: DatabaseSync): Set<string> {
  const rows = database.prepare('SELECT approval_id AS id FROM audit_pending_approvals').all();
  return new Set(rows.map(({ id }) => String(id)));
}

function agreeSets<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}

function agreeMaps<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
