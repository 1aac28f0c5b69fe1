import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '@buddy/core';
import {
  auditLogOf,
  type LogProblemCode,
  openLedger,
  readRecords,
  recordOf,
  verifyLog,
} from '@buddy/governance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newFile, refusal } from './audit/entries.ts';

const SIZE = 40;
/** How long the log was when the outsider was given a checkpoint. */
const KEPT_SIZE = 30;
const VICTIM = 12;

describe('a log, held against one checkpoint that an outsider kept,', () => {
  let good: string;
  let verifierKey: string;
  let kept: string;

  beforeAll(async () => {
    good = join(mkdtempSync(join(tmpdir(), 'buddy-ledger-')), 'governance.db');
    ({ verifierKey, kept } = await writeLog(good));
  });

  afterAll(() => rmSync(dirname(good), { recursive: true, force: true }));

  it('is intact when nobody touched it', async () => {
    const verification = await verify(good);
    expect(verification).toMatchObject({
      isIntact: true,
      size: SIZE,
      vouchedFor: KEPT_SIZE,
      problems: [],
      checkpoints: { outside: 1 },
    });
  });

  it.each<[what: string, tamper: (database: DatabaseSync) => void, codes: LogProblemCode[]]>([
    [
      'a record is flipped',
      (database) => setRecord(database, VICTIM, 'ada', 'eve'),
      ['entry_changed'],
    ],
    [
      'an entry is deleted',
      (database) => database.exec(`DELETE FROM audit_entries WHERE seq = ${VICTIM}`),
      ['entry_missing'],
    ],
    [
      'an entry is deleted and the others moved up',
      (database) =>
        database.exec(
          `DELETE FROM audit_entries WHERE seq = ${VICTIM};
           UPDATE audit_entries SET seq = seq - 1 WHERE seq > ${VICTIM}`,
        ),
      ['entry_misplaced'],
    ],
    [
      'an entry is inserted',
      (database) => {
        database.exec(
          `UPDATE audit_entries SET seq = -seq - 2 WHERE seq >= ${VICTIM};
           UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0`,
        );
        const record = recordOf({ ...refusal(), seq: VICTIM, at: 0 });
        database
          .prepare('INSERT INTO audit_entries (seq, record) VALUES (?, ?)')
          .run(VICTIM, record);
      },
      ['entry_changed'],
    ],
    [
      'two entries are exchanged',
      (database) =>
        database.exec(
          `UPDATE audit_entries SET seq = -1 WHERE seq = ${VICTIM};
           UPDATE audit_entries SET seq = ${VICTIM} WHERE seq = ${VICTIM + 1};
           UPDATE audit_entries SET seq = ${VICTIM + 1} WHERE seq = -1`,
        ),
      ['entry_misplaced'],
    ],
    [
      'its end is cut off, and all that tells of it',
      (database) => cutTo(database, KEPT_SIZE - 1),
      ['entries_cut'],
    ],
    [
      'a node of the tree is changed',
      (database) => database.exec('UPDATE audit_tree SET hash = zeroblob(32) WHERE position = 2'),
      ['tree_changed'],
    ],
    [
      'a checkpoint is forged',
      (database) => database.exec("UPDATE audit_checkpoints SET note = replace(note, '1', '2')"),
      ['checkpoint_forged'],
    ],
    [
      'what the card shows is changed',
      (database) => database.exec("UPDATE audit_counts SET value = 0 WHERE name = 'tier_2'"),
      ['summary_differs'],
    ],
    [
      'a block of entries is hidden from queries by time',
      (database) => database.exec('UPDATE audit_blocks SET latest = 0'),
      ['summary_differs'],
    ],
  ])('shows that %s', async (_what, tamper, codes) => {
    const file = copyOf(good);
    change(file, tamper);
    const { isIntact, problems } = await verify(file);
    expect(isIntact).toBe(false);
    expect(problems.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
  });

  it('shows that it was rewritten whole, by somebody who has its key', async () => {
    const file = copyOf(good);
    rmSync(file);
    await writeLog(file, 'Nothing happened');
    const alone = await verifyLog({ file, verifierKey });
    expect(alone.isIntact).toBe(true); // nothing in the log itself tells
    const { problems } = await verify(file);
    expect(problems.map(({ code }) => code)).toEqual(['outside_checkpoint_differs']);
  });

  it('shows that it was cut back to an earlier checkpoint, though nothing in the log tells', async () => {
    const file = copyOf(good);
    change(file, (database) => cutTo(database, 8));
    expect((await verifyLog({ file, verifierKey })).isIntact).toBe(true);
    expect((await verify(file)).problems.map(({ code }) => code)).toEqual(['entries_cut']);
  });

  it('shows by itself that its checkpoints were taken away, and is not gone on with', async () => {
    const file = copyOf(good);
    change(file, (database) => database.exec('DELETE FROM audit_checkpoints'));
    const { problems } = await verifyLog({ file, verifierKey });
    expect(problems.map(({ code }) => code)).toEqual(['checkpoints_missing']);
    expect(() => openLedger({ file, keyFile: `${good}.key` })).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/GOVERNANCE_LEDGER_(?:INCONSISTENT|KEY)/),
      }),
    );
  });

  it('shows it wherever a bit of a record is turned on the disk', async () => {
    const [record = ''] = [...readRecords(good, { from: VICTIM })];
    const bytes = readFileSync(good);
    const start = bytes.indexOf(record);
    expect(start).toBeGreaterThan(0);
    for (let bit = 0; bit < record.length * 8; bit += 97) {
      const file = copyOf(good);
      const turned = Buffer.from(bytes);
      const at = start + (bit >> 3);
      turned.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at);
      writeFileSync(file, turned);
      const { problems } = await verify(file);
      expect(problems).toContainEqual(
        expect.objectContaining({ code: 'entry_changed', seq: VICTIM }),
      );
    }
  });

  it('takes no checkpoint for an outside one that another key signed', async () => {
    const elsewhere = await writeLog(newFile());
    await expect(
      verifyLog({ file: good, verifierKey, checkpoints: [elsewhere.kept] }),
    ).rejects.toMatchObject({ code: 'GOVERNANCE_AUDIT_PROOF_INVALID' });
  });

  const verify = (file: string) => verifyLog({ file, verifierKey, checkpoints: [kept] });
});

