import type { Actor } from '@buddy/core';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import type { Policy } from '../policy/decision.ts';

export const RUN_POLICIES_MIGRATIONS: readonly Migration[] = [
  {
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
  },
  {
    // Who had begun a run was not kept: its next action meets the policy in force.
    id: 'run-policies-2',
    sql: `
  DROP TABLE run_policies;
  CREATE TABLE run_policies (
    run_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES policies (digest),
    PRIMARY KEY (run_id, actor)
  ) STRICT, WITHOUT ROWID;
`,
  },
];

const MAX_KNOWN_RUNS = 10_000;

export interface RunPoliciesParts {
  ledger: Ledger;
  /** The policy in force. */
  current: () => Policy;
  /** Compiles what was in force once. */
  compile: (kept: KeptPolicy) => Policy;
}

/** A policy as the ledger keeps it: beside the log, whose entries are signed, and this is not. */
export interface KeptPolicy {
  digest: string;
  text: string;
}

/**
 * In a run, everybody keeps the policy by which his own first action in it was let through, or laid before people, whatever is loaded after; also when the run
 * outlives the process. His own: else the name of an old run would be a way back to the policy of then, for anybody.
 */
export class RunPolicies {
  readonly #parts: RunPoliciesParts;
  readonly #known = new Map<string, Policy>();

  constructor(parts: RunPoliciesParts) {
    this.#parts = parts;
  }

  of(runId: string | undefined, actor: Actor): Policy {
    const { current } = this.#parts;
    if (runId === undefined) return current();
    return this.#known.get(keyOf(runId, actor)) ?? this.#recall(runId, actor) ?? current();
  }

  /** In the transaction of the actor's first action in the run that is not refused, and of no effect later. */
  pin({ database }: LedgerTransaction, runId: string, actor: Actor, digest: string): void {
    if (this.#known.has(keyOf(runId, actor))) return;
    database
      .prepare('INSERT OR IGNORE INTO run_policies (run_id, actor, digest) VALUES (?, ?, ?)')
      .run(runId, keyOfActor(actor), digest);
    const current = this.#parts.current();
    if (current.digest === digest) this.#keep(runId, actor, current); // else the ledger is asked once more
  }

  /** Keeps the text of a policy, so that runs under it can go on after it was replaced. */
  store({ database }: LedgerTransaction, { digest, text }: KeptPolicy): void {
    database
      .prepare('INSERT OR IGNORE INTO policies (digest, source) VALUES (?, ?)')
      .run(digest, text);
  }

  /** The text of a policy that was in force once. */
  textOf(digest: string): string | undefined {
    const row = this.#parts.ledger.read((database) =>
      database.prepare('SELECT source FROM policies WHERE digest = ?').get(digest),
    );
    return typeof row?.['source'] === 'string' ? row['source'] : undefined;
  }

  /** What the log says was put in force last, by whichever process. */
  lastInForce(): KeptPolicy | undefined {
    const digest = this.#parts.ledger.read(
      (database) =>
        database
          .prepare(
            `SELECT json_extract(record, '$.policy_digest') AS digest FROM audit_entries
             WHERE kind = 'policy' AND json_extract(record, '$.event') <> 'rejected' ORDER BY seq DESC LIMIT 1`,
          )
          .get()?.['digest'],
    );
    const text = typeof digest === 'string' ? this.textOf(digest) : undefined;
    return typeof digest === 'string' && text !== undefined ? { digest, text } : undefined;
  }

  #recall(runId: string, actor: Actor): Policy | undefined {
    const row = this.#parts.ledger.read((database) =>
      database
        .prepare(
          `SELECT digest, source FROM run_policies JOIN policies USING (digest)
           WHERE run_id = ? AND actor = ?`,
        )
        .get(runId, keyOfActor(actor)),
    );
    if (!row || typeof row['source'] !== 'string' || typeof row['digest'] !== 'string')
      return undefined;
    const current = this.#parts.current();
    const { digest, source: text } = row;
    const isCurrent = digest === current.digest;
    return this.#keep(runId, actor, isCurrent ? current : this.#parts.compile({ digest, text }));
  }

  #keep(runId: string, actor: Actor, policy: Policy): Policy {
    // The oldest may go: it is in the ledger.
    if (this.#known.size >= MAX_KNOWN_RUNS) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(keyOf(runId, actor), policy);
    return policy;
  }
}

function keyOf(runId: string, actor: Actor): string {
  return `${keyOfActor(actor)} ${runId}`;
}

function keyOfActor({ kind, id, onBehalfOf }: Actor): string {
  return JSON.stringify([kind, id, onBehalfOf]); // nobody is null
}
