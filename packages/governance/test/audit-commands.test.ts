import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@buddy/core';
import {
  appendCheckpointsTo,
  createNoteVerifier,
  exportAuditLog,
  openLedger,
  proveAuditLog,
  readRecord,
  verifyAuditLog,
  verifyConsistencyProof,
  verifyInclusionProof,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { newFile, refusal } from './audit/entries.ts';

describe('audit verify', () => {
  it('holds the log against the checkpoints of a file, and says how far they reach', async () => {
    const { file, checkpoints, verifierKey } = await writeLog();
    const result = await verifyAuditLog({ file, verifierKey, checkpointFiles: [checkpoints] });
    expect(result).toMatchObject({
      exitCode: 0,
      json: { isIntact: true, size: 5, vouchedFor: 5, problems: [] },
    });
    expect(result.text).toMatch(/^Intact: 5 entries, .* 2 outside checkpoints\.\n$/);
  });

  it('takes a checkpoint that stands alone in a file', async () => {
    const { file, checkpoints, verifierKey } = await writeLog();
    const [line = ''] = readFileSync(checkpoints, 'utf8').split('\n');
    const alone = join(dirname(file), 'checkpoint.txt');
    writeFileSync(alone, JSON.parse(line).note);
    const result = await verifyAuditLog({ file, verifierKey, checkpointFiles: [alone] });
    expect(result.json).toMatchObject({ isIntact: true, vouchedFor: 3 });
    expect(result.text).toContain('Entries from 3 on are newer');
  });

  it('says that it proves less without an outside checkpoint and an outside key', async () => {
    const { file } = await writeLog();
    const result = await verifyAuditLog({ file });
    expect(result.exitCode).toBe(0);
    expect(result.text).toMatch(/No outside checkpoint/);
    expect(result.text).toMatch(/from beside the log/);
  });

  it('ends with 1 for a log that was changed, and with 2 when it cannot tell', async () => {
    const { file, verifierKey } = await writeLog();
    const database = new DatabaseSync(file);
    database.exec(
      `DROP TRIGGER audit_entries_no_update;
       UPDATE audit_entries SET record = replace(record, 'ada', 'eve') WHERE seq = 2`,
    );
    database.close();
    const result = await verifyAuditLog({ file, verifierKey });
    expect(result).toMatchObject({
      exitCode: 1,
      json: { problems: [{ code: 'entry_changed', seq: 2 }, {}, {}] },
    });
    expect(result.text).toMatch(/^NOT intact.*\n {2}entry_changed: Entry 2/);
    expect(await verifyAuditLog({ file: `${file}.missing`, verifierKey })).toMatchObject({
      exitCode: 2,
    });
    expect(await verifyAuditLog({ file, verifierKey: 'no key' })).toMatchObject({ exitCode: 2 });
  });
});

describe('audit prove', () => {
  it('writes a proof that needs nothing but the key to be checked', async () => {
    const { file, verifierKey, kept } = await writeLog();
    const verifier = createNoteVerifier(verifierKey);
    const [, , record = ''] = exported(file);
    const inclusion = proveAuditLog({ file, seq: 2 });
    expect(inclusion).toMatchObject({ exitCode: 0, json: { record } });
    expect(verifyInclusionProof(inclusion.text, record, verifier).size).toBe(5);
    const growth = proveAuditLog({ file, since: 3 });
    expect(verifyConsistencyProof(growth.text, kept, verifier).size).toBe(5);
    expect(proveAuditLog({ file, seq: 5 })).toMatchObject({
      exitCode: 2,
      json: { error: { code: 'GOVERNANCE_AUDIT_NOT_FOUND' } },
    });
  });
});

describe('audit export', () => {
  it('writes the records, a line each, as they are', async () => {
    const { file } = await writeLog();
    const records = exported(file);
    expect(records.map((record) => readRecord(record).seq)).toEqual([0, 1, 2, 3, 4]);
    expect(exported(file, { from: 1, to: 3 })).toEqual(records.slice(1, 3));
  });
});

async function writeLog() {
  const file = newFile();
  const checkpoints = join(dirname(file), 'checkpoints.jsonl');
  await using ledger = openLedger(
    { file },
    { publish: appendCheckpointsTo(checkpoints, systemClock) },
  );
  const append = () => ledger.write((transaction) => transaction.append(refusal()));
  await Promise.all([append(), append(), append()]);
  const kept = (await ledger.checkpoint())?.note ?? '';
  await Promise.all([append(), append()]);
  return { file, checkpoints, verifierKey: ledger.verifierKey, kept };
}

function exported(file: string, range: { from?: number; to?: number } = {}): string[] {
  let text = '';
  const { exitCode } = exportAuditLog({ file, ...range }, (line) => (text += line));
  expect(exitCode).toBe(0);
  return text.trimEnd().split('\n');
}
