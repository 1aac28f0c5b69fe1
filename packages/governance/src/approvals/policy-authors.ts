import type { DatabaseSync } from 'node:sqlite';
import { prepared } from '../ledger/prepared.ts';
import type { People } from './electorate.ts';

/** What the host knows of people, and who the log says brought a policy into force: neither may approve under it. */
export function withPolicyAuthors(people: People, database: DatabaseSync): People {
  return {
    ...(people.roleOf && { roleOf: (personId) => people.roleOf?.(personId) }),
    ownersOf: (actor) => people.ownersOf?.(actor) ?? [],
    policyAuthorsOf: (digest) => [
      ...(people.policyAuthorsOf?.(digest) ?? []),
      ...loadersOf(database, digest),
    ],
  };
}

/** The people who loaded a policy or rolled back to it, ever; a program that read it from a file is nobody. */
function loadersOf(database: DatabaseSync, policyDigest: string): string[] {
  return prepared(
    database,
    `SELECT DISTINCT json_extract(record, '$.by.id') AS id FROM audit_entries
     WHERE kind = 'policy' AND json_extract(record, '$.policy_digest') = ?
       AND json_extract(record, '$.event') <> 'rejected' AND json_extract(record, '$.by.kind') = 'human'`,
  )
    .all(policyDigest)
    .map(({ id }) => String(id));
}
