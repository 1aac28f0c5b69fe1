import type { DatabaseSync, StatementSync } from 'node:sqlite';

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/**
 * The statement, prepared once for each database: preparing takes longer than most statements do. For SQL that is written
 * in the code, of which there is a limited number.
 */
export function prepared(database: DatabaseSync, sql: string): StatementSync {
  let known = statements.get(database);
  if (!known) statements.set(database, (known = new Map()));
  let statement = known.get(sql);
  if (!statement) known.set(sql, (statement = database.prepare(sql)));
  return statement;
}
