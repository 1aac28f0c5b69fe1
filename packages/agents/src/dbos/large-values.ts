import type pg from 'pg';
import { putInLargeFrom, takeOutLarge } from '../durable/large-values.ts';
import { fromJournal, tryJournal } from '../durable/workflow-store.ts';
import { EngineStorageReadError } from './errors.ts';
import { type RetryPorts, retryLost } from './retry-lost.ts';

/** What DBOS is handed in the place of a value that is large. None of ours has a field of this name. */
export interface Large {
  large: string;
}

export type Packed<Value extends object> = Value | Large;

/** Who needs what is kept, and as what: only what a workflow began with and came to is needed when it has been compacted. */
export interface Use {
  workflowId: string;
  as: 'input' | 'result' | 'entry';
}

/**
 * Keeps what is large once, in a table of its own; what refers to it goes into the tables of DBOS and into the books. It is
 * there before anything refers to it, and asks Postgres nothing while all is small.
 */
export class LargeValues {
  readonly #pool: pg.Pool;
  readonly #ports: RetryPorts;

  constructor(pool: pg.Pool, ports: RetryPorts) {
    this.#pool = pool;
    this.#ports = ports;
  }

  /** Each text as it is when it is small, else what refers to what is kept. */
  async takeOut(texts: readonly { text: string; use: Use }[]): Promise<string[]> {
    const large = new Map<string, string>();
    const uses: { digest: string; use: Use }[] = [];
    const taken = texts.map(({ text, use }) =>
      takeOutLarge(text, (digest, part) => {
        large.set(digest, part);
        uses.push({ digest, use });
      }),
    );
    if (large.size > 0) {
      await this.#query('SELECT buddy.keep_large($1, $2, $3, $4, $5)', [
        [...large.keys()],
        [...large.values()],
        uses.map(({ digest }) => digest),
        uses.map(({ use }) => use.workflowId),
        uses.map(({ use }) => use.as),
      ]);
    }
    return taken;
  }

  /** @throws {EngineStorageReadError} When something is not there, as when who referred to it has been compacted meanwhile. */
  async putIn(texts: readonly string[]): Promise<string[]> {
    return putInLargeFrom(texts, async (digests) => {
      const { rows } = await this.#query<{ digest: string; text: string }>(
        'SELECT digest, text FROM buddy.large_values WHERE digest = ANY($1)',
        [digests],
      );
      if (rows.length < digests.length) {
        throw new EngineStorageReadError(
          'A value of more than 256 KB is not in the table buddy.large_values; restore the database from a copy',
        );
      }
      return new Map(rows.map(({ digest, text }) => [digest, text]));
    });
  }

  async pack<Value extends object>(value: Value, use: Use): Promise<Packed<Value>> {
    const [packed = value] = await this.packAll([{ value, use }]);
    return packed;
  }

  async packAll<Value extends object>(
    items: readonly { value: Value; use: Use }[],
  ): Promise<Packed<Value>[]> {
    // What is not JSON after all goes as it went before: what DBOS makes of it is small, or nothing that is ours to judge.
    const texts = items.map(({ value, use }) => ({ text: tryJournal(value) ?? '', use }));
    const taken = await this.takeOut(texts);
    return items.map(({ value }, nth) => {
      const large = taken[nth];
      return large === undefined || large === texts[nth]?.text ? value : { large };
    });
  }

  async unpack<Value extends object>(packed: Packed<Value>): Promise<Value> {
    if (!isLarge(packed)) return packed;
    const [whole = ''] = await this.putIn([packed.large]);
    return fromJournal(whole);
  }

  /** What it began with was kept for whoever started it, who needs it no more. */
  async useInput(workflowId: string, input: string): Promise<void> {
    for (const text of await this.putIn([input])) {
      await this.takeOut([{ text, use: { workflowId, as: 'input' } }]);
    }
  }

  /** Another has started it before, with what stands here: what was kept for it in vain is needed by nobody. */
  async forgetInputsBut(workflowId: string, input: string): Promise<void> {
    const digests: string[] = [];
    for (const whole of await this.putIn([input])) {
      takeOutLarge(whole, (digest) => digests.push(digest));
    }
    await this.#query('SELECT buddy.forget_inputs($1, $2)', [workflowId, digests]);
  }

  #query<Row extends pg.QueryResultRow>(
    sql: string,
    values: unknown[],
  ): Promise<pg.QueryResult<Row>> {
    return retryLost(() => this.#pool.query<Row>(sql, values), this.#ports);
  }
}

export function isLarge(packed: object): packed is Large {
  return 'large' in packed && typeof packed.large === 'string';
}
