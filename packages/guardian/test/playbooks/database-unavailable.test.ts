import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  databaseLocked,
  databaseUnavailable,
  type PostgresDatabase,
  type PostgresDatabaseInput,
} from '@buddy/guardian';
import { openFaultKit, pgBlackhole, pgKill } from '@buddy/guardian/faults';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import {
  openDatabase,
  openKilledWorld,
  type OtherServers,
} from '../worlds/database-unavailable.ts';
import { healOnce, noticeAndHeal } from '../worlds/heal-once.ts';
import { startWithoutReaper } from '../worlds/zombie-postgres.ts';
import { type PostgresServerWorld, startPostgres } from '../worlds/postgres-world.ts';

const { signal } = new AbortController();
let primary: PostgresServerWorld;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  primary = await startPostgres();
});
afterAll(() => primary.close());
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await primary.server.start(AbortSignal.timeout(20_000));
});

async function openKit() {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-faults-'));
  const kit = openFaultKit({ folder });
  closing.push(async () => {
    await kit.close();
    await rm(folder, { recursive: true });
  });
  return kit;
}

const place = () => ({ dataFolder: primary.dataFolder, port: primary.port });

describePlaybook(databaseUnavailable, () => openKilledWorld(primary));

function heal(database: PostgresDatabase<pg.Pool>, told = 'database.unavailable') {
  return healOnce(database, { playbooks: [databaseUnavailable, databaseLocked], told });
}

/** The application's database on the server that runs for all tests of this file, closed when the test is over. */
function open(options?: Partial<PostgresDatabaseInput>, others?: OtherServers) {
  const database = openDatabase(primary, options, others);
  closing.push(() => database.close());
  return database;
}

/** Writes noise over the first page of a table; its checksum does not fit any more. */
async function damage({ query, server, dataFolder }: PostgresServerWorld, table: string) {
  const [row] = await query(`SELECT pg_relation_filepath('${table}') AS path`);
  await server.stop(AbortSignal.timeout(20_000)); // so that the page is in no cache
  const file = await openFile(join(dataFolder, String(row?.['path'])), 'r+');
  await file.write(Buffer.alloc(100, 'noise'), 0, 100, 4_000);
  await file.close();
  await server.start(AbortSignal.timeout(20_000));
}

