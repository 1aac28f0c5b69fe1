import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { createEngine, openJournal, type Operation, type Workflow } from '@buddy/agents';
import { checkFaults } from '@buddy/agents/testing';
import { ManualClock, seededRandom } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
// The thread would hide what is written when; what it runs is this.
import { JournalWriter, type Write } from '../src/journal/journal-writer.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-journal-'));
  file = join(folder, 'state', 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function begun(id: string, input = 'null'): Operation {
  return { kind: 'begun', id, workflow: 'w', version: '1', parentId: null, input };
}

describe('a journal in a SQLite file', () => {
  it('is made with its folder, for nobody else to read', async () => {
    const store = openJournal({ file });
    await store.keep(begun('a'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('has one owner: a second is refused at once, and let in when the first is gone', async () => {
    const store = openJournal({ file });
    expect(() => openJournal({ file })).toThrow(
      expect.objectContaining({
        code: 'AGENTS_JOURNAL_OPEN',
        message: expect.stringContaining('Another process works on the journal'),
      }),
    );
    await store.close();
    await openJournal({ file }).close();
  });

  it('is let go of by a process that was killed', async () => {
    const program = `
      import { openJournal } from '@buddy/agents';
      openJournal({ file: ${JSON.stringify(file)} });
      console.log('open');
      setInterval(() => undefined, 1000);`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@buddy/source', '--input-type=module', '--eval', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    expect(() => openJournal({ file })).toThrow('Another process works on the journal');
    const gone = new Promise((resolve) => owner.once('exit', resolve));
    owner.kill('SIGKILL');
    await gone;
    await openJournal({ file }).close();
  });

  it('is not made of a file that is none, which stays as it was', () => {
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, 'Dear diary, today nothing was journalled.');
    expect(() => openJournal({ file })).toThrow(
      expect.objectContaining({ code: 'AGENTS_JOURNAL_OPEN' }),
    );
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, today nothing was journalled.');
  });

  it('of a newer version is refused, and stays as it was', async () => {
    await openJournal({ file }).close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openJournal({ file })).toThrow(
      expect.objectContaining({
        code: 'AGENTS_JOURNAL_VERSION',
        message: expect.stringContaining('update @buddy/agents'),
      }),
    );
  });

  it('is refused on a network file system', () => {
    expect(() => openJournal({ file }, { fileSystemOf: () => 0x6969 })).toThrow(/is on NFS/);
    expect(() => openJournal({ file }, { fileSystemOf: () => -11_317_950 })).toThrow(/is on CIFS/);
  });

  it('keeps what it was given in that order, and gives it back', async () => {
    const store = openJournal({ file });
    const operations: Operation[] = [
      begun('a', '{"n":1}'),
      { kind: 'intended', id: 'a', key: 'call', tries: 1 },
      { kind: 'recorded', id: 'a', at: 1.5, key: 'call', value: '"done"', tool: 'crm.save' },
      { kind: 'signalled', id: 'a', key: 's1', topic: 'go', value: '1' },
      { kind: 'signalled', id: 'a', key: 's2', topic: 'go', value: '2' },
      { kind: 'timed', id: 'a', key: 'wait', dueAt: 5_000.5, delayMs: 100, isParked: true },
      { kind: 'recorded', id: 'a', at: 2, key: 'wait', value: '{}', consumes: 's1' },
      { kind: 'told', id: 'a', at: 3, key: 'fact', fact: '{"told":true}' },
    ];
    for (const operation of operations) void store.keep(operation);
    await store.settled();
    await store.close();
    const again = openJournal({ file });
    expect(again.load('a')).toEqual({
      id: 'a',
      workflow: 'w',
      version: '1',
      parentId: null,
      input: '{"n":1}',
      cancelReason: undefined,
      ended: undefined,
      recorded: new Map([
        ['call', '"done"'],
        ['wait', '{}'],
      ]),
      intended: new Map([['call', 1]]),
      timed: new Map([['wait', { dueAt: 5_000.5, delayMs: 100 }]]),
      told: new Set(['fact']),
      signals: [
        { key: 's1', topic: 'go', value: '1', isConsumed: true },
        { key: 's2', topic: 'go', value: '2', isConsumed: false },
      ],
    });
    const common = { workflowId: 'a', seq: expect.any(Number) };
    expect([...again.history(0)]).toEqual([
      { ...common, at: 1.5, kind: 'recorded', key: 'call', tool: 'crm.save', value: 'done' },
      { ...common, at: 2, kind: 'recorded', key: 'wait', tool: null, value: {} },
      { ...common, at: 3, kind: 'told', key: 'fact', value: { told: true } },
    ]);
    expect(again.load('b')).toBeUndefined();
    await again.close();
  });

  it('writes again what could not be written, and takes back what was refused', async () => {
    const clock = new ManualClock();
    const written: string[] = [];
    let failures = 2;
    const store = openJournal(
      { file },
      {
        clock,
        writer: () => ({
          write: async (batch) => {
            if (failures > 0) {
              failures -= 1;
              throw new Error('database or disk is full');
            }
            written.push(...batch.map(({ kind, operation }) => `${kind} ${operation.id}`));
          },
          close: async () => undefined,
        }),
      },
    );
    await clock.run(async () => {
      const kept = store.keep(begun('kept'));
      await expect(store.offer(begun('offered'))).rejects.toMatchObject({
        code: 'AGENTS_JOURNAL_WRITE',
        retryable: true,
      });
      expect(store.stalled()).toBeDefined();
      await kept;
      expect(store.stalled()).toBeUndefined();
    });
    expect(written).toEqual(['keep kept', 'retract offered']);
    await store.close();
    await expect(store.offer(begun('late'))).rejects.toThrow('The journal is closed');
  });
});

const HOUR_MS = 3_600_000;
const approve: Workflow = (ctx) => ctx.waitFor('verdict', { key: 'k', timeoutMs: 72 * HOUR_MS });

describe('workflows that wait for people', () => {
  it('write nothing while nobody decides, nor when a new process takes them over, and end when their time has come', async () => {
    const clock = new ManualClock();
    let writes = 0;
    const writer = (path: string) => {
      const real = new JournalWriter(path);
      return {
        write: async (batch: readonly Write[]) => {
          writes += 1;
          real.write(batch);
        },
        close: async () => real.close(),
      };
    };
    const open = async () => {
      const engine = createEngine({ clock, store: openJournal({ file }, { clock, writer }) });
      engine.register({ workflows: { approve }, tools: [], lanes: {} });
      await engine.open();
      return engine;
    };
    const ids = Array.from({ length: 200 }, (_, n) => `approval/${n}`);
    await clock.run(async () => {
      const first = await open();
      await Promise.all(ids.map((id) => first.start(id, 'approve', null)));
      await clock.sleep(HOUR_MS);
      const before = writes;
      expect(before).toBeGreaterThan(0);
      await clock.sleep(35 * HOUR_MS);
      await first.close();
      const second = await open();
      await clock.sleep(35 * HOUR_MS);
      expect(writes).toBe(before);
      await second.signal('approval/7', 'verdict', 'yes', { key: 'k' });
      expect(await second.result('approval/7')).toMatchObject({ value: { value: 'yes' } });
      expect(await second.result('approval/8')).toMatchObject({ value: { kind: 'timed_out' } });
      await second.close();
    });
    expect(clock.monotonic()).toBe(72 * HOUR_MS);
  });
});

/** A file system of its own that is soon full; undefined where none may be mounted. */
function mountSmallDisk(): { path: string; unmount: () => void } | undefined {
  const path = join(folder, 'small');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    console.warn('SKIPPED: a full disk, for no file system may be mounted here (run as root)');
    return undefined;
  }
  return { path, unmount: () => execFileSync('umount', [path]) };
}

const save: Workflow = async (ctx, text: string) => {
  const at = await ctx.now('at');
  return { at: at > 0, length: text.length };
};

describe('a journal on a disk that is full', () => {
  it('refuses what is new, loses nothing that it acknowledged, and goes on when there is room', async () => {
    const disk = mountSmallDisk();
    if (!disk) return;
    try {
      const path = join(disk.path, 'journal.db');
      const ballast = join(disk.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(1_000_000));
      const engine = createEngine({ store: openJournal({ file: path }) });
      engine.register({ workflows: { save }, tools: [], lanes: {} });
      const acknowledged: string[] = [];
      let refused: unknown;
      for (let n = 0; n < 1_000 && refused === undefined; n++) {
        try {
          await engine.start(`w${n}`, 'save', 'x'.repeat(10_000));
          acknowledged.push(`w${n}`);
        } catch (error) {
          refused = error;
        }
      }
      expect(refused).toMatchObject({ code: 'AGENTS_JOURNAL_WRITE' });
      expect(acknowledged.length).toBeGreaterThan(10);
      rmSync(ballast);
      for (const id of acknowledged) {
        expect(await engine.result(id)).toEqual({
          kind: 'completed',
          value: { at: true, length: 10_000 },
        });
      }
      const views: string[] = [];
      for await (const { id } of engine.list()) views.push(id);
      expect(views).toEqual(acknowledged);
      await engine.close();
      const database = new DatabaseSync(path);
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      database.close();
    } finally {
      disk.unmount();
    }
  });
});

const KILLS = Number(process.env['BUDDY_KILLS'] ?? 10);
const CHILDREN = 20;

describe(`a process that is killed at any moment, ${KILLS} times over`, () => {
  it('loses nothing that it acknowledged, and does nothing twice that must happen once', async () => {
    const random = seededRandom(Number(process.env['BUDDY_SEED'] ?? 1));
    let kills = 0;
    for (let run = 0; kills < KILLS; run++) {
      const place = join(folder, `run-${run}`);
      mkdirSync(place);
      for (let isOver = false; !isOver;) {
        const killAfterMs = kills < KILLS ? random() * 200 : undefined;
        isOver = await runChild(place, killAfterMs);
        if (!isOver) kills += 1;
      }
      checkFaults(place, CHILDREN);
    }
    expect(kills).toBe(KILLS);
  }, 3_600_000);
});

/** @returns Whether it came to its end. */
async function runChild(place: string, killAfterMs: number | undefined): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@buddy/source',
      join(import.meta.dirname, 'crash-child.ts'),
      place,
      `${CHILDREN}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let timer: NodeJS.Timeout | undefined;
  child.stdout.once('data', () => {
    if (killAfterMs !== undefined) timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('exit', (...ended) => resolve(ended)),
  );
  clearTimeout(timer);
  if (code !== 0 && signal === null) throw new Error(`The process failed with code ${code}`);
  return signal === null;
}
