import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type FileLock, tryLockFile } from '@buddy/core';
import { StoreInUseError, StoreWriteError } from '../errors.ts';
import type { Incident, Run } from '../incident/incident.ts';
import { countOutcomes } from '../incident/symptom.ts';
import { GroupCommit } from './group-commit.ts';
import {
  certificateOf,
  incidentOf,
  type Row,
  rowOfIncident,
  rowOfRun,
  runOf,
  stepOf,
  totalsOf,
  undecidedOf,
  windowOf,
} from './rows.ts';
import { checkVersion, migrate } from './schema.ts';
import type {
  GuardianStore,
  JournaledRun,
  Ledger,
  PlaybookTotals,
  StoreChange,
  StoredState,
} from './store.ts';

/** How long another process that has the file may make us wait, in ms. */
const BUSY_MS = 5_000;

export interface SqliteStoreOptions {
  /** Only looks, also while a guardian works on the file; every write fails. Default false. */
  isReadOnly?: boolean;
}

/**
 * Keeps everything in one SQLite file, in WAL mode with synchronous NORMAL: what was written survives a kill -9 of this
 * process; the last moments may be lost when the machine loses power. One guardian for one file: the lock beside it,
 * `<file>-owner`, keeps out a second, and is free at once when its holder ends, whatever ended it.
 * @param file Path of the file, or `:memory:`.
 * @throws {StoreInUseError} When another guardian works on the file; never when it is only read.
 * @throws {StoreVersionError} When a newer version of this package wrote the file; read-only, when an older one did, too.
 * @example
 * const store = openSqliteStore('state/guardian.db');
 * const guardian = createGuardian({}, { store, resources, playbooks });
 */
export function openSqliteStore(
  file: string,
  { isReadOnly = false }: SqliteStoreOptions = {},
): GuardianStore {
  const database = new DatabaseSync(file, { timeout: BUSY_MS, readOnly: isReadOnly });
  let lock: FileLock | undefined;
  try {
    if (isReadOnly) checkVersion(database);
    else {
      lock = ownerOf(database);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      migrate(database);
    }
    return new SqliteStore(database, lock);
  } catch (error) {
    database.close();
    lock?.release();
    throw error;
  }
}

/** By the path that SQLite itself has found, so that a link to the file is no second file. */
function ownerOf(database: DatabaseSync): FileLock | undefined {
  const path = database.location();
  if (path === null) return undefined; // in memory: nobody else sees it
  const lock = tryLockFile(`${path}-owner`);
  if (!lock) throw new StoreInUseError(path);
  return lock;
}

class SqliteStore implements GuardianStore {
  readonly #database: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #write: ReturnType<typeof prepareWrites>;
  /** Of this transaction, written once at its end. */
  readonly #counts = new Map<string, number>();
  readonly #lock: FileLock | undefined;

