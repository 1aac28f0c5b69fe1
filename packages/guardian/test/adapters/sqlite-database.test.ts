import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteDatabase, readSqliteError } from '@buddy/guardian';
import { sqlitePage } from '@buddy/guardian/faults';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { makeSqliteWorld, type SqliteWorld } from '../worlds/sqlite-world.ts';

const { signal } = new AbortController();
const worlds: SqliteWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
async function makeWorld(...args: Parameters<typeof makeSqliteWorld>): Promise<SqliteWorld> {
  const world = await makeSqliteWorld(...args);
  worlds.push(world);
  return world;
}

function countIn(file: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  return database.prepare('SELECT count(*) AS count FROM orders').get()?.['count'];
}

describe('backups of a SQLite database', () => {
  it('are whole though the application writes meanwhile', async () => {
    const { database, ask, folder } = await makeWorld();
    const writing = (async () => {
      for (let write = 0; write < 50; write += 1) await ask('insert');
    })();
    const { id } = await database.takeBackup();
    await writing;
    expect(await database.checkBackup(id, signal)).toEqual({ status: 'HEALTHY' });
    const count = Number(countIn(join(folder, 'backups', `${id}.sqlite`)));
    expect(count).toBeGreaterThanOrEqual(1_000);
    expect(count).toBeLessThanOrEqual(1_050);
  });

  it('have in them what is only in the journal yet', async () => {
    const { database, ask, folder } = await makeWorld();
    await ask('insert');
    const { id } = await database.takeBackup();
    expect(countIn(join(folder, 'backups', `${id}.sqlite`))).toBe(1_001);
  });

  it('are forgotten when there are newer ones, and told the newest first', async () => {
    const { file, folder } = await makeWorld({ rows: 10 });
    const database = createSqliteDatabase({ file, backups: join(folder, 'few'), keepBackups: 2 });
    const taken: string[] = [];
    for (let times = 0; times < 3; times += 1) {
      const { id, takenAt } = await database.takeBackup();
      taken.push(id);
      await expect.poll(() => Date.now()).toBeGreaterThan(takenAt);
    }
    const kept = (await database.backups(signal)).map(({ id }) => id);
    expect(kept).toEqual([taken[2], taken[1]]);
  });

  it('are not kept of a database that is damaged', async () => {
    const { database, kit, file, ask } = await makeWorld();
    const before = await database.backups(signal);
    await ask('close');
    await kit.inject(sqlitePage, { file });
    await expect(database.takeBackup()).rejects.toThrow(/malformed|not whole/);
    expect(await database.backups(signal)).toEqual(before);
  });

  it('are known for damaged when a byte of them is another', async () => {
    const { database, folder } = await makeWorld({ rows: 10 });
    const [backup] = await database.backups(signal);
    const path = join(folder, 'backups', `${backup?.id}.sqlite`);
    const bytes = await readFile(path);
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await database.checkBackup(backup?.id ?? '', signal)).toMatchObject({
      signal: 'backup.damaged',
    });
    await expect(database.restore(backup?.id ?? '', signal)).rejects.toThrow('is damaged');
  });
});

