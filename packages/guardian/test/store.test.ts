import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type GuardianStore,
  type Incident,
  MemoryStore,
  openSqliteStore,
  type Run,
  Symptom,
  SYMPTOM_OUTCOMES,
} from '@buddy/guardian';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const execute = promisify(execFile);

const symptom = Symptom.parse({ resource: 'api', signal: 'process.exited' });

const incident: Incident = {
  id: 'incident-1',
  fingerprint: 'api process.exited',
  resource: 'api',
  signal: 'process.exited',
  status: 'open',
  symptom,
  openedBy: 1,
  firstBad: 1_000,
  detected: 1_500.25,
  restored: null,
  closedAt: null,
  closedAs: null,
  causeId: null,
  retries: 0,
  reason: '',
  rehearses: null,
};

const run: Run = {
  id: 'run-1',
  incidentId: 'incident-1',
  playbook: 'restart',
  resource: 'api',
  roles: { service: 'api' },
  startedAt: 2_000,
  endedAt: null,
  result: 'running',
  reason: '',
  interrupts: true,
  isRehearsal: false,
};

const row = {
  kind: 'symptom',
  at: 1,
  resource: 'api',
  signal: 'process.exited',
  reason: '',
} as const;

const stores: [string, () => GuardianStore][] = [
  ['a store in memory', () => new MemoryStore()],
  ['a store in SQLite', () => openSqliteStore(':memory:')],
];

describe.each(stores)('%s', (_name, open) => {
  it('gives back what was written', async () => {
    const store = open();
    const step = { runId: 'run-1', index: 0, step: 'start', before: '{"a":1}', at: 2_001 };
    await store.write([
      { ...row, seq: 1, incidentId: 'incident-1', outcome: null },
      { kind: 'incident', incident },
      { kind: 'run', run },
      { kind: 'step', step: { ...step, state: 'intent' } },
    ]);
    await store.write([{ kind: 'step', step: { ...step, state: 'done' } }]);
    const certificate = { playbook: 'restart', codeHash: 'x', resource: 'api', fault: 'f', at: 5 };
    await store.write([{ kind: 'certificate', certificate }]);
    const window = { id: 'w', resources: ['api'], reason: 'release', from: 1, until: 9_000 };
    await store.write([{ kind: 'maintenance', window }]);
    const state = store.load({ now: 3_000, runsSince: 0 });
    expect(state).toEqual({
      lastSeq: 1,
      openIncidents: [incident],
      undecided: [expect.objectContaining({ seq: 1, incidentId: 'incident-1' })],
      openRuns: [{ run, steps: [{ ...step, state: 'done' }] }],
      healed: [],
      recentRuns: [run],
      totals: [],
      certificates: [certificate],
      maintenance: [window],
    });
    expect(store.journal('run-1')).toEqual({ run, steps: [{ ...step, state: 'done' }] });
    expect(store.incident('incident-1')).toEqual(incident);
    await store.close();
  });

  it('counts runs that said something of their playbook', async () => {
    const store = open();
    const results = ['restored', 'not_helped', 'refused', 'aborted', 'running'] as const;
    for (const [at, result] of results.entries()) {
      const endedAt = result === 'running' ? null : 100 + at * 10;
      await store.write([
        { kind: 'run', run: { ...run, id: result, startedAt: at * 10, endedAt, result } },
      ]);
    }
    expect(store.load({ now: 0, runsSince: 0 }).totals).toEqual([
      {
        playbook: 'restart',
        resource: 'api',
        runs: 2,
        successes: 1,
        failures: 1,
        totalMs: 200,
        lastRunAt: 10,
      },
    ]);
    expect(store.runs(2).map(({ id }) => id)).toEqual(['running', 'aborted']);
    await store.close();
  });

  it('refuses a second open incident for one fingerprint, and lets the first be closed', async () => {
    const store = open();
    await store.write([{ kind: 'incident', incident }]);
    const second = { ...incident, id: 'incident-2' };
    await expect(store.write([{ kind: 'incident', incident: second }])).rejects.toMatchObject({
      code: 'GUARDIAN_STORE_WRITE',
    });
    await store.write([{ kind: 'incident', incident: { ...incident, status: 'closed' } }]);
    await store.write([{ kind: 'incident', incident: second }]);
    expect(store.load({ now: 0, runsSince: 0 }).openIncidents).toEqual([second]);
    await store.close();
  });

  it('refuses a second outcome, and an outcome for nothing', async () => {
    const store = open();
    await store.write([{ ...row, seq: 1, incidentId: null, outcome: null }]);
    const outcome = { kind: 'outcome', seq: 1, at: 2, outcome: 'restored', reason: '' } as const;
    await store.write([outcome]);
    await expect(store.write([outcome])).rejects.toThrow('has its outcome');
    await expect(store.write([{ ...outcome, seq: 7 }])).rejects.toThrow('is not there');
    expect(store.ledger()).toMatchObject({ symptoms: 1, pending: 0, outcomes: { restored: 1 } });
    await store.close();
  });

  it('keeps all that is written together, or nothing of it', async () => {
    const store = open();
    await store.write([{ kind: 'incident', incident }]);
    const second = { ...incident, id: 'incident-2' };
    const both = [
      { ...row, seq: 1, incidentId: null, outcome: null },
      { kind: 'incident', incident: second } as const,
    ];
    await expect(store.write(both)).rejects.toThrow('could not be written');
    expect(store.ledger().symptoms).toBe(0);
    await store.close();
  });

  it('balances its ledger whatever is written, and still does after it has forgotten', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.constantFrom(...SYMPTOM_OUTCOMES), { nil: null }), { maxLength: 30 }),
        async (outcomes) => {
          const store = open();
          await Promise.all(
            outcomes.map((outcome, at) =>
              store.write([{ ...row, at, seq: at + 1, incidentId: null, outcome }]),
            ),
          );
          await store.prune(outcomes.length / 2);
          const ledger = store.ledger();
          const decided = Object.values(ledger.outcomes).reduce((sum, count) => sum + count, 0);
          expect(ledger.symptoms).toBe(outcomes.length);
          expect(decided + ledger.pending).toBe(outcomes.length);
          expect(ledger.pending).toBe(outcomes.filter((outcome) => outcome === null).length);
          expect(store.load({ now: 0, runsSince: 0 }).lastSeq).toBe(outcomes.length);
          await store.close();
        },
      ),
      { numRuns: 30 },
    ));
});

