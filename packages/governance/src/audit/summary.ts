import type { DatabaseSync } from 'node:sqlite';
import type { Tier } from '@buddy/core';
import { readTierCounts } from './card.ts';
import { blockOf } from './log-writer.ts';

interface SummedFields {
  seq?: unknown;
  at?: unknown;
  kind?: unknown;
  tier?: unknown;
}

/** What a verifier looks at; undefined for what is no JSON, or no object. */
export function parseFields(record: Uint8Array): SummedFields | undefined {
  try {
    const { buffer, byteOffset, length } = record;
    const value: unknown = JSON.parse(Buffer.from(buffer, byteOffset, length).toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the log keeps of its entries so that they need not be read, computed from the entries again. */
export class Summary {
  readonly #tiers: Record<Tier, number> = { 1: 0, 2: 0, 3: 0, 4: 0 };
  readonly #blocks: { earliest: number; latest: number }[] = [];

  add(seq: number, fields: SummedFields | undefined): void {
    const isDecision = fields?.kind === 'intent' || fields?.kind === 'refusal';
    if (isDecision && isTier(fields.tier)) this.#tiers[fields.tier] += 1;
    const at = Date.parse(String(fields?.at));
    const block = this.#blocks[blockOf(seq)];
    if (block === undefined) {
      this.#blocks.push({ earliest: at, latest: at });
    } else {
      block.earliest = Math.min(block.earliest, at);
      block.latest = Math.max(block.latest, at);
    }
  }

  agreesWith(database: DatabaseSync): boolean {
    const kept = readTierCounts(database);
    const blocks = database
      .prepare('SELECT block, earliest, latest FROM audit_blocks ORDER BY block')
      .all();
    return (
      ([1, 2, 3, 4] as const).every((tier) => kept[tier] === this.#tiers[tier]) &&
      blocks.length === this.#blocks.length &&
      this.#blocks.every(({ earliest, latest }, nth) => {
        const row = blocks[nth];
        return row?.['block'] === nth && row['earliest'] === earliest && row['latest'] === latest;
      })
    );
  }
}

function isTier(value: unknown): value is Tier {
  return value === 1 || value === 2 || value === 3 || value === 4;
}