describe('effects on a SQLite database', () => {
  it('leave a restored file with the mode that it had, and without the journals of another', async () => {
    const { database, file, ask } = await makeWorld({ rows: 10 });
    await ask('close');
    await chmod(file, 0o640);
    const { id } = await database.takeBackup();
    await writeFile(`${file}-wal`, 'of another file');
    await database.restore(id, signal);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(existsSync(`${file}.restoring`)).toBe(false);
  });

  it('take what is set aside back as it was, however far they came and however often they are done', async () => {
    const { database, file, ask } = await makeWorld({ rows: 10 });
    await ask('close');
    const { id } = await database.takeBackup();
    let round = 0;
    const times = fc.integer({ min: 1, max: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          steps: fc.integer({ min: 0, max: 2 }),
          twice: fc.array(times, { minLength: 4, maxLength: 4 }),
        }),
        async ({ steps, twice }) => {
          round += 1;
          const before = await readFile(file);
          const names = { damaged: `damaged-${round}`, restored: `restored-${round}` };
          const done = [
            () => database.quarantine(names.damaged, signal),
            () => database.restore(id, signal),
          ].slice(0, steps);
          const undone = [
            () => database.putBack(names.damaged, signal),
            () => database.quarantine(names.restored, signal),
          ].slice(0, steps);
          const all = [...done, ...undone.toReversed()];
          for (const [index, act] of all.entries()) {
            for (let time = 0; time < (twice[index] ?? 1); time += 1) await act();
          }
          expect((await readFile(file)).equals(before)).toBe(true);
          await chmod(file, 0o600);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('never lose what stands where something is put back', async () => {
    const { database, file, ask } = await makeWorld({ rows: 10 });
    await ask('close');
    await database.quarantine('first', signal);
    await writeFile(file, 'somebody else has put this here');
    await database.quarantine('first', signal); // of a second call, what is there is not its own
    expect(await readFile(file, 'utf8')).toBe('somebody else has put this here');
  });
});

describe('looks at a SQLite database', () => {
  it('change nothing of it', async () => {
    const { database, fingerprint, ask } = await makeWorld();
    await ask('close');
    const before = await fingerprint();
    await database.check('full', signal);
    await database.lockHolders(signal);
    await database.backups(signal);
    expect(await fingerprint()).toEqual(before);
  });

  it('make no file where there is none, also when it goes while they look', async () => {
    const { database, file, ask } = await makeWorld({ rows: 10 });
    await ask('close');
    await database.quarantine('away', signal);
    expect(await database.probe(signal)).toMatchObject({ signal: 'database.missing' });
    expect(await database.writeCanary(signal)).toMatchObject({ signal: 'database.cannot_open' });
    expect(existsSync(file)).toBe(false);
  });

  it('say nothing of a file that is on its way, also when it was there when they began', async () => {
    const { database, ask } = await makeWorld();
    const moving = { status: 'UNKNOWN', reason: 'disabled' };
    const begunBefore = database.probe(signal);
    await database.stopWriters(signal);
    expect(await begunBefore).toMatchObject(moving);
    await database.quarantine('away', signal);
    expect(await database.probe(signal)).toMatchObject(moving);
    await database.putBack('away', signal);
    await database.resumeWriters(signal);
    expect(await database.probe(signal)).toMatchObject({ status: 'HEALTHY' });
    expect(await ask('count')).toBe(1_000);
  });

  it('tell of what the application met, when that is the database and not a statement', async () => {
    const { database, file } = await makeWorld({ rows: 10 });
    const told: string[] = [];
    const unwatch = database.watch?.((sign) => told.push(sign.signal));
    using own = new DatabaseSync(file);
    try {
      own.exec('INSERT INTO orders (id, note) VALUES (1, NULL)');
    } catch (error) {
      database.noteError(error);
    }
    database.noteError(Object.assign(new Error('malformed'), { errcode: 11 }));
    unwatch?.();
    database.noteError(Object.assign(new Error('malformed'), { errcode: 11 }));
    expect(told).toEqual(['database.corrupted']);
  });

  it.each([
    [11, 'database.corrupted'],
    [26, 'database.corrupted'],
    [267, 'database.corrupted'], // SQLITE_CORRUPT_VTAB: the extended codes are of their plain ones
    [5, 'database.locked'],
    [517, 'database.locked'], // SQLITE_BUSY_SNAPSHOT
    [13, 'disk.full'],
    [10, 'database.unreadable'],
    [14, 'database.cannot_open'],
  ])('read the result code %i as %s', (errcode, told) => {
    const error = Object.assign(new Error('of SQLite'), { errcode });
    expect(readSqliteError(error)).toMatchObject({ status: 'FAILED', signal: told });
  });

  it.each([[1], [19], [undefined]])('do not blame the database for the code %s', (errcode) => {
    const error = Object.assign(new Error('of something else'), { errcode });
    expect(readSqliteError(error)).toMatchObject({ status: 'UNKNOWN', reason: 'probe_error' });
  });

  it('refuse options that are not known', () => {
    const options = { file: 'a.db', backups: 'b', backup: 'b' };
    expect(() => createSqliteDatabase(options)).toThrow('backup');
  });
});
