import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  createSqliteDatabase,
  type SqliteDatabase,
  type SqliteDatabasePorts,
} from '@buddy/guardian';
import { type FaultKit, openFaultKit } from '@buddy/guardian/faults';

export interface SqliteWorld {
  file: string;
  folder: string;
  database: SqliteDatabase;
  kit: FaultKit;
  /** The application, in a process of its own. Rejects when it could not do it. */
  ask: (action: 'open' | 'close' | 'insert' | 'count') => Promise<unknown>;
  /** Of the file, by value. */
  fingerprint: () => Promise<{ digest: string; mode: number } | undefined>;
  close: () => Promise<void>;
}

/** A database (half a MB for a thousand rows) with a backup, an application that has it open, and a kit of faults. */
export async function makeSqliteWorld({
  rows = 1_000,
  ports = {},
  canaryMs = 1_000,
}: {
  rows?: number;
  ports?: SqliteDatabasePorts | ((world: Pick<SqliteWorld, 'ask'>) => SqliteDatabasePorts);
  /** Generous: a busy machine is no locked database. */
  canaryMs?: number;
} = {}): Promise<SqliteWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-sqlite-'));
  const file = join(folder, 'orders.db');
  fill(file, rows);
  const app = fork(new URL('../children/sqlite-app.ts', import.meta.url).pathname, [file]);
  await once(app, 'message');
  const ask = (action: string) => request(app, action);
  await ask('open');
  const given = typeof ports === 'function' ? ports({ ask }) : ports;
  const database = createSqliteDatabase(
    { file, backups: join(folder, 'backups'), busyMs: 200, canaryMs, closeWaitMs: 300 },
    {
      ...given,
      writers: {
        stop: async () => void (await ask('close')),
        // It may find that the file is as broken as before.
        resume: async () => void (await ask('open').catch(() => undefined)),
        ...given.writers,
      },
    },
  );
  await database.takeBackup();
  const kit = openFaultKit({ folder: join(folder, 'faults') });
  return {
    file,
    folder,
    database,
    kit,
    ask,
    fingerprint: async () => {
      const found = await stat(file).catch(() => undefined);
      if (!found) return undefined;
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return { digest, mode: found.mode & 0o777 };
    },
    close: async () => {
      await kit.close();
      const gone = once(app, 'exit');
      app.disconnect();
      await gone;
      await rm(folder, { recursive: true });
    },
  };
}

function fill(file: string, rows: number): void {
  using database = new DatabaseSync(file);
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT NOT NULL);
    CREATE INDEX orders_by_note ON orders (note);
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
      INSERT INTO orders (note) SELECT hex(randomblob(100)) || n FROM numbers;
    PRAGMA wal_checkpoint(TRUNCATE);
  `);
}

let asked = 0;

async function request(app: ChildProcess, action: string): Promise<unknown> {
  asked += 1;
  const id = asked;
  const answered = Promise.withResolvers<unknown>();
  const listen = (answer: { id: number; ok: boolean; value?: unknown; message?: string }) => {
    if (answer.id !== id) return;
    app.off('message', listen);
    if (answer.ok) answered.resolve(answer.value);
    else answered.reject(new Error(answer.message));
  };
  app.on('message', listen);
  app.send({ id, action });
  return answered.promise;
}
