import type { Migration } from '../ledger/migrations.ts';

/**
 * At most one request for one piece of work is open. `sealed` is what it is about, and null once it has come to its end.
 * Steps are numbered in the order of their commits, whichever process made them.
 */
const QUEUE: Migration = {
  id: 'approvals-1',
  sql: `
    CREATE TABLE approvals (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL CHECK (state IN
        ('pending', 'approved', 'consumed', 'denied', 'expired', 'cancelled', 'invalidated')),
      action TEXT NOT NULL,
      actor_kind TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      actor_on_behalf_of TEXT,
      requester_keys TEXT NOT NULL,
      tier INTEGER NOT NULL CHECK (tier IN (1, 2, 3)),
      rule TEXT NOT NULL,
      run_id TEXT,
      task_id TEXT,
      idempotency_key TEXT NOT NULL,
      tool_digest TEXT NOT NULL,
      policy_digest TEXT NOT NULL,
      binding_digest TEXT NOT NULL,
      call_digest TEXT NOT NULL,
      demand TEXT NOT NULL,
      excluded TEXT NOT NULL,
      escalated_to TEXT NOT NULL,
      escalates_at INTEGER,
      filed_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      ended_at INTEGER,
      via TEXT,
      sealed BLOB
    ) STRICT;
    CREATE UNIQUE INDEX approvals_open ON approvals (idempotency_key, actor_kind, actor_id, action, ifnull(run_id, ''))
      WHERE state IN ('pending', 'approved');
    CREATE INDEX approvals_by_work ON approvals (idempotency_key, binding_digest);
    CREATE INDEX approvals_by_state ON approvals (state, seq);
    CREATE INDEX approvals_denied ON approvals (call_digest) WHERE state = 'denied';
    CREATE INDEX approvals_due ON approvals (expires_at) WHERE state IN ('pending', 'approved');

    CREATE TABLE approval_votes (
      approval_id TEXT NOT NULL REFERENCES approvals (id),
      person_key TEXT NOT NULL,
      person_id TEXT NOT NULL,
      role TEXT NOT NULL,
      vote TEXT NOT NULL CHECK (vote IN ('approve', 'deny')),
      via TEXT NOT NULL,
      comment TEXT,
      at INTEGER NOT NULL,
      PRIMARY KEY (approval_id, person_key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE approval_steps (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      approval_id TEXT NOT NULL REFERENCES approvals (id),
      event TEXT NOT NULL,
      action TEXT NOT NULL,
      by_kind TEXT NOT NULL,
      by_id TEXT NOT NULL,
      via TEXT,
      at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX approval_steps_by_approval ON approval_steps (approval_id);

    CREATE TABLE approval_grants (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      action TEXT NOT NULL,
      actor_kind TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      tool_digest TEXT NOT NULL,
      terms BLOB NOT NULL,
      calls_left INTEGER NOT NULL CHECK (calls_left >= 0),
      spend_left INTEGER CHECK (spend_left >= 0),
      made_at INTEGER NOT NULL,
      made_by TEXT NOT NULL,
      maker_role TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER
    ) STRICT;
    CREATE INDEX approval_grants_by_action ON approval_grants (action, actor_kind, actor_id);
  `,
};

/**
 * `approval_pending` says how many of each actor wait; kept by triggers, so that whatever changes a request changes it too.
 * `approvals_by_call` finds the newest request for a call, however often the same call was asked for.
 */
const COUNTS: Migration = {
  id: 'approvals-2',
  sql: `
    CREATE TABLE approval_pending (
      actor_kind TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      pending INTEGER NOT NULL CHECK (pending >= 0),
      PRIMARY KEY (actor_kind, actor_id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO approval_pending (actor_kind, actor_id, pending)
      SELECT actor_kind, actor_id, count(*) FROM approvals WHERE state = 'pending' GROUP BY actor_kind, actor_id;
    CREATE TRIGGER approvals_counted_filed AFTER INSERT ON approvals WHEN NEW.state = 'pending' BEGIN
      INSERT INTO approval_pending (actor_kind, actor_id, pending) VALUES (NEW.actor_kind, NEW.actor_id, 1)
        ON CONFLICT DO UPDATE SET pending = pending + 1;
    END;
    CREATE TRIGGER approvals_counted_moved AFTER UPDATE OF state ON approvals
      WHEN OLD.state = 'pending' AND NEW.state <> 'pending' BEGIN
      UPDATE approval_pending SET pending = pending - 1 WHERE actor_kind = OLD.actor_kind AND actor_id = OLD.actor_id;
      DELETE FROM approval_pending WHERE actor_kind = OLD.actor_kind AND actor_id = OLD.actor_id AND pending = 0;
    END;

    DROP INDEX approvals_by_work;
    CREATE INDEX approvals_by_call ON approvals (idempotency_key, binding_digest, run_id);
    CREATE INDEX approvals_by_action ON approvals (action, state);
    CREATE INDEX approvals_escalating ON approvals (escalates_at) WHERE state = 'pending' AND escalates_at IS NOT NULL;
  `,
};

/**
 * `mac` vouches for an open request and its votes, and for a grant and what is left of it. Requests of before have none, and
 * are asked for anew; grants of before cover nothing.
 */
const ATTESTED: Migration = {
  id: 'approvals-3',
  sql: `
    ALTER TABLE approvals ADD COLUMN mac TEXT;
    ALTER TABLE approval_grants ADD COLUMN mac TEXT;
  `,
};

export const APPROVALS_MIGRATIONS: readonly Migration[] = [QUEUE, COUNTS, ATTESTED];
