import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { defineFault } from '../define-fault.ts';
import { FaultUnavailableError } from '../errors.ts';
import { AVAILABLE } from '../host.ts';

const Tampered = z.strictObject({
  file: z.string(),
  seq: z.int(),
  record: z.string(),
});
type Tampered = z.output<typeof Tampered>;

/**
 * An entry of an audit log of `@buddy/governance` is changed, or is not there any more, as somebody would do it who can
 * write the file: past the triggers that guard against accidents.
 * @example
 * await using fault = await kit.inject(auditTamper, { file: 'governance.db', seq: 0, how: 'change' });
 */
export const auditTamper = defineFault({
  kind: 'auditTamper',
  description: 'An entry of an audit log is changed or deleted.',
  options: z.strictObject({
    file: z.string().min(1),
    /** Which entry, from 0. */
    seq: z.int().nonnegative().default(0),
    how: z.enum(['change', 'delete']).default('change'),
  }),
  note: Tampered,
  caps: { seconds: 120, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ file: given, seq, how }) => {
    const file = resolve(given);
    const record = readEntry(file, seq);
    if (record === undefined) {
      throw new FaultUnavailableError('auditTamper', `the log in ${file} has no entry ${seq}`);
    }
    const note: Tampered = { file, seq, record };
    return {
      note,
      isPresent: async () => readEntry(file, seq) !== record,
      apply: async () => writeEntry(file, seq, how === 'delete' ? undefined : altered(record)),
      revert: async () => writeEntry(file, seq, record),
    };
  },
  recover: async ({ file, seq, record }) => writeEntry(file, seq, record),
  remains: async ({ file, seq, record }) => readEntry(file, seq) !== record,
});

function readEntry(file: string, seq: number): string | undefined {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const row = database.prepare('SELECT record FROM audit_entries WHERE seq = ?').get(seq);
  return row === undefined ? undefined : String(row['record']);
}

/** It stays JSON, and says something else: the actor has another name. */
function altered(record: string): string {
  return record.replace(/"id":"[^"]*"/, '"id":"somebody-else"');
}

function writeEntry(file: string, seq: number, record: string | undefined): void {
  using database = new DatabaseSync(file, { timeout: 5_000 });
  const triggers = database
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_entries'",
    )
    .all();
  database.exec('BEGIN IMMEDIATE');
  for (const { name } of triggers) database.exec(`DROP TRIGGER "${String(name)}"`);
  database.prepare('DELETE FROM audit_entries WHERE seq = ?').run(seq);
  if (record !== undefined) {
    database.prepare('INSERT INTO audit_entries (seq, record) VALUES (?, ?)').run(seq, record);
  }
  for (const { sql } of triggers) database.exec(String(sql));
  database.exec('COMMIT');
}