describe('playbook database_unavailable', () => {
  it('replaces a server of ours that takes connections and says nothing', async () => {
    const database = open({ answerMs: 500 });
    const kit = await openKit();
    const fault = await kit.inject(pgBlackhole, place());
    expect(await database.probe(signal)).toMatchObject({
      status: 'FAILED',
      signal: 'database.unavailable',
      certainty: 'ambiguous',
    });
    expect((await heal(database)).outcome).toBe('restored');
    expect(await fault.isPresent()).toBe(false);
  });

  it('notices by itself that the server was killed, and heals it', async () => {
    const database = open();
    const kit = await openKit();
    await database.pool().query('SELECT 1');
    const closed = await noticeAndHeal(database, {
      playbooks: [databaseUnavailable],
      inject: () => kit.inject(pgKill, place()),
    });
    expect(closed).toEqual({ signal: 'database.unavailable', closedAs: 'restored' });
    expect((await database.pool().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('makes connections anew that were cut, and leaves the server alone', async () => {
    const database = open();
    const before = await primary.server.state(signal);
    await database.pool().query('SELECT 1');
    const told: string[] = [];
    const unwatch = database.watch?.((sign) => told.push(sign.signal));
    await primary.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shop'`,
    );
    await expect.poll(() => told).toEqual(['database.unavailable']);
    unwatch?.();
    expect((await heal(database)).outcome).toBe('restored');
    expect(await primary.server.state(signal)).toEqual(before);
    expect((await database.pool().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('leads to another server when this one is not ours to start', async () => {
    const replica = await startPostgres();
    closing.push(() => replica.close());
    await replica.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await replica.query('SELECT pg_reload_conf()');
    const database = open(
      { readOnly: ['replica'] },
      { servers: { primary, replica }, isOurs: false },
    );
    const kit = await openKit();
    await kit.inject(pgKill, place());
    expect((await heal(database)).outcome).toBe('restored');
    expect(database.target()).toBe('replica');
    expect(await database.probe(signal)).toMatchObject({ note: 'replica is for reading only' });
    expect((await primary.server.state(signal)).is).toBe('stopped');
  });

  it('leads to another server when this one has a damaged page, and mends nothing', async () => {
    const replica = await startPostgres();
    closing.push(() => replica.close());
    for (const { query } of [primary, replica]) {
      await query('CREATE TABLE IF NOT EXISTS prices AS SELECT generate_series(1, 100) AS n');
    }
    await damage(primary, 'prices');
    const database = open({}, { servers: { primary, replica } });
    const read = () => database.pool().query('SELECT sum(n)::int AS sum FROM prices');
    const told: string[] = [];
    const unwatch = database.watch?.((sign) => told.push(`${sign.signal} ${sign.certainty}`));
    await read().catch((error: unknown) => database.noteError(error));
    unwatch?.();
    expect(told).toEqual(['database.corrupted decisive']);
    const { is } = await primary.server.state(signal);
    expect((await heal(database, 'database.corrupted')).outcome).toBe('restored');
    expect((await read()).rows).toEqual([{ sum: 5_050 }]);
    expect((await primary.server.state(signal)).is).toBe(is);
  });

  it('gives up when there is neither a server to start nor another to go to', async () => {
    const database = open({}, { isOurs: false });
    const kit = await openKit();
    await kit.inject(pgKill, place());
    expect(await heal(database)).toMatchObject({
      outcome: 'escalated',
      reason: expect.stringContaining('is not ours to start, and no other server'),
    });
  });

  it('ends the forgotten transaction that blocks the others, and no transaction of another application', async () => {
    const database = open({ idleInTransactionMs: 20, poolSize: 4 });
    await database.pool().query('CREATE TABLE IF NOT EXISTS stock (id int PRIMARY KEY, n int)');
    await database.pool().query('INSERT INTO stock VALUES (1, 1) ON CONFLICT DO NOTHING');
    const other = new pg.Client({ ...primary.settings, application_name: 'report' });
    await other.connect();
    closing.push(() => other.end());
    await other.query('BEGIN; SELECT * FROM stock');
    const forgotten = await database.pool().connect();
    forgotten.on('error', () => undefined);
    await forgotten.query('BEGIN; UPDATE stock SET n = 2');
    const waiting = database.pool().query('UPDATE stock SET n = 3 RETURNING n');
    await expect
      .poll(async () => database.probe(signal), { timeout: 15_000 })
      .toMatchObject({ status: 'FAILED', signal: 'database.locked' });
    expect((await heal(database, 'database.locked')).outcome).toBe('restored');
    expect((await waiting).rows).toEqual([{ n: 3 }]);
    expect(database.writerLimit()).toBe(2);
    await other.query('COMMIT'); // nobody has ended it
    forgotten.release(true);
  });

  it('makes a pool anew whose connections were all kept and never given back', async () => {
    const database = open({ poolSize: 2, poolWaitMs: 200 });
    for (let leaked = 0; leaked < 2; leaked += 1) {
      const client = await database.pool().connect();
      client.on('error', () => undefined);
    }
    expect(await database.probe(signal)).toMatchObject({ signal: 'database.pool_exhausted' });
    expect((await heal(database, 'database.pool_exhausted')).outcome).toBe('restored');
  });

  it('is one server, however many start it at the same moment', async () => {
    for (let times = 0; times < 3; times += 1) {
      await primary.server.stop(AbortSignal.timeout(20_000));
      const late = AbortSignal.timeout(20_000);
      await Promise.all([primary.server.start(late), primary.server.start(late)]);
      expect(await primary.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
  });

  it('takes a zombie that keeps the number of the old server for gone', async () => {
    await primary.server.stop(signal);
    const parent = await startWithoutReaper(primary);
    closing.push(() => parent.end());
    expect((await primary.server.state(signal)).is).toBe('running');
    parent.killServer();
    await expect
      .poll(async () => (await primary.server.state(signal)).is, { timeout: 15_000 })
      .toBe('stopped');
    await expect.poll(() => parent.isZombie()).toBe(true); // it takes a moment to die
    await primary.server.start(AbortSignal.timeout(10_000));
    expect(await primary.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(parent.isZombie()).toBe(true);
  });
});
