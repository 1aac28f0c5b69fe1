import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { AuditProofError } from './errors.ts';
import { HASH_BYTES, isConsistent, isIncluded, leafHash } from './merkle-tree.ts';
import type { NoteVerifier } from './signed-note.ts';

/*
 * Proofs as files that need nothing but the log's public key to be checked: that an entry is in the log
 * (c2sp.org/tlog-proof@v1), and that a log has only grown (the request that c2sp.org/tlog-witness takes, which is what a
 * witness is shown).
 */

const INCLUSION_HEADER = 'c2sp.org/tlog-proof@v1';

interface InclusionProof {
  index: number;
  /** From the leaf's sibling up (RFC 6962, section 2.1.1). */
  path: readonly Uint8Array[];
  /** The signed note of the tree that the path leads to. */
  checkpoint: string;
}

export function formatInclusionProof({ index, path, checkpoint }: InclusionProof): string {
  return [INCLUSION_HEADER, `index ${index}`, ...path.map(toBase64), '', checkpoint].join('\n');
}

/** @throws {AuditProofError} When it is not written as c2sp.org/tlog-proof@v1 asks. */
export function parseInclusionProof(proof: string): InclusionProof {
  const { head, checkpoint } = splitProof(proof);
  const [header, ...lines] = head;
  if (header !== INCLUSION_HEADER) throw malformed(`its first line must be ${INCLUSION_HEADER}`);
  // Opaque to us and vouched for by nobody.
  const [indexLine, ...hashes] = lines[0]?.startsWith('extra ') ? lines.slice(1) : lines;
  return { index: numberIn(indexLine, 'index'), path: hashes.map(hashIn), checkpoint };
}

/**
 * Checks that a record is in the log that the verifier's key speaks for.
 * @param record The entry's record, character for character as `audit export` writes it.
 * @returns The checkpoint that covers it.
 * @throws {AuditProofError} When the proof is malformed, not signed by that key, or does not lead from this record to the root.
 */
export function verifyInclusionProof(
  proof: string,
  record: string,
  verifier: NoteVerifier,
): Checkpoint {
  const { index, path, checkpoint: note } = parseInclusionProof(proof);
  const checkpoint = openCheckpoint(note, verifier);
  const { size, root } = checkpoint;
  if (!isIncluded({ index, leaf: leafHash(Buffer.from(record)), path, size, root })) {
    throw new AuditProofError(
      `The record is not entry ${index} of the log of ${size} entries that the checkpoint was signed for.`,
    );
  }
  return checkpoint;
}

interface ConsistencyProof {
  /** How long the log was before. */
  oldSize: number;
  /** RFC 6962, section 2.1.2. */
  path: readonly Uint8Array[];
  /** The signed note of the log as it is now. */
  checkpoint: string;
}

export function formatConsistencyProof({ oldSize, path, checkpoint }: ConsistencyProof): string {
  return [`old ${oldSize}`, ...path.map(toBase64), '', checkpoint].join('\n');
}

/** @throws {AuditProofError} When it is not written as the body of c2sp.org/tlog-witness's add-checkpoint. */
function parseConsistencyProof(proof: string): ConsistencyProof {
  const { head, checkpoint } = splitProof(proof);
  const [oldLine, ...hashes] = head;
  return { oldSize: numberIn(oldLine, 'old'), path: hashes.map(hashIn), checkpoint };
}

/**
 * Checks that the log has only grown since an older checkpoint.
 * @param oldNote The checkpoint that was kept outside.
 * @returns The newer checkpoint.
 * @throws {AuditProofError} When one of them is not signed by the verifier's key, or the log does not begin as it did.
 */
export function verifyConsistencyProof(
  proof: string,
  oldNote: string,
  verifier: NoteVerifier,
): Checkpoint {
  const { oldSize, path, checkpoint: note } = parseConsistencyProof(proof);
  const old = openCheckpoint(oldNote, verifier);
  const checkpoint = openCheckpoint(note, verifier);
  const { size, root } = checkpoint;
  if (old.size !== oldSize || !isConsistent({ oldSize, oldRoot: old.root, path, size, root })) {
    throw new AuditProofError(
      `The log of ${size} entries does not begin with the ${old.size} that the older checkpoint was signed for.`,
    );
  }
  return checkpoint;
}

/** Far more than a tree of 2^53 leaves needs. */
const MAX_PROOF_CHARS = 200_000;

function splitProof(proof: string): { head: string[]; checkpoint: string } {
  if (proof.length > MAX_PROOF_CHARS)
    throw malformed(`it is longer than ${MAX_PROOF_CHARS} characters`);
  const gap = proof.indexOf('\n\n');
  if (gap < 0) throw malformed('an empty line must stand before the checkpoint');
  return { head: proof.slice(0, gap).split('\n'), checkpoint: proof.slice(gap + 2) };
}

function numberIn(line: string | undefined, word: string): number {
  const [, digits = ''] = line?.match(/^[a-z]+ (0|[1-9][0-9]{0,15})$/) ?? [];
  if (!line?.startsWith(`${word} `) || digits === '' || !Number.isSafeInteger(Number(digits))) {
    throw malformed(`a line "${word} NUMBER" is missing`);
  }
  return Number(digits);
}

function hashIn(line: string): Uint8Array {
  const hash = Buffer.from(line, 'base64');
  if (hash.length !== HASH_BYTES || hash.toString('base64') !== line) {
    throw malformed(`${JSON.stringify(line.slice(0, 100))} is no SHA-256 in base64`);
  }
  return hash;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function malformed(why: string): AuditProofError {
  return new AuditProofError(`Not a proof: ${why}.`);
}