  constructor(database: DatabaseSync, lock: FileLock | undefined) {
    this.#database = database;
    this.#lock = lock;
    this.#commit = new GroupCommit(database, {
      beforeCommit: () => this.#writeCounts(),
      afterRollback: () => this.#counts.clear(),
    });
    this.#write = prepareWrites(database);
  }

  write(changes: readonly StoreChange[]): Promise<void> {
    if (!this.#database.isOpen) {
      return Promise.reject(new StoreWriteError('The incident file is closed.'));
    }
    return this.#commit.write(() => {
      const counts: string[] = [];
      for (const change of changes) this.#apply(change, counts);
      // Only now, for what failed is not counted.
      for (const name of counts) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    });
  }

  load({ now, runsSince }: { now: number; runsSince: number }): StoredState {
    const last = this.#one('SELECT max(seq) AS seq FROM symptoms');
    return {
      lastSeq: Number(last?.['seq'] ?? 0),
      openIncidents: this.#all(
        `SELECT * FROM incidents WHERE status <> 'closed' ORDER BY number`,
      ).map(incidentOf),
      undecided: this.#all(
        'SELECT seq, incident_id FROM symptoms WHERE outcome IS NULL ORDER BY seq',
      ).map(undecidedOf),
      openRuns: this.#all(`SELECT * FROM runs WHERE result = 'running' ORDER BY number`).map(
        (row) => this.#journalOf(runOf(row)),
      ),
      healed: this.#all(
        `SELECT * FROM incidents WHERE status = 'closed' AND closed_as IN ('restored', 'restored_with_cause')
         ORDER BY closed_at DESC LIMIT 100`,
      ).map(incidentOf),
      recentRuns: this.#all('SELECT * FROM runs WHERE started_at >= ? ORDER BY number DESC', [
        runsSince,
      ]).map(runOf),
      totals: this.#totals(),
      certificates: this.#all('SELECT * FROM certificates ORDER BY number').map(certificateOf),
      maintenance: this.#all('SELECT * FROM maintenance WHERE ends > ?', [now]).map(windowOf),
    };
  }

  ledger(): Ledger {
    this.#commit.flush();
    const counts = new Map(
      this.#all('SELECT name, value FROM ledger').map((row) => [
        String(row['name']),
        Number(row['value']),
      ]),
    );
    const pending = this.#one('SELECT count(*) AS n FROM symptoms WHERE outcome IS NULL');
    return {
      symptoms: counts.get(SYMPTOMS) ?? 0,
      outcomes: countOutcomes((outcome) => counts.get(outcome) ?? 0),
      pending: Number(pending?.['n'] ?? 0),
    };
  }

  runs(limit: number): readonly Run[] {
    return this.#all('SELECT * FROM runs ORDER BY number DESC LIMIT ?', [limit]).map(runOf);
  }

  journal(runId: string): JournaledRun | undefined {
    const row = this.#one('SELECT * FROM runs WHERE id = ?', [runId]);
    return row && this.#journalOf(runOf(row));
  }

  incidents(limit: number): readonly Incident[] {
    return this.#all('SELECT * FROM incidents ORDER BY number DESC LIMIT ?', [limit]).map(
      incidentOf,
    );
  }

  incident(id: string): Incident | undefined {
    const row = this.#one('SELECT * FROM incidents WHERE id = ?', [id]);
    return row && incidentOf(row);
  }

  async prune(before: number): Promise<void> {
    const { pruneSymptoms, pruneIncidents } = this.#write;
    await this.#commit.write(() => {
      pruneSymptoms.run(before);
      pruneIncidents.run(before);
    });
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#commit.flush();
    this.#database.close();
    this.#lock?.release();
  }

  #writeCounts(): void {
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [name, value] of counts) this.#write.count.run(name, value);
  }

  #apply(change: StoreChange, counts: string[]): void {
    switch (change.kind) {
      case 'symptom': {
        const { seq, at, resource, signal, incidentId, outcome, reason } = change;
        this.#write.symptom.run(seq, at, resource, signal, incidentId, outcome, reason);
        counts.push(SYMPTOMS);
        if (outcome !== null) counts.push(outcome);
        break;
      }
      case 'outcome': {
        const { outcome, reason, seq } = change;
        if (this.#write.outcome.run(outcome, reason, seq).changes !== 1) {
          throw new StoreWriteError(`Symptom ${seq} is not there or has its outcome.`);
        }
        counts.push(outcome);
        break;
      }
      case 'incident':
        this.#write.incident.run(rowOfIncident(change.incident));
        break;
      case 'run':
        this.#write.run.run(rowOfRun(change.run));
        break;
      case 'step': {
        const { runId, index, step, state, before, at } = change.step;
        this.#write.step.run(runId, index, step, state, before, at);
        break;
      }
      case 'certificate': {
        const { playbook, codeHash, resource, fault, at } = change.certificate;
        this.#write.certificate.run(playbook, codeHash, resource, fault, at);
        break;
      }
      case 'maintenance': {
        const { id, resources, reason, from, until } = change.window;
        this.#write.maintenance.run(id, JSON.stringify(resources), reason, from, until);
        break;
      }
    }
  }

  #journalOf(run: Run): JournaledRun {
    const rows = this.#all('SELECT * FROM steps WHERE run_id = ? ORDER BY place', [run.id]);
    return { run, steps: rows.map(stepOf) };
  }

  #totals(): PlaybookTotals[] {
    return this.#all(
      `SELECT playbook, resource, count(*) AS runs, sum(result = 'restored') AS successes,
         sum(ended_at - started_at) AS total_ms, max(started_at) AS last_run_at
       FROM runs WHERE ended_at IS NOT NULL AND result NOT IN ('refused', 'aborted')
       GROUP BY playbook, resource`,
    ).map(totalsOf);
  }

  #all(sql: string, values: SQLInputValue[] = []): Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  #one(sql: string, values: SQLInputValue[] = []): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }
}

const SYMPTOMS = 'symptoms';

function prepareWrites(database: DatabaseSync) {
  return {
    symptom: database.prepare(
      'INSERT INTO symptoms (seq, at, resource, signal, incident_id, outcome, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    outcome: database.prepare(
      'UPDATE symptoms SET outcome = ?, reason = ? WHERE seq = ? AND outcome IS NULL',
    ),
    count: database.prepare(
      `INSERT INTO ledger (name, value) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET value = value + excluded.value`,
    ),
    incident: database.prepare(
      `INSERT INTO incidents (id, fingerprint, resource, signal, status, symptom, opened_by, first_bad, detected,
         restored, closed_at, closed_as, cause_id, retries, reason, rehearses)
       VALUES (:id, :fingerprint, :resource, :signal, :status, :symptom, :opened_by, :first_bad, :detected,
         :restored, :closed_at, :closed_as, :cause_id, :retries, :reason, :rehearses)
       ON CONFLICT (id) DO UPDATE SET status = excluded.status, restored = excluded.restored,
         closed_at = excluded.closed_at, closed_as = excluded.closed_as, cause_id = excluded.cause_id,
         retries = excluded.retries, reason = excluded.reason`,
    ),
    run: database.prepare(
      `INSERT INTO runs (id, incident_id, playbook, resource, roles, started_at, ended_at, result, reason,
         interrupts, is_rehearsal)
       VALUES (:id, :incident_id, :playbook, :resource, :roles, :started_at, :ended_at, :result, :reason,
         :interrupts, :is_rehearsal)
       ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, result = excluded.result,
         reason = excluded.reason`,
    ),
    step: database.prepare(
      `INSERT INTO steps (run_id, place, step, state, before, at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at`,
    ),
    certificate: database.prepare(
      'INSERT INTO certificates (playbook, code_hash, resource, fault, at) VALUES (?, ?, ?, ?, ?)',
    ),
    maintenance: database.prepare(
      `INSERT INTO maintenance (id, resources, reason, begins, ends) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ends = excluded.ends`,
    ),
    // The last one stays: the next is numbered after it.
    pruneSymptoms: database.prepare(
      `DELETE FROM symptoms WHERE outcome IS NOT NULL AND at < ?
         AND seq < (SELECT max(seq) FROM symptoms)`,
    ),
    pruneIncidents: database.prepare(
      `DELETE FROM incidents WHERE status = 'closed' AND closed_at < ?`,
    ),
  };
}
