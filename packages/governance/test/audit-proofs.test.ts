import {
  type AuditedLedger,
  auditLogOf,
  AuditProofError,
  createNoteVerifier,
  openCheckpoint,
  openLedger,
  parseSignedNote,
  verifyConsistencyProof,
  verifyInclusionProof,
} from '@buddy/governance';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './audit/entries.ts';
import {
  auditPath,
  consistencyProof,
  KNOWN_LEAVES,
  KNOWN_ROOTS,
  treeHead,
} from './audit/rfc6962-reference.ts';

describe('the naive tree of RFC 6962 that ours is held against', () => {
  it('has the roots that Certificate Transparency publishes', () => {
    const roots = KNOWN_ROOTS.map((_, size) =>
      treeHead(KNOWN_LEAVES.slice(0, size)).toString('hex'),
    );
    expect(roots).toEqual(KNOWN_ROOTS);
  });
});

const LAST_SIZE = 70;

describe('a log', () => {
  let ledger: AuditedLedger;
  const records: string[] = [];
  /** By size. */
  const notes: string[] = [''];

  beforeAll(async () => {
    ledger = openLedger({ file: ':memory:' });
    for (let size = 1; size <= LAST_SIZE; size += 1) {
      const { seq } = await ledger.write(({ append }) =>
        append(refusal({ rationale: `entry ${size}` })),
      );
      records.push(auditLogOf(ledger).record(seq));
      notes.push((await ledger.checkpoint())?.note ?? '');
    }
  });
  afterAll(() => ledger.close());

  const leaves = (size: number) => records.slice(0, size).map((record) => Buffer.from(record));
  const verifier = () => createNoteVerifier(ledger.verifierKey);

  it('has the root of the RFC at every size', () => {
    for (let size = 1; size <= LAST_SIZE; size += 1) {
      const checkpoint = openCheckpoint(notes[size] ?? '', verifier());
      expect(checkpoint.size).toBe(size);
      expect(Buffer.from(checkpoint.root)).toEqual(treeHead(leaves(size)));
    }
  });

  it('proves every entry by the path of the RFC, and its verifier takes that path', () => {
    for (let seq = 0; seq < LAST_SIZE; seq += 1) {
      const proof = auditLogOf(ledger).proveInclusion(seq);
      expect(hashesIn(proof)).toEqual(base64(auditPath(seq, leaves(LAST_SIZE))));
      expect(verifyInclusionProof(proof, records[seq] ?? '', verifier()).size).toBe(LAST_SIZE);
    }
  });

  it('proves from every size that it has only grown, by the path of the RFC', () => {
    for (let size = 1; size <= LAST_SIZE; size += 1) {
      const proof = auditLogOf(ledger).proveConsistency(size);
      expect(hashesIn(proof)).toEqual(base64(consistencyProof(size, leaves(LAST_SIZE))));
      expect(verifyConsistencyProof(proof, notes[size] ?? '', verifier()).size).toBe(LAST_SIZE);
    }
  });

  it('has a verifier that agrees with the RFC for any two sizes, and refuses every other path', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LAST_SIZE }),
        fc.nat(LAST_SIZE),
        fc.nat(),
        (size, before, choice) => {
          const seq = before % size;
          const oldSize = 1 + (before % size);
          const path = base64(auditPath(seq, leaves(size)));
          const inclusion = (hashes: string[], index = seq) =>
            ['c2sp.org/tlog-proof@v1', `index ${index}`, ...hashes, '', notes[size]].join('\n');
          const isProof = (proof: string) =>
            succeeds(() => verifyInclusionProof(proof, records[seq] ?? '', verifier()));
          expect(isProof(inclusion(path))).toBe(true);
          expect(isProof(inclusion(path, (seq + 1) % (size + 1)))).toBe(false);
          for (const other of changed(path, choice)) expect(isProof(inclusion(other))).toBe(false);

          const growth = base64(consistencyProof(oldSize, leaves(size)));
          const consistency = (hashes: string[]) =>
            [`old ${oldSize}`, ...hashes, '', notes[size]].join('\n');
          const isGrowth = (proof: string) =>
            succeeds(() => verifyConsistencyProof(proof, notes[oldSize] ?? '', verifier()));
          expect(isGrowth(consistency(growth))).toBe(true);
          for (const other of changed(growth, choice))
            expect(isGrowth(consistency(other))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('proves no other record, and nothing under another key or name', async () => {
    const proof = auditLogOf(ledger).proveInclusion(3);
    const record = records[3] ?? '';
    await using other = openLedger({ file: ':memory:' });
    const [name = '', id = '', key = ''] = ledger.verifierKey.split('+');
    expect(verifyInclusionProof(proof, record, verifier()).size).toBe(LAST_SIZE);
    expect(() =>
      verifyInclusionProof(proof, record.replace('entry 4', 'entry 5'), verifier()),
    ).toThrow(/not entry 3/);
    expect(() =>
      verifyInclusionProof(proof, record, createNoteVerifier(other.verifierKey)),
    ).toThrow(/not signed/);
    expect(() => createNoteVerifier(`${name}x+${id}+${key}`)).toThrow(/verifier key/);
  });

  it.each([
    ['no header', (proof: string) => proof.replace('c2sp.org/tlog-proof@v1\n', '')],
    ['another version', (proof: string) => proof.replace('@v1', '@v2')],
    ['no index', (proof: string) => proof.replace('index 3\n', '')],
    ['an index with a zero before it', (proof: string) => proof.replace('index 3', 'index 03')],
    ['a hash cut short', (proof: string) => proof.replace(/\n[^\n]{44}\n/, '\nAAAA\n')],
    ['no checkpoint', (proof: string) => proof.slice(0, proof.indexOf('\n\n'))],
    ['control characters', (proof: string) => proof.replace('\n\u2014', '\r\n\u2014')],
    ['a megabyte', (proof: string) => proof + 'x'.repeat(1_000_000)],
  ])('does not take a proof with %s', (_what, change) => {
    const proof = auditLogOf(ledger).proveInclusion(3);
    expect(() => verifyInclusionProof(change(proof), records[3] ?? '', verifier())).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_AUDIT_PROOF_INVALID' }),
    );
  });

  it('takes a proof with extra data, which nobody vouches for', () => {
    const proof = auditLogOf(ledger)
      .proveInclusion(3)
      .replace('\nindex', '\nextra aGVsbG8=\nindex');
    expect(verifyInclusionProof(proof, records[3] ?? '', verifier()).size).toBe(LAST_SIZE);
  });

  it('says what it cannot prove', async () => {
    await using young = openLedger({ file: ':memory:' });
    await young.write(({ append }) => append(refusal()));
    await young.write(({ append }) => append(refusal()));
    expect(() => auditLogOf(young).proveInclusion(1)).toThrow(/checkpoint covers 1/);
    expect(() => auditLogOf(young).proveInclusion(2)).toThrow(/no entry 2/);
    expect(() => auditLogOf(ledger).proveConsistency(LAST_SIZE + 1)).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_AUDIT_NOT_FOUND' }),
    );
  });
});

