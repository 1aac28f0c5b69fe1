import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createDbosEngine } from '@buddy/agents/dbos';
import { checkFaults, driveFaults, faultRegistration } from '@buddy/agents/testing';
import { seededRandom, systemClock } from '@buddy/core';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sharePostgres } from './dbos-postgres.ts';

const CHILDREN = 8;
const KILLS = Number(process.env['BUDDY_KILLS'] ?? 10);

const postgres = sharePostgres();

let databases = 0;
let databaseUrl = '';
let folder = '';
const workers = new Set<ChildProcess>();
beforeEach(makePlace);
afterEach(leavePlace);

async function makePlace(): Promise<void> {
  databases += 1;
  databaseUrl = await postgres.createDatabase(`faults_${databases}`);
  folder = mkdtempSync(join(tmpdir(), 'buddy-faults-'));
}

async function leavePlace(): Promise<void> {
  await Promise.all([...workers].map((worker) => end(worker, 'SIGKILL')));
  rmSync(folder, { recursive: true });
}

/** A process that takes its part; resolves when it does. */
async function startWorker(callMs = 40): Promise<ChildProcess> {
  const worker = spawn(
    process.execPath,
    [
      '--conditions=@buddy/source',
      join(import.meta.dirname, 'dbos-worker.ts'),
      databaseUrl,
      folder,
      `${callMs}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  workers.add(worker);
  await new Promise<void>((resolve, reject) => {
    worker.stdout.on('data', (said: Buffer) => {
      if (said.toString().includes('open\n')) resolve();
    });
    worker.once('exit', () => reject(new Error('The worker ended before it was open')));
  });
  return worker;
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  workers.delete(worker);
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill(signal);
  await gone;
}

/** Starts, signals and waits, and takes no part itself. */
async function drive(): Promise<void> {
  const engine = createDbosEngine({ databaseUrl, pollMs: 20, takes: [] });
  engine.register(faultRegistration({ folder }));
  try {
    await driveFaults(engine, CHILDREN, { folder });
  } finally {
    await engine.close();
  }
}

/** As a client does that is cut off, and asks again. */
async function driveOn(): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await drive();
    } catch (error) {
      if (tries === 20) throw error;
      await systemClock.sleep(100);
    }
  }
}

function ledger(): string[] {
  const path = join(folder, 'ledger');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/** Waits until so many lines are in the provider's ledger. */
async function called(lines: number): Promise<void> {
  while (ledger().length < lines) await systemClock.sleep(10);
}

/** A call that this process has begun and not done. */
function hasOneInHand({ pid }: ChildProcess): boolean {
  const mine = ledger().filter((line) => line.endsWith(` ${pid}`));
  return mine.filter((line) => line.startsWith('begun')).length * 2 > mine.length;
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return client;
}

/** Ends the session whose lock says that this process is alive. */
async function dropSessionOf({ pid }: ChildProcess): Promise<void> {
  const client = await connect();
  const { rowCount } = await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1',
    [`worker-${pid}-%`],
  );
  await client.end();
  expect(rowCount).toBe(1);
}

async function untilInHand(worker: ChildProcess): Promise<void> {
  while (!hasOneInHand(worker)) await systemClock.sleep(2);
}

describe('two workers over one database', () => {
  it('lose nothing when one is killed in the middle of a call: the other goes on with all that it had', async () => {
    const [first] = await Promise.all([startWorker(), startWorker()]);
    const driving = drive();
    await called(6);
    await untilInHand(first);
    await end(first, 'SIGKILL');
    await driving;
    expect(checkFaults(folder, CHILDREN).processes).toHaveLength(2);
  });

  it('lose nothing when one closes in order, and when both are gone for a while', async () => {
    const both = await Promise.all([startWorker(), startWorker()]);
    const driving = drive();
    await called(6);
    await end(both[0], 'SIGTERM');
    await called(10);
    await end(both[1], 'SIGKILL');
    await startWorker();
    await driving;
    expect(checkFaults(folder, CHILDREN).processes.length).toBeGreaterThan(1);
  });

  it('do nothing over again that must happen once, also when one that was taken for dead comes back', async () => {
    const [frozen] = await Promise.all([startWorker(300), startWorker(300)]);
    const driving = drive();
    await untilInHand(frozen);
    frozen.kill('SIGSTOP');
    await dropSessionOf(frozen); // as Postgres does when the other side is silent for long
    await driving;
    frozen.kill('SIGCONT');
    while (hasOneInHand(frozen)) await systemClock.sleep(10); // it is done, late
    await drive();
    expect(checkFaults(folder, CHILDREN, { stoodStill: [frozen.pid ?? 0] }).processes).toContain(
      frozen.pid,
    );
  });

  it('are not held up by one that stands still in the middle of a transaction', async () => {
    const [blocker, watcher] = [await connect(), await connect()];
    const frozen = await startWorker(300);
    const driving = drive();
    await untilInHand(frozen);
    // Another call will follow, which nobody can add until the process stands still; then Postgres does what it was asked for.
    await blocker.query('BEGIN; LOCK TABLE dbos.workflow_status IN SHARE MODE');
    const adding = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO%workflow_status%'`;
    while ((await watcher.query(adding)).rowCount === 0) await systemClock.sleep(10);
    frozen.kill('SIGSTOP');
    await blocker.query('COMMIT');
    await Promise.all([blocker.end(), watcher.end()]);
    await dropSessionOf(frozen);
    await startWorker();
    await driving;
    frozen.kill('SIGCONT');
    await drive();
    expect(checkFaults(folder, CHILDREN, { stoodStill: [frozen.pid ?? 0] }).processes).toHaveLength(
      2,
    );
  });

  it('go on when Postgres has crashed under them, during work and during recovery', async () => {
    const [first] = await Promise.all([startWorker(), startWorker()]);
    const driving = driveOn();
    await called(4);
    await postgres.restart();
    await called(10);
    await end(first, 'SIGKILL');
    await systemClock.sleep(400); // others have missed it, and are about to take over
    await postgres.restart();
    await driving;
    expect(() => checkFaults(folder, CHILDREN)).not.toThrow();
  });

  it(`lose nothing when they are killed at any moment, ${KILLS} times over`, async () => {
    const random = seededRandom(Number(process.env['BUDDY_SEED'] ?? 1));
    let kills = 0;
    while (kills < KILLS) {
      let [first, second] = await Promise.all([startWorker(), startWorker()]);
      const driving = drive();
      const isOver = () => Promise.race([driving.then(() => true), Promise.resolve(false)]);
      while (kills < KILLS && !(await isOver())) {
        await systemClock.sleep(random() * 300);
        await end(first, 'SIGKILL');
        kills += 1;
        [first, second] = [second, await startWorker()];
      }
      await driving;
      checkFaults(folder, CHILDREN);
      if (kills === KILLS) break;
      await leavePlace();
      await makePlace();
    }
    expect(kills).toBe(KILLS);
  }, 3_600_000);
});
