import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  auditTamper,
  type Fault,
  openFaultKit,
  pgBlackhole,
  pgKill,
  recoverFaults,
  sqliteLock,
  sqlitePage,
} from '@buddy/guardian/faults';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAuditWorld } from '../worlds/audit-world.ts';
import { type PostgresServerWorld, startPostgres } from '../worlds/postgres-world.ts';
import { makeSqliteWorld, type SqliteWorld } from '../worlds/sqlite-world.ts';

const program = new URL('../children/data-fault-injector.ts', import.meta.url).pathname;

/** Has another process inject a fault, and kills that process. */
async function injectAndDie(
  { kind }: Pick<Fault<never>, 'kind'>,
  folder: string,
  options: object,
): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--conditions=@buddy/source', program, folder, kind, JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], BUDDY_FAULTS: '1' },
    },
  );
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await exited;
}

describe('faults of a SQLite file', () => {
  let world: SqliteWorld;
  beforeEach(async () => {
    world = await makeSqliteWorld();
    await world.ask('close');
  });
  afterEach(() => world.close());
  const check = () => {
    try {
      using database = new DatabaseSync(world.file, { readOnly: true });
      return database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    } catch (error) {
      return String(error);
    }
  };
  const write = () => {
    using database = new DatabaseSync(world.file, { timeout: 0 });
    database.exec("INSERT INTO orders (note) VALUES ('one more')");
  };

  it.each(['pages', 'truncate', 'header'] as const)(
    'sqlitePage damages it, and leaves it byte for byte as it was: %s',
    async (how) => {
      const before = await readFile(world.file);
      {
        await using fault = await world.kit.inject(sqlitePage, { file: world.file, how });
        expect(await fault.isPresent()).toBe(true);
        expect(check()).not.toBe('ok');
      }
      expect((await readFile(world.file)).equals(before)).toBe(true);
    },
  );

  it('sqlitePage leaves alone what somebody put in its place', async () => {
    const fault = await world.kit.inject(sqlitePage, { file: world.file });
    await rm(world.file);
    using healed = new DatabaseSync(world.file);
    healed.exec('CREATE TABLE other (id INTEGER)');
    const before = await readFile(world.file);
    expect(await fault.isPresent()).toBe(false);
    await fault.revert();
    expect((await readFile(world.file)).equals(before)).toBe(true);
  });

  it('sqlitePage is taken back for a process that was killed', async () => {
    const before = await readFile(world.file);
    const folder = join(world.folder, 'journal');
    await injectAndDie(sqlitePage, folder, { file: world.file, how: 'header' });
    expect(check()).toContain('not a database');
    expect(await recoverFaults({ folder })).toMatchObject([{ is: 'reverted' }]);
    expect((await readFile(world.file)).equals(before)).toBe(true);
  });

  it('sqliteLock lets nobody write while it is there', async () => {
    {
      await using fault = await world.kit.inject(sqliteLock, { file: world.file });
      expect(write).toThrow('database is locked');
      expect(await fault.handle.holder()).toMatchObject({ pid: expect.any(Number) });
    }
    write();
  });

  it('sqliteLock is gone with the process that was killed, or is taken back for it', async () => {
    const folder = join(world.folder, 'journal');
    await injectAndDie(sqliteLock, folder, { file: world.file });
    expect(await recoverFaults({ folder })).toMatchObject([{ is: 'reverted' }]);
    await expect.poll(write).toBeUndefined();
  });
});

describe('faults of a Postgres server', () => {
  let world: PostgresServerWorld;
  let folder: string;
  const place = () => ({ dataFolder: world.dataFolder, port: world.port });
  beforeAll(async () => {
    world = await startPostgres();
    folder = join(world.dataFolder, '..', 'journal');
  });
  afterAll(() => world.close());
  afterEach(() => world.server.start(AbortSignal.timeout(20_000)));

  it('pgKill ends it without a farewell, and says that it cannot revive it', async () => {
    await using kit = openFaultKit({ folder });
    const fault = await kit.inject(pgKill, place());
    await expect(world.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await fault.revert();
    expect(await fault.isPresent()).toBe(true);
    await world.server.start(AbortSignal.timeout(20_000));
    expect(await fault.isPresent()).toBe(false);
    expect(await readFile(`${world.dataFolder}.log`, 'utf8')).toContain('not properly shut down');
  });

  it('pgKill is not asked of a server that does not run', async () => {
    await using kit = openFaultKit({ folder });
    await world.server.stop(AbortSignal.timeout(20_000));
    await expect(kit.inject(pgKill, place())).rejects.toThrow('is there before it was injected');
  });

  it('pgBlackhole lets it say nothing, and go on where it was', async () => {
    await using kit = openFaultKit({ folder });
    {
      await using fault = await kit.inject(pgBlackhole, place());
      const asked = world.query('SELECT 1').then(() => 'answered');
      expect(await Promise.race([asked, fault.isPresent()])).toBe(true);
    }
    expect(await world.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('pgBlackhole is taken back for a process that was killed', async () => {
    await injectAndDie(pgBlackhole, folder, place());
    expect(await recoverFaults({ folder })).toMatchObject([{ is: 'reverted' }]);
    expect(await world.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('the fault of an audit log', () => {
  it.each(['change', 'delete'] as const)(
    'shows in its proofs, and leaves it whole: %s',
    async (how) => {
      const { signal } = new AbortController();
      const world = await makeAuditWorld();
      const { file } = world.audit.current();
      const fault = await world.kit.inject(auditTamper, { file, seq: 3, how });
      expect(await world.audit.verify(signal)).toMatchObject({ signal: 'audit.chain_broken' });
      await fault.revert();
      expect(await world.audit.verify(signal)).toEqual({ status: 'HEALTHY' });
      await world.close();
    },
  );

  it('is taken back for a process that was killed', async () => {
    const { signal } = new AbortController();
    const world = await makeAuditWorld();
    const folder = join(world.folder, 'journal');
    await injectAndDie(auditTamper, folder, { file: world.audit.current().file, seq: 3 });
    expect(await world.audit.verify(signal)).toMatchObject({ signal: 'audit.chain_broken' });
    expect(await recoverFaults({ folder })).toMatchObject([{ is: 'reverted' }]);
    expect(await world.audit.verify(signal)).toEqual({ status: 'HEALTHY' });
    await world.close();
  });
});
