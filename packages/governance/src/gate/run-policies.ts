import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import type { Policy } from '../policy/decision.ts';

export const RUN_POLICIES_MIGRATION: Migration = {
  id: 'run-policies-1',
  sql: `
  CREATE TABLE policies (
    digest TEXT PRIMARY KEY,
    source TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run_policies (
    run_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES policies (digest)
  ) STRICT, WITHOUT ROWID;
`,
};

const MAX_KNOWN_RUNS = 10_000;

export interface RunPoliciesParts {
  ledger: Ledger;
  /** The policy in force. */
  current: () => Policy;
  /** Compiles what was in force once. */
  compile: (source: string) => Policy;
}

/** A run keeps the policy that its first action met, whatever is loaded after; also when the run outlives the process. */
export class RunPolicies {
  readonly #parts: RunPoliciesParts;
  readonly #ofRun = new Map<string, Policy>();

  constructor(parts: RunPoliciesParts) {
    this.#parts = parts;
  }

  of(runId: string | undefined): Policy {
    const { current } = this.#parts;
    if (runId === undefined) return current();
    return this.#ofRun.get(runId) ?? this.#recall(runId) ?? current();
  }

  /** In the transaction of the run's first intent, and of no effect later. */
  pin({ database }: LedgerTransaction, runId: string, digest: string): void {
    if (this.#ofRun.has(runId)) return;
    database
      .prepare('INSERT OR IGNORE INTO run_policies (run_id, digest) VALUES (?, ?)')
      .run(runId, digest);
    const current = this.#parts.current();
    if (current.digest === digest) this.#keep(runId, current); // else the ledger is asked once more
  }

  /** Keeps the text of a policy, so that runs under it can go on after it was replaced. */
  store({ database }: LedgerTransaction, digest: string, source: string): void {
    database
      .prepare('INSERT OR IGNORE INTO policies (digest, source) VALUES (?, ?)')
      .run(digest, source);
  }

  #recall(runId: string): Policy | undefined {
    const row = this.#parts.ledger.read((database) =>
      database
        .prepare(
          'SELECT digest, source FROM run_policies JOIN policies USING (digest) WHERE run_id = ?',
        )
        .get(runId),
    );
    if (!row || typeof row['source'] !== 'string') return undefined;
    const current = this.#parts.current();
    return this.#keep(
      runId,
      row['digest'] === current.digest ? current : this.#parts.compile(row['source']),
    );
  }

  #keep(runId: string, policy: Policy): Policy {
    // The oldest may go: it is in the ledger.
    if (this.#ofRun.size >= MAX_KNOWN_RUNS) {
      for (const oldest of this.#ofRun.keys()) {
        this.#ofRun.delete(oldest);
        break;
      }
    }
    this.#ofRun.set(runId, policy);
    return policy;
  }
}
