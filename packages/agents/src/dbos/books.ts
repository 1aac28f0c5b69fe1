import type pg from 'pg';
import { fromJournal, type HistoryEntry, toJournal } from '../durable/workflow-store.ts';
import { Batch } from './batch.ts';
import { EngineStorageReadError } from './errors.ts';
import type { LargeValues } from './large-values.ts';
import { type RetryPorts, retryLost } from './retry-lost.ts';
import { CANCELLED } from './schema.ts';

/** What the engine keeps beside the tables of DBOS, in a schema of its own: what was told, what was cancelled, what may be poison. */
export class Books {
  readonly #name: string;
  readonly #pool: pg.Pool;
  readonly #large: LargeValues;
  readonly #ports: RetryPorts;
  readonly #keeping = new Batch((entries: readonly NewEntry[]) => this.#keepAll(entries));
  readonly #asking = new Batch((calls: readonly AskedCall[]) => this.#askAll(calls));

  /** @param name Of the engines whose facts these are. */
  constructor(
    name: string,
    { pool, large }: { pool: pg.Pool; large: LargeValues },
    ports: RetryPorts,
  ) {
    this.#name = name;
    this.#pool = pool;
    this.#large = large;
    this.#ports = ports;
  }

  /**
   * Keeps what came of a call, or a fact; whoever was first counts. Of what has been compacted nothing is kept any more, and it
   * is told what it said: only a process that slept through the end of it still speaks.
   */
  keep(entry: NewEntry): Promise<KeptEntry> {
    return this.#keeping.add(entry);
  }

