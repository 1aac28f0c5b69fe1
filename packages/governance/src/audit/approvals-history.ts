import type { DatabaseSync } from 'node:sqlite';
import { APPROVAL_STATES, type ApprovalState, mayMove } from '../approvals/state.ts';
import { hasTable } from '../ledger/migrations.ts';
import { idOf, type SummedFields } from './summary.ts';

interface Known {
  state: ApprovalState;
  action: unknown;
  /** Whose request it is. */
  requester: unknown;
  via: unknown;
  voters: Set<unknown> | undefined;
  /** Whether an intent in the log was written for it. */
  isSpent: boolean;
}

/** The requests for approval as the log tells of them: what their table has to say too, and what cannot have happened. */
export class ApprovalsHistory {
  readonly #known = new Map<string, Known>();

  /** @returns What the entry tells that cannot have happened; undefined when it can. */
  add({ kind, ...fields }: SummedFields): string | undefined {
    const id = fields.approval_id;
    if (typeof id !== 'string') return undefined;
    if (kind === 'intent') return this.#spend(id, fields);
    return kind === 'approval' ? this.#step(id, fields) : undefined;
  }

  /** What the tables of requests and votes say otherwise than the log; the first of each kind. */
  differencesFrom(database: DatabaseSync): string[] {
    if (!hasTable(database, 'approvals')) return [];
    return [
      this.#requestDiffering(database),
      this.#voteDiffering(database),
      countDiffering(database),
    ].filter((difference) => difference !== undefined);
  }

  #step(id: string, { event, action, by, via = null }: SummedFields): string | undefined {
    const known = this.#known.get(id);
    if (event === 'filed') {
      if (known) return `files approval ${id}, which was filed before`;
      const fresh = { action, requester: idOf(by), via: null, voters: undefined, isSpent: false };
      this.#known.set(id, { state: 'pending', ...fresh });
      return undefined;
    }
    if (!known || known.action !== action) return `is about approval ${id}, which was never filed`;
    if (event === 'voted') (known.voters ??= new Set()).add(idOf(by));
    if (event === 'voted' || event === 'escalated') return undefined;
    const to = APPROVAL_STATES.find((state) => state === event);
    if (!to || !mayMove(known.state, to)) {
      return `makes approval ${id} ${String(event)}, and it was ${known.state}`;
    }
    known.state = to;
    known.via = via ?? known.via;
    return undefined;
  }

  #spend(id: string, { action }: SummedFields): string | undefined {
    const known = this.#known.get(id);
    if (known?.state !== 'consumed' || known.action !== action) {
      return `was done by approval ${id}, which was not given for it`;
    }
    if (known.isSpent) return `was done by approval ${id}, which was used before`;
    known.isSpent = true;
    return undefined;
  }

  #requestDiffering(database: DatabaseSync): string | undefined {
    let rows = 0;
    for (const row of database
      .prepare('SELECT id, state, action, actor_id, via FROM approvals')
      .iterate()) {
      const { id, state, action, actor_id: requester, via } = row;
      const known = this.#known.get(String(id));
      rows += 1;
      if (known && known.state === state && known.via === via) {
        if (known.action === action && known.requester === requester) continue;
        return `approval ${String(id)} is about ${String(action)} for ${String(requester)} in the table, and not by the log`;
      }
      return `approval ${String(id)} is ${String(state)} in the table, and ${known?.state ?? 'unknown'} by the log`;
    }
    const isWhole = rows === this.#known.size;
    return isWhole ? undefined : `the table has ${rows} approvals, and the log ${this.#known.size}`;
  }

  /** Who is said to have voted has: the log has his vote. */
  #voteDiffering(database: DatabaseSync): string | undefined {
    const votes = database.prepare('SELECT approval_id, person_id FROM approval_votes').iterate();
    for (const { approval_id: id, person_id: person } of votes) {
      if (this.#known.get(String(id))?.voters?.has(person) === true) continue;
      return `${String(person)} has voted on approval ${String(id)} in the table, and not by the log`;
    }
    return undefined;
  }
}

/** How many of each actor wait is kept beside the requests. */
function countDiffering(database: DatabaseSync): string | undefined {
  if (!hasTable(database, 'approval_pending')) return undefined; // an older version wrote it
  const counted = 'SELECT actor_kind, actor_id, pending FROM approval_pending';
  const pending = `SELECT actor_kind, actor_id, count(*) FROM approvals WHERE state = 'pending' GROUP BY actor_kind, actor_id`;
  const select = `SELECT actor_id FROM (SELECT * FROM (${counted} EXCEPT ${pending})
    UNION ALL SELECT * FROM (${pending} EXCEPT ${counted})) LIMIT 1`;
  const row = database.prepare(select).get();
  return row && `how many approvals of ${String(row['actor_id'])} wait is counted wrongly`;
}
