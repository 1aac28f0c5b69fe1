import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { describeFailure, ManualClock } from '@buddy/core';
import { type AuditedLedger, auditLogOf, openLedger, verifyLog } from '@buddy/governance';
import { describe, expect, it, onTestFinished } from 'vitest';
import { intent, newFile, newFolder, outcome, refusal } from './audit/entries.ts';
import { smallDisk } from './ledger/small-disk.ts';

const NOTES = { id: 'notes-1', sql: 'CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT' };

describe('a ledger', () => {
  it('commits together what was asked for in one turn', async () => {
    let commits = 0;
    await using ledger = openLedger(
      { file: newFile() },
      {
        commit: (database) => {
          commits += 1;
          database.exec('COMMIT');
        },
      },
    );
    commits = 0; // it has moved in
    const entries = await Promise.all(
      Array.from({ length: 100 }, () => ledger.write(({ append }) => append(refusal()))),
    );
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, seq) => seq));
    expect(commits).toBe(1);
  });

  it('takes back what a work did that throws, and nothing of the others', async () => {
    const file = newFile();
    const ledger = openLedger({ file }, { migrations: [NOTES] });
    const write = (text: string, fail = false) =>
      ledger.write(({ database, append }) => {
        database.prepare('INSERT INTO notes (text) VALUES (?)').run(text);
        const { seq } = append(refusal({ rationale: text }));
        if (fail) throw new Error(`${text} went wrong`);
        return seq;
      });
    const results = await Promise.allSettled([
      write('a'),
      write('b', true),
      write('c'),
      write('a'),
    ]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: { message: 'b went wrong' } },
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { message: expect.stringContaining('UNIQUE') } },
    ]);
    expect(rationales(ledger)).toEqual(['c', 'a']);
    expect(
      ledger.read((database) => database.prepare('SELECT text FROM notes').all()),
    ).toHaveLength(2);
    await expectIntact(file, ledger);
  });

  it('keeps nothing of a group whose commit fails, tells everybody, and goes on', async () => {
    const file = newFile();
    let isBroken = false;
    const ledger = openLedger(
      { file },
      {
        commit: (database) => {
          if (isBroken) throw new Error('fsync: input/output error');
          database.exec('COMMIT');
        },
      },
    );
    await ledger.write(({ append }) => append(refusal({ rationale: 'before' })));
    isBroken = true;
    const results = await Promise.allSettled([
      ledger.write(({ append }) => append(refusal({ rationale: 'lost' }))),
      ledger.write(() => 'no entry at all'),
    ]);
    const failure = {
      status: 'rejected',
      reason: {
        code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
        retryable: true,
        message: expect.stringContaining('fsync'),
      },
    };
    expect(results).toMatchObject([failure, failure]);
    isBroken = false;
    await ledger.write(({ append }) => append(refusal({ rationale: 'after' })));
    expect(rationales(ledger)).toEqual(['after', 'before']);
    await expectIntact(file, ledger);
  });

  it('blocks when the database may not grow, loses nothing, and goes on when it may', async () => {
    const file = newFile();
    const ledger = openLedger({ file });
    const limitTo = (pages: number) =>
      ledger.write(({ database }) => database.exec(`PRAGMA max_page_count = ${pages}`));
    const kept: number[] = [];
    await limitTo(60);
    const full = await fill(ledger, kept);
    expect(full).toMatchObject({
      code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
      message: expect.stringContaining('full'),
    });
    expect(auditLogOf(ledger).size()).toBe(kept.length);
    await limitTo(10_000);
    kept.push((await ledger.write(({ append }) => append(refusal()))).seq);
    expect(kept).toEqual(Array.from({ length: auditLogOf(ledger).size() }, (_, seq) => seq));
    await expectIntact(file, ledger);
  });

  it('blocks when the disk is full, and loses nothing', async (context) => {
    const disk = smallDisk();
    if (disk === undefined) {
      process.stderr.write('\nNOT CHECKED: a full disk, for this user may not mount one.\n\n');
      return context.skip();
    }
    const file = join(disk, 'governance.db');
    const ledger = openLedger({ file });
    const kept: number[] = [];
    expect(await fill(ledger, kept)).toMatchObject({
      code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
      message: expect.stringMatching(/full|I\/O/),
    });
    const log = auditLogOf(ledger);
    expect(log.size()).toBe(kept.length);
    expect(kept.length).toBeGreaterThan(0);
    const { verifierKey } = ledger;
    // There may be room for a last checkpoint, for SQLite moves its own files about.
    const closed = await ledger.close().then(
      () => 'closed',
      (error: unknown) => describeFailure(error).code,
    );
    expect(['closed', 'GOVERNANCE_LEDGER_WRITE_FAILED']).toContain(closed);
    const { size, problems } = await verifyLog({ file, verifierKey });
    expect({ size, problems }).toEqual({ size: kept.length, problems: [] });
  });

  it('waits for another that writes, and holds up nothing else meanwhile', async () => {
    const file = newFile();
    const ledger = openLedger({ file });
    const other = writing(file);
    const written = Promise.all(
      ['a', 'b'].map((rationale) => ledger.write(({ append }) => append(refusal({ rationale })))),
    );
    setTimeout(other.end, 100); // never comes where the event loop stands still
    expect((await written).map(({ seq }) => seq)).toEqual([0, 1]);
    const again = writing(file);
    const late = ledger.write(({ append }) => append(refusal({ rationale: 'c' })));
    const closed = ledger.close(); // which writes too
    setTimeout(again.end, 100);
    expect((await late).seq).toBe(2);
    await closed;
    expect(await verifyLog({ file, verifierKey: ledger.verifierKey })).toMatchObject({
      isIntact: true,
      size: 3,
    });
  });

  it('waits so long and no longer, loses nothing, and goes on when the other has ended', async () => {
    const file = newFile();
    const ledger = openLedger({ file, busyTimeoutMs: 60 });
    const other = writing(file);
    const refused = await ledger.write(({ append }) => append(refusal())).catch(describeFailure);
    expect(refused).toMatchObject({
      code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
      message: expect.stringContaining('locked'),
    });
    other.end();
    expect((await ledger.write(({ append }) => append(refusal()))).seq).toBe(0);
    await expectIntact(file, ledger);
  });

  it('is the same ledger, with the same owners, by whatever link one comes to it', async () => {
    const folder = newFolder();
    const file = join(folder, 'governance.db');
    const first = openLedger({ file });
    const { seq: intentSeq } = await first.write(({ append }) => append(intent()));
    mkdirSync(join(folder, 'elsewhere'));
    const link = join(folder, 'elsewhere', 'link.db');
    symlinkSync(file, link);
    const second = openLedger({ file: link, keyFile: `${file}.key` });
    // The intent's process lives: who came by the link finds its lock, and leaves its intent alone.
    expect(second.recovered).toEqual([]);
    const { seq } = await second.write(({ append }) => append(refusal()));
    expect(seq).toBe(1);
    expect(auditLogOf(first).entry(1)).toMatchObject({ kind: 'refusal' });
    await first.write(({ append }) => append(outcome(intentSeq)));
    const beside = readdirSync(join(folder, 'elsewhere'));
    expect(beside).toEqual(['link.db']); // no lock, and no log of its own
    await second.close();
    await expectIntact(file, first);
  });

  it('does not take another for gone whose lock file somebody swept away', async () => {
    const folder = newFolder();
    const file = join(folder, 'governance.db');
    await using first = openLedger({ file });
    const { seq: intentSeq } = await first.write(({ append }) => append(intent()));
    sweepLocks(folder);
    await using here = openLedger({ file });
    expect(here.recovered).toEqual([]);
    sweepLocks(folder);
    // Another process, as `buddy-governance approvals list` is one.
    expect(await recoveredElsewhere(file)).toBe('[]');
    await first.write(({ append }) => append(outcome(intentSeq)));
    await first.write(({ append }) => append(intent()));
    await expectIntact(file, first);
  });

  it('ends the intents of a process that is gone also where its lock file was swept away', async () => {
    const folder = newFolder();
    const file = join(folder, 'governance.db');
    await runElsewhere(
      `const ledger = openLedger({ file: ${JSON.stringify(file)} });
       await ledger.write(({ append }) => append(${JSON.stringify(intent())}));
       process.kill(process.pid, 'SIGKILL');`,
    ).catch(() => undefined); // it was killed
    sweepLocks(folder);
    await using second = openLedger({ file });
    expect(second.recovered).toEqual([0]);
  });

  it('goes on when it was taken for gone, with its next intent', async () => {
    const file = newFile();
    await using ledger = openLedger({ file });
    const other = new DatabaseSync(file);
    other.exec('DELETE FROM audit_owners');
    other.close();
    const { seq } = await ledger.write(({ append }) => append(intent()));
    const ended = await ledger.write(({ append }) => append(outcome(seq)));
    expect([seq, ended.seq]).toEqual([0, 1]);
    await expectIntact(file, ledger);
  });

  it('ends what a ledger left open that was closed in this process', async () => {
    const file = newFile();
    const first = openLedger({ file });
    const { seq } = await first.write(({ append }) => append(intent()));
    await first.close();
    await using second = openLedger({ file });
    expect(second.recovered).toEqual([seq]);
  });

  it('refuses a work that goes on after it returned', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const late = ledger.write(async ({ append }) => {
      append(refusal());
      await Promise.resolve();
      append(refusal());
    });
    await expect(late).rejects.toMatchObject({ code: 'GOVERNANCE_LEDGER_MISUSED' });
    const { append } = await ledger.write((transaction) => transaction);
    expect(() => append(refusal())).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_LEDGER_MISUSED' }),
    );
    expect(auditLogOf(ledger).size()).toBe(0);
  });

  it('keeps nothing of a work that swallows the refusal of an entry', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const work = ledger.write(({ append }) => {
      try {
        append({ ...refusal(), rationale: 'x'.repeat(281) });
      } catch {
        // goes on regardless
      }
      append(refusal());
    });
    await expect(work).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
    expect(auditLogOf(ledger).size()).toBe(0);
  });

  it('lets nobody change anything while reading', async () => {
    await using ledger = openLedger({ file: newFile() }, { migrations: [NOTES] });
    expect(() =>
      ledger.read((database) => database.exec("INSERT INTO notes VALUES ('x')")),
    ).toThrow(/readonly/);
    await ledger.write(({ database }) => database.exec("INSERT INTO notes VALUES ('x')"));
    expect(ledger.read((database) => database.prepare('SELECT * FROM notes').all())).toEqual([
      { text: 'x' },
    ]);
  });

  it('commits what waits when it is closed, and takes nothing after', async () => {
    const file = newFile();
    const ledger = openLedger({ file });
    const waiting = ledger.write(({ append }) => append(refusal()));
    await ledger.close();
    await expect(waiting).resolves.toMatchObject({ seq: 0 });
    await expect(ledger.write(() => 1)).rejects.toMatchObject({ code: 'GOVERNANCE_LEDGER_CLOSED' });
    expect(() => ledger.read(() => 1)).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_LEDGER_CLOSED' }),
    );
    await using again = openLedger({ file });
    expect(auditLogOf(again).size()).toBe(1);
  });

  it('gives entries the time of its clock', async () => {
    const clock = new ManualClock();
    await using ledger = openLedger({ file: ':memory:' }, { clock });
    const at = await ledger.write(
      (transaction) => transaction.append(refusal()).at - transaction.at,
    );
    expect(at).toBe(0);
    expect(auditLogOf(ledger).entry(0).at).toBe(clock.now());
  });

  it('numbers entries without holes when two have the file open', async () => {
    const file = newFile();
    const ledgers = [openLedger({ file }), openLedger({ file })];
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        ledgers.flatMap((ledger, nth) =>
          Array.from({ length: 1 + ((round + nth) % 3) }, async () => {
            const { seq } = await ledger.write(({ append }) => append(intent()));
            await ledger.write(({ append }) => append(outcome(seq)));
          }),
        ),
      );
    }
    const [first, second] = ledgers;
    const { verifierKey } = first ?? { verifierKey: '' };
    await Promise.all([first?.close(), second?.close()]);
    const { size, problems } = await verifyLog({ file, verifierKey });
    expect({ size, problems }).toEqual({ size: 160, problems: [] });
  });

  it('applies each migration once, and refuses a database that a newer version wrote', async () => {
    const file = newFile();
    await openLedger({ file }, { migrations: [NOTES] }).close();
    await openLedger({ file }, { migrations: [NOTES] }).close();
    expect(() => openLedger({ file })).toThrow(/notes-1/);
  });

  it('lets nobody else read its file', () => {
    const file = newFile();
    const ledger = openLedger({ file });
    onTestFinished(() => ledger.close());
    for (const path of [file, `${file}-wal`, `${file}.key`]) {
      expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, '600']);
    }
  });

  it('says where a file cannot be opened', () => {
    const file = join(newFolder(), 'missing', 'governance.db');
    expect(() => openLedger({ file })).toThrow(
      expect.objectContaining({
        code: 'GOVERNANCE_LEDGER_OPEN_FAILED',
        message: expect.stringContaining(file),
      }),
    );
  });
});