  async #keepAll(entries: readonly NewEntry[]): Promise<KeptEntry[]> {
    const texts = entries.map(({ value }) => toJournal(value));
    const kept = await this.#large.takeOut(
      entries.map(({ workflowId }, nth) => ({
        text: texts[nth] ?? '',
        use: { workflowId, as: 'entry' },
      })),
    );
    const { rows } = await this.#query<{ seq: string; at: string; value: string }>(
      'SELECT seq, at, value FROM buddy.keep_entries($1, $2, $3, $4, $5, $6, $7) ORDER BY nth',
      [
        this.#name,
        entries.map(({ workflowId }) => workflowId),
        entries.map(({ kind }) => kind),
        entries.map(({ key }) => key),
        entries.map(({ tool }) => tool ?? null),
        kept,
        entries.map(({ isAnswer }) => isAnswer === true),
      ],
    );
    // What is large and was kept here just now need not be fetched.
    const values = await this.#large.putIn(
      rows.map(({ value }, nth) => (value === kept[nth] ? (texts[nth] ?? '') : value)),
    );
    return rows.map(({ seq, at }, nth) => ({
      seq: Number(seq),
      at: Number(at),
      value: fromJournal(values[nth] ?? ''),
    }));
  }

  /** What is known of a call before it is made. */
  askBefore(asked: AskedCall): Promise<KnownCall> {
    return this.#asking.add(asked);
  }

  async #askAll(calls: readonly AskedCall[]): Promise<KnownCall[]> {
    const { rows } = await this.#query<KnownCall>(
      `SELECT (SELECT e.value FROM buddy.entries e
               WHERE e.workflow_id = g.workflow_id AND e.kind = 'recorded' AND e.key = g.key) AS recorded,
              (SELECT c.reason FROM buddy.cancellations c WHERE c.workflow_id = g.workflow_id) AS "cancelReason",
              EXISTS (SELECT 1 FROM buddy.suspects s WHERE s.workflow_id = g.run_by) AS "isSuspect",
              EXISTS (SELECT 1 FROM buddy.compacted d WHERE d.workflow_id = g.workflow_id) AS "isCompacted"
       FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS g(workflow_id, key, run_by, nth) ORDER BY g.nth`,
      [
        calls.map(({ workflowId }) => workflowId),
        calls.map(({ key }) => key),
        calls.map(({ runBy }) => runBy),
      ],
    );
    const recorded = await this.#large.putIn(rows.map((row) => row.recorded ?? ''));
    return rows.map((row, nth) => ({
      ...row,
      recorded: row.recorded === null ? null : (recorded[nth] ?? ''),
    }));
  }

  /** What came of those of these calls that have been answered. */
  async recall(
    calls: readonly { workflowId: string; key: string }[],
  ): Promise<{ workflowId: string; key: string; value: unknown }[]> {
    const { rows } = await this.#query<{ workflowId: string; key: string; value: string }>(
      `SELECT e.workflow_id AS "workflowId", e.key, e.value
       FROM unnest($1::text[], $2::text[]) AS g(workflow_id, key),
         LATERAL (SELECT * FROM buddy.entries x
                  WHERE x.workflow_id = g.workflow_id AND x.kind = 'recorded' AND x.key = g.key LIMIT 1) e`,
      [calls.map(({ workflowId }) => workflowId), calls.map(({ key }) => key)],
    );
    const values = await this.#large.putIn(rows.map(({ value }) => value));
    return rows.map(({ workflowId, key }, nth) => ({
      workflowId,
      key,
      value: fromJournal(values[nth] ?? ''),
    }));
  }

  /** That a call is about to be made; `tryId` is of this time. @returns How often that was so, this time included. */
  async intend(workflowId: string, key: string, tryId: string): Promise<number> {
    const { rows } = await this.#query<{ tries: number }>(
      `INSERT INTO buddy.intents AS i (workflow_id, key, tries, try_id) VALUES ($1, $2, 1, $3)
       ON CONFLICT (workflow_id, key) DO UPDATE
         SET tries = i.tries + (i.try_id <> EXCLUDED.try_id)::int, try_id = EXCLUDED.try_id
       RETURNING tries`,
      [workflowId, key, tryId],
    );
    return rows[0]?.tries ?? 1;
  }

  /** Those whose process has died: what they do next may be what it died of. */
  async suspect(workflowIds: readonly string[]): Promise<void> {
    await this.#query(
      'INSERT INTO buddy.suspects (workflow_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING',
      [workflowIds],
    );
  }

  /** The first reason counts; whoever runs one of them hears of it. */
  async cancel(workflowIds: readonly string[], reason: string): Promise<void> {
    await this.#query(
      `WITH added AS (
         INSERT INTO buddy.cancellations (workflow_id, reason) SELECT unnest($1::text[]), $2
         ON CONFLICT DO NOTHING RETURNING workflow_id
       ) SELECT pg_notify('${CANCELLED}', left(workflow_id, 4000)) FROM added`,
      [workflowIds, reason],
    );
  }

  async cancelReasons(workflowIds: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.#query<{ id: string; reason: string }>(
      'SELECT workflow_id AS id, reason FROM buddy.cancellations WHERE workflow_id = ANY($1)',
      [workflowIds],
    );
    return new Map(rows.map(({ id, reason }) => [id, reason]));
  }

  /** The number up to which all entries that there will ever be are there; 0 when there is none. */
  async latest(): Promise<number> {
    const { rows } = await this.#query<{ seq: string }>(
      'SELECT buddy.last_whole_entry($1) AS seq',
      [this.#name],
    );
    return Number(rows[0]?.seq ?? 0);
  }

  /** The next entries after one number, up to another; in order; none when there are no more. */
  async entries(after: number, upTo: number): Promise<HistoryEntry[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#entriesNow(after, upTo);
      } catch (error) {
        // Between one question and the next somebody may have compacted what was found: then it is not found again.
        if (!(error instanceof EngineStorageReadError) || tries === ENTRIES_TRIES) throw error;
      }
    }
  }

  async #entriesNow(after: number, upTo: number): Promise<HistoryEntry[]> {
    const { rows } = await this.#query<EntryRow>(
      `SELECT seq, workflow_id AS "workflowId", kind, key, at, tool, value FROM buddy.entries
       WHERE name = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT 500`,
      [this.#name, after, upTo],
    );
    const values = await this.#large.putIn(rows.map(({ value }) => value));
    return rows.map(({ seq, workflowId, kind, key, at, tool }, nth) => {
      const common = {
        seq: Number(seq),
        at: Number(at),
        workflowId,
        key,
        value: fromJournal(values[nth] ?? ''),
      };
      return kind === 'told' ? { ...common, kind } : { ...common, kind, tool };
    });
  }

  /** The ids of all calls that these workflows had made elsewhere. */
  async callsOf(workflowIds: readonly string[]): Promise<{ workflowId: string; key: string }[]> {
    const { rows } = await this.#query<{ workflowId: string; key: string }>(
      `SELECT workflow_id AS "workflowId", key FROM buddy.entries WHERE workflow_id = ANY($1) AND kind = 'recorded'`,
      [workflowIds],
    );
    return rows;
  }

  /**
   * Of those below, also that they were cancelled; there is nobody left to ask about them. What is large goes when nobody else
   * refers to it; what the workflow itself began with and came to stays. That there was something to forget stays: a process
   * that slept through it all must not make a call of it anew.
   */
  async forget(workflowId: string, below: readonly string[]): Promise<void> {
    await this.#query('SELECT buddy.close_books($1)', [[workflowId, ...below]]);
    await this.#query('SELECT buddy.forget($1, $2)', [workflowId, below]);
  }

  #query<Row extends pg.QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    return retryLost(() => this.#pool.query<Row>(sql, values), this.#ports);
  }
}

const ENTRIES_TRIES = 5;

interface NewEntry {
  kind: 'recorded' | 'told';
  workflowId: string;
  key: string;
  tool?: string;
  value: unknown;
  /** Whether a workflow waits for it, maybe in another process. */
  isAnswer?: boolean;
}

interface AskedCall {
  workflowId: string;
  key: string;
  /** The workflow of DBOS in which it is made. */
  runBy: string;
}

interface KnownCall {
  recorded: string | null;
  cancelReason: string | null;
  isSuspect: boolean;
  isCompacted: boolean;
}

interface KeptEntry {
  /** 0 when it was not kept. */
  seq: number;
  at: number;
  value: unknown;
}

interface EntryRow {
  seq: string;
  workflowId: string;
  kind: 'recorded' | 'told';
  key: string;
  at: string;
  tool: string | null;
  value: string;
}
