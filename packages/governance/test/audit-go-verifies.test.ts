import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLogOf, openLedger } from '@buddy/governance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './audit/entries.ts';
import {
  type GoClaims,
  type GoVerdicts,
  GoVerifier,
  whyWithoutGo,
} from './audit/go/verify-with-go.ts';

const withoutGo = whyWithoutGo();
if (withoutGo !== undefined) {
  process.stderr.write(
    `\nNOT CHECKED: proofs by an implementation that is not ours, for ${withoutGo}. On Debian: apt-get install golang-go golang-golang-x-mod-dev\n\n`,
  );
}

/** Around the sizes at which a tree's right edge changes its shape. */
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 127, 128, 130];
const LAST_SIZE = 130;

/** Bytes of every length that UTF-8 has: what is hashed must be the same on both sides. */
const NAME = 'Zo\u00eb \u2014 \u201cquoted\u201d \u2028 \u{1f600}';

describe.skipIf(withoutGo !== undefined)('golang.org/x/mod/sumdb, which is not ours,', () => {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-go-log-'));
  const keyFile = join(folder, 'keys');
  let go: GoVerifier;
  let log: ToldLog;

  beforeAll(async () => {
    go = new GoVerifier();
    log = await makeLog(keyFile, 'Tells it as it was');
  }, 120_000); // Go builds its library the first time

  afterAll(() => {
    go[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  it('accepts the proof of every entry', () => {
    const inclusion = log.records.map((entry, seq) => ({ entry, proof: log.inclusion[seq] ?? '' }));
    const verdicts = verify({ inclusion });
    expect(verdicts.inclusion).toEqual(Array.from({ length: LAST_SIZE }, () => ''));
  });

  it('accepts that the log has only grown, from every checkpoint on', () => {
    const verdicts = verify({ consistency: log.consistency });
    expect(verdicts.consistency).toEqual(SIZES.map(() => ''));
  });

  it('accepts no proof for an entry that was changed, moved or signed by another', () => {
    const [entry = '', other = ''] = log.records;
    const [proof = ''] = log.inclusion;
    const verdicts = verify({
      inclusion: [
        { entry, proof },
        { entry: entry.replace('"tier":2', '"tier":1'), proof },
        { entry: other, proof },
        { entry, proof: proof.replace('index 0', 'index 1') },
        { entry, proof: proof.replace(`\n${LAST_SIZE}\n`, `\n${LAST_SIZE - 1}\n`) },
        { entry, proof: proof.replace(/\S+\n\n/, '\n') },
      ],
    });
    const [asItIs, ...changed] = verdicts.inclusion;
    expect(asItIs).toBe('');
    expect(changed.filter((problem) => problem === '')).toEqual([]);
  });

  it('accepts no growth of a log that was written anew', async () => {
    const rewritten = await makeLog(keyFile, 'Tells it otherwise');
    const consistency = log.consistency.map(({ old }, nth) => ({
      old,
      proof: rewritten.consistency[nth]?.proof ?? '',
    }));
    const verdicts = verify({ consistency });
    expect(verdicts.consistency.filter((problem) => problem === '')).toEqual([]);
  });

  function verify(claims: Partial<GoClaims>): GoVerdicts {
    return go.verify({ verifier_key: log.verifierKey, inclusion: [], consistency: [], ...claims });
  }
});

/** All that an outsider is told of a log. */
interface ToldLog {
  verifierKey: string;
  records: string[];
  /** By the entry's number. */
  inclusion: string[];
  /** From the checkpoint of each of the sizes to the last. */
  consistency: { old: string; proof: string }[];
}

async function makeLog(keyFile: string, rationale: string): Promise<ToldLog> {
  await using ledger = openLedger({ file: ':memory:', keyFile });
  const log = auditLogOf(ledger);
  const checkpoints: { size: number; note: string }[] = [];
  for (let size = 1; size <= LAST_SIZE; size += 1) {
    await ledger.write((transaction) =>
      transaction.append(refusal({ rationale, facts: { 'input.nth': size, 'input.name': NAME } })),
    );
    if (!SIZES.includes(size)) continue;
    const checkpoint = await ledger.checkpoint();
    if (checkpoint) checkpoints.push(checkpoint);
  }
  const all = Array.from({ length: LAST_SIZE }, (_, seq) => seq);
  return {
    verifierKey: ledger.verifierKey,
    records: all.map((seq) => log.record(seq)),
    inclusion: all.map((seq) => log.proveInclusion(seq)),
    consistency: checkpoints.map(({ size, note }) => ({
      old: note,
      proof: log.proveConsistency(size),
    })),
  };
}