/** Appends until it cannot; notes what was acknowledged. */
async function fill(ledger: AuditedLedger, kept: number[]): Promise<unknown> {
  for (let n = 0; n < 20_000; n += 1) {
    try {
      kept.push(
        (await ledger.write(({ append }) => append(refusal({ rationale: 'x'.repeat(280) })))).seq,
      );
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

/** Another connection in the middle of a change, as another process is. */
function writing(file: string): { end: () => void } {
  const database = new DatabaseSync(file);
  database.exec('BEGIN IMMEDIATE');
  return {
    end: () => {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

function rationales(ledger: AuditedLedger): (string | null)[] {
  const { entries } = auditLogOf(ledger).query();
  return entries.map((entry) => (entry.kind === 'refusal' ? entry.rationale : null));
}

async function expectIntact(file: string, ledger: AuditedLedger): Promise<void> {
  const { verifierKey } = ledger;
  await ledger.close();
  const { problems } = await verifyLog({ file, verifierKey });
  expect(problems).toEqual([]);
}

/** As a cleaner of temporary files does. */
function sweepLocks(folder: string): void {
  const locks = readdirSync(folder).filter((name) => name.includes('-owner-'));
  expect(locks.length).toBeGreaterThan(0);
  for (const name of locks) rmSync(join(folder, name));
}

/** What another process finds that opens the ledger. */
function recoveredElsewhere(file: string): Promise<string> {
  return runElsewhere(
    `const ledger = openLedger({ file: ${JSON.stringify(file)} });
     process.stdout.write(JSON.stringify(ledger.recovered));
     await ledger.close();`,
  );
}

async function runElsewhere(script: string): Promise<string> {
  const program = `import { openLedger } from '@buddy/governance';\n${script}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@buddy/source', '--input-type=module', '-e', program],
    { cwd: import.meta.dirname },
  );
  return stdout;
}