async function path(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'guardian-store-')), 'guardian.db');
}

describe('a store in SQLite', () => {
  it('still knows after it was closed and opened', async () => {
    const file = await path();
    const first = openSqliteStore(file);
    await first.write([{ kind: 'incident', incident }]);
    await first.close();
    const second = openSqliteStore(file);
    expect(second.load({ now: 0, runsSince: 0 }).openIncidents).toEqual([incident]);
    await second.close();
  });

  it('writes what is asked for together in one transaction, and lets one failure be one', async () => {
    const store = openSqliteStore(await path());
    const outcome = { kind: 'outcome', seq: 99, at: 2, outcome: 'restored', reason: '' } as const;
    const results = await Promise.allSettled([
      store.write([{ ...row, seq: 1, incidentId: null, outcome: null }]),
      store.write([{ ...row, seq: 2, incidentId: null, outcome: null }, outcome]),
      store.write([{ ...row, seq: 3, incidentId: null, outcome: null }]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const { undecided } = store.load({ now: 0, runsSince: 0 });
    expect(undecided.map(({ seq }) => seq)).toEqual([1, 3]);
    await store.close();
  });

  it('is in WAL mode and says so', async () => {
    const file = await path();
    const store = openSqliteStore(file);
    const other = new DatabaseSync(file, { readOnly: true });
    expect(other.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    other.close();
    await store.close();
  });

  it('leaves a file that a newer version wrote alone', async () => {
    const file = await path();
    await openSqliteStore(file).close();
    const newer = new DatabaseSync(file);
    newer.exec(`INSERT INTO migrations (id) VALUES ('guardian-99')`);
    newer.close();
    expect(() => openSqliteStore(file)).toThrow('written by a newer @buddy/guardian');
  });

  it('has one guardian that writes; others may look', async () => {
    const file = await path();
    const link = `${file}-link`;
    const first = openSqliteStore(file);
    await symlink(file, link);
    for (const same of [file, link, relative(process.cwd(), file)]) {
      expect(() => openSqliteStore(same)).toThrow(
        expect.objectContaining({ code: 'GUARDIAN_STORE_IN_USE', effect: 'none' }),
      );
    }
    await first.write([{ kind: 'incident', incident }]);
    const reader = openSqliteStore(file, { isReadOnly: true });
    expect(reader.incidents(1)).toEqual([incident]);
    await reader.close();
    await first.close();
    await openSqliteStore(link).close();
  });

  it('is free at once when the process that worked on it is killed', async () => {
    const file = await path();
    const child = fork(new URL('children/store-owner.ts', import.meta.url), [file], {
      execArgv: ['--conditions=@buddy/source'],
    });
    const gone = once(child, 'exit');
    await once(child, 'message');
    expect(() => openSqliteStore(file)).toThrow('Another guardian works on');
    child.kill('SIGKILL');
    await gone;
    await openSqliteStore(file).close();
  });

  // Linux: elsewhere no program gives a running process room again.
  it.skipIf(process.platform !== 'linux')(
    'counts nothing that a full disk did not keep, and goes on when there is room',
    async () => {
      const child = spawn(
        '/bin/sh',
        [
          '-c',
          'ulimit -S -f 2000; exec "$0" "$@"',
          process.execPath,
          '--conditions=@buddy/source',
          fileURLToPath(new URL('children/full-disk-store.ts', import.meta.url)),
          await path(),
        ],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
      );
      const gone = once(child, 'exit');
      expect(await once(child, 'message')).toMatchObject([
        { kept: 0, isRetryable: true },
        undefined,
      ]);
      await execute('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
      child.send('there is room');
      expect(await once(child, 'message')).toMatchObject([
        { symptoms: 1, pending: 0, outcomes: { unmatched: 1 } },
        undefined,
      ]);
      await gone;
    },
  );

  it('lets go of a file that it cannot use', async () => {
    const file = await path();
    await openSqliteStore(file).close();
    const newer = new DatabaseSync(file);
    newer.exec(`INSERT INTO migrations (id) VALUES ('guardian-99')`);
    expect(() => openSqliteStore(file)).toThrow('newer');
    newer.exec(`DELETE FROM migrations WHERE id = 'guardian-99'`);
    newer.close();
    await openSqliteStore(file).close();
  });

  it('says that it is closed', async () => {
    const store = openSqliteStore(':memory:');
    await store.close();
    await expect(store.write([{ kind: 'incident', incident }])).rejects.toThrow('is closed');
  });
});
