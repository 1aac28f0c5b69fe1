import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Calls, EnginePlace, WaveEngine } from './wave-plan.ts';

/** What one writes without an engine: that a task has begun, and what came of it; WAL, FULL, a commit for each. */
export async function openCommitPerRecord(
  { folder }: EnginePlace,
  calls: Calls,
): Promise<WaveEngine> {
  const database = new DatabaseSync(join(folder, 'plain.db'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE records (id TEXT, kind TEXT, at INTEGER, value TEXT, PRIMARY KEY (id, kind)) STRICT;
  `);
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?)');
  const record = (id: string, kind: string, value: unknown) =>
    insert.run(id, kind, Date.now(), JSON.stringify(value));
  return {
    run: async (id, { waves, width }) => {
      for (let nth = 0; nth < waves * width; nth += 1) {
        record(`${id}/${nth}`, 'begun', { nth });
        record(`${id}/${nth}`, 'ended', { kind: 'succeeded', value: await calls.call() });
      }
    },
    close: async () => database.close(),
  };
}