describe('a signed note', () => {
  // The example in the documentation of Go's golang.org/x/mod/sumdb/note.
  const KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const NOTE =
    'If you think cryptography is the answer to your problem,\n' +
    "then you don't know what your problem is.\n\n" +
    '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

  it('of somebody else is read, and its signature checked', () => {
    expect(createNoteVerifier(KEY).isSignedBy(parseSignedNote(NOTE))).toBe(true);
    expect(
      createNoteVerifier(KEY).isSignedBy(parseSignedNote(NOTE.replace('answer', 'reply'))),
    ).toBe(false);
  });

  it('may bear signatures of keys that nobody here knows', () => {
    const witnessed = `${NOTE}\u2014 witness.example ${Buffer.alloc(68, 7).toString('base64')}\n`;
    expect(createNoteVerifier(KEY).isSignedBy(parseSignedNote(witnessed))).toBe(true);
  });

  it('is wrong when one signature of the key is, though another is right', () => {
    const forged = `\u2014 PeterNeumann ${Buffer.concat([Buffer.from('c74f20a3', 'hex'), Buffer.alloc(64)]).toString('base64')}\n`;
    expect(createNoteVerifier(KEY).isSignedBy(parseSignedNote(NOTE + forged))).toBe(false);
  });

  it('that is no checkpoint is not taken for one', () => {
    expect(() => openCheckpoint(NOTE, createNoteVerifier(KEY))).toThrow(/Not a checkpoint/);
  });
});

function hashesIn(proof: string): string[] {
  const [head = ''] = proof.split('\n\n');
  return head.split('\n').filter((line) => line.length === 44);
}

function base64(hashes: readonly Buffer[]): string[] {
  return hashes.map((hash) => hash.toString('base64'));
}

/** The path with a hash more, a hash less, a bit turned, two hashes swapped. */
function changed(path: readonly string[], choice: number): string[][] {
  const extra = Buffer.alloc(32, choice % 256).toString('base64');
  const others = [
    [...path, extra],
    [extra, ...path],
  ];
  if (path.length > 0) {
    const at = choice % path.length;
    const turned = Buffer.from(path[at] ?? '', 'base64');
    turned[choice % 32] = (turned[choice % 32] ?? 0) ^ (1 << (choice % 8));
    others.push(path.slice(1), path.slice(0, -1), path.with(at, turned.toString('base64')));
  }
  if (path.length > 1) others.push(path.toReversed());
  return others;
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof AuditProofError) return false;
    throw error;
  }
}
