import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { WorkflowView } from '../durable/engine.ts';
import type { HistoryEntry, StoredWorkflow, Unfinished, Wait } from '../durable/workflow-store.ts';
import { ENTRY_KINDS } from './entry-kinds.ts';
import { JournalReadError } from './errors.ts';
import { putInLarge } from '../durable/large-values.ts';

/** Reads what a journal holds. Another connection than the writer's: it sees what is committed, and holds nothing up. */
export class JournalReader {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { readOnly: true });
    this.#statements = prepareStatements(this.#database);
  }

  load(id: string): StoredWorkflow | undefined {
    const row = this.#statements.workflow.get(id);
    if (!row) return undefined;
    const status = statusOf(row['status']);
    const recorded = new Map<string, string>();
    const intended = new Map<string, number>();
    const timed = new Map<string, Wait>();
    const told = new Set<string>();
    const signals: { key: string; topic: string; value: string; isConsumed: boolean }[] = [];
    const consumed = new Set<string>();
    const entries = status === 'running' ? this.#statements.entries.all(Number(row['number'])) : [];
    for (const entry of entries) {
      const key = String(entry['key']);
      const value = this.#whole(entry['value']);
      const { detail } = entry;
      switch (Number(entry['kind'])) {
        case ENTRY_KINDS.recorded:
          recorded.set(key, value);
          if (detail !== null) consumed.add(String(detail));
          break;
        case ENTRY_KINDS.intended:
          intended.set(key, Number(value));
          break;
        case ENTRY_KINDS.timed:
          timed.set(key, { dueAt: Number(value), delayMs: Number(detail) });
          break;
        case ENTRY_KINDS.signalled:
          signals.push({ key, topic: String(detail), value, isConsumed: false });
          break;
        case ENTRY_KINDS.told:
          told.add(key);
          break;
      }
    }
    for (const signal of signals) signal.isConsumed = consumed.has(signal.key);
    return {
      ...unfinishedOf(row),
      input: this.#whole(row['input']),
      cancelReason: textOf(row['cancel_reason']) ?? undefined,
      ended: status === 'running' ? undefined : { status, result: this.#whole(row['result']) },
      recorded,
      intended,
      timed,
      told,
      signals,
    };
  }

  unfinished(below?: string): readonly Unfinished[] {
    const { unfinished, unfinishedBelow } = this.#statements;
    const rows = below === undefined ? unfinished.all() : unfinishedBelow.all(below);
    return rows.map((row) => {
      const { due_at: dueAt, delay_ms: delayMs } = row;
      if (typeof dueAt !== 'string') return unfinishedOf(row);
      return { ...unfinishedOf(row), parked: { dueAt: Number(dueAt), delayMs: Number(delayMs) } };
    });
  }

  *views(): Iterable<WorkflowView> {
    for (const row of this.#statements.views.iterate()) {
      yield {
        id: String(row['id']),
        workflow: String(row['workflow']),
        status: statusOf(row['status']),
        cancelReason: textOf(row['cancel_reason']),
      };
    }
  }

  *history(after: number): Iterable<HistoryEntry> {
    for (const row of this.#statements.history.iterate(after)) {
      const value: unknown = JSON.parse(this.#whole(row['value']));
      const common = {
        seq: Number(row['seq']),
        at: Number(row['at']),
        workflowId: String(row['id']),
        key: String(row['key']),
        value,
      };
      yield row['kind'] === ENTRY_KINDS.told
        ? { ...common, kind: 'told' }
        : { ...common, kind: 'recorded', tool: textOf(row['tool']) };
    }
  }

  close(): void {
    this.#database.close();
  }

  /** With what is large, and kept elsewhere. */
  #whole(text: SQLOutputValue | undefined): string {
    return putInLarge(String(text), (digest) => {
      const row = this.#statements.large.get(digest);
      if (row) return String(row['text']);
      throw new JournalReadError(
        `The journal has lost a large value, ${digest}; somebody changed it by hand`,
      );
    });
  }
}

type Row = Record<string, SQLOutputValue>;

function unfinishedOf(row: Row): Unfinished {
  return {
    id: String(row['id']),
    workflow: String(row['workflow']),
    version: String(row['version']),
    parentId: textOf(row['parent_id']),
  };
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function statusOf(value: SQLOutputValue | undefined): WorkflowView['status'] {
  return ENDS.find((end) => end === value) ?? 'running';
}

const ENDS = ['cancelled', 'completed', 'failed'] as const;

function prepareStatements(database: DatabaseSync) {
  return {
    workflow: database.prepare('SELECT * FROM workflows WHERE id = ?'),
    entries: database.prepare(
      'SELECT kind, key, value, detail FROM entries WHERE workflow = ? ORDER BY seq',
    ),
    large: database.prepare('SELECT text FROM large_values WHERE digest = ?'),
    unfinished: database.prepare(
      `SELECT w.id, w.workflow, w.version, w.parent_id, e.value AS due_at, e.detail AS delay_ms FROM workflows w
       LEFT JOIN entries e ON e.is_parked = 1 AND w.cancel_reason IS NULL
         AND e.seq = (SELECT max(seq) FROM entries WHERE workflow = w.number)
         AND NOT EXISTS ( -- what came while the wait began was kept before that
           SELECT 1 FROM entries s WHERE s.workflow = w.number AND s.kind = ${ENTRY_KINDS.signalled} AND NOT EXISTS (
             SELECT 1 FROM entries r
             WHERE r.workflow = w.number AND r.kind = ${ENTRY_KINDS.recorded} AND r.detail = s.key
           )
         )
       WHERE status = 'running' ORDER BY number`,
    ),
    unfinishedBelow: database.prepare(
      `WITH RECURSIVE below (id) AS (
         SELECT id FROM workflows WHERE parent_id = ?1
         UNION ALL
         SELECT w.id FROM workflows w JOIN below b ON w.parent_id = b.id
       )
       SELECT id, workflow, version, parent_id FROM workflows
       WHERE status = 'running' AND id IN (SELECT id FROM below) ORDER BY number`,
    ),
    views: database.prepare(
      'SELECT id, workflow, status, cancel_reason FROM workflows ORDER BY number',
    ),
    history: database.prepare(
      `SELECT e.seq, e.at, e.kind, e.key, e.tool, e.value, w.id
       FROM entries e JOIN workflows w ON w.number = e.workflow
       WHERE e.seq > ? AND e.kind IN (${ENTRY_KINDS.recorded}, ${ENTRY_KINDS.told}) ORDER BY e.seq`,
    ),
  };
}