describe('a ledger that was tampered with', () => {
  it.each<[what: string, tamper: (database: DatabaseSync) => void]>([
    ['its last entry was changed', (database) => setRecord(database, SIZE - 1, 'ada', 'eve')],
    [
      'its end was cut off',
      (database) => database.exec(`DELETE FROM audit_entries WHERE seq > 20`),
    ],
    ['its end and tree were cut off', (database) => cutTo(database, 20, SIZE)],
    [
      'its tree was changed',
      (database) => database.exec('UPDATE audit_tree SET hash = zeroblob(32)'),
    ],
    [
      'its last checkpoint was changed',
      (database) => database.exec("UPDATE audit_checkpoints SET note = replace(note, '4', '5')"),
    ],
  ])('does not open when %s', async (_what, tamper) => {
    const file = newFile();
    await writeLog(file);
    change(file, tamper);
    expect(() => openLedger({ file })).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_LEDGER_INCONSISTENT' }),
    );
  });

  it.each(['audit_entries', 'audit_tree', 'audit_checkpoints'])(
    'was not so by accident: %s takes neither updates nor deletes',
    async (table) => {
      const file = newFile();
      await writeLog(file);
      const database = new DatabaseSync(file);
      for (const statement of [
        `DELETE FROM ${table}`,
        `UPDATE ${table} SET rowid = rowid + 1000`,
      ]) {
        expect(() => database.exec(statement)).toThrow(/only ever added to/);
      }
      database.close();
    },
  );
});

async function writeLog(file: string, rationale = 'The contact asked for it') {
  const clock = new ManualClock();
  await using ledger = openLedger({ file, checkpointEntries: 8 }, { clock });
  let kept = '';
  for (let seq = 0; seq < SIZE; seq += 1) {
    await ledger.write(({ append }) => append(refusal({ rationale, facts: { 'input.seq': seq } })));
    if (seq + 1 === KEPT_SIZE) kept = (await ledger.checkpoint())?.note ?? '';
  }
  expect(auditLogOf(ledger).size()).toBe(SIZE);
  return { verifierKey: ledger.verifierKey, kept };
}

/** What somebody does who may write the file: triggers are dropped first. */
function change(file: string, tamper: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(file);
  const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
  tamper(database);
  database.close();
}

function setRecord(database: DatabaseSync, seq: number, from: string, to: string): void {
  database
    .prepare('UPDATE audit_entries SET record = replace(record, ?, ?) WHERE seq = ?')
    .run(from, to, seq);
}

/** Without a trace: entries, nodes, counts, and the checkpoints over more than `checkpoints` entries. */
function cutTo(database: DatabaseSync, size: number, checkpoints = size): void {
  let nodes = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) nodes += left;
  database.exec(
    `DELETE FROM audit_entries WHERE seq >= ${size};
     DELETE FROM audit_tree WHERE position >= ${nodes};
     DELETE FROM audit_checkpoints WHERE size > ${checkpoints};
     UPDATE audit_counts SET value = ${size} WHERE name = 'tier_2';
     UPDATE audit_denials SET count = ${size}`,
  );
}

function copyOf(file: string): string {
  const copy = newFile();
  copyFileSync(file, copy);
  copyFileSync(`${file}.key`, `${copy}.key`);
  return copy;
}
