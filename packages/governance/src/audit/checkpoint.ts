import { AuditProofError } from './errors.ts';
import { HASH_BYTES } from './merkle-tree.ts';
import { type NoteSigner, type NoteVerifier, parseSignedNote } from './signed-note.ts';

/** The log at one moment, as an outsider may keep it: how long it was, and what its tree's root was. */
export interface Checkpoint {
  /** The log's name. */
  origin: string;
  /** How many entries it covers. */
  size: number;
  root: Uint8Array;
  /** The signed note (c2sp.org/tlog-checkpoint), which other people's tools read. */
  note: string;
}

export function signCheckpoint(signer: NoteSigner, size: number, root: Uint8Array): Checkpoint {
  const text = `${signer.name}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  return { origin: signer.name, size, root, note: signer.sign(text) };
}

const SIZE = /^(0|[1-9][0-9]{0,15})$/;

/**
 * Reads a checkpoint and checks who signed it.
 * @throws {AuditProofError} When it is not written as a checkpoint, or not signed by that key.
 */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint {
  const parsed = parseSignedNote(note);
  if (!verifier.isSignedBy(parsed)) {
    throw new AuditProofError(`The checkpoint is not signed by ${verifier.verifierKey}.`);
  }
  const [origin = '', sizeText = '', rootText = ''] = parsed.text.split('\n');
  const root = Buffer.from(rootText, 'base64');
  const size = Number(sizeText);
  const isWhole = SIZE.test(sizeText) && Number.isSafeInteger(size) && root.length === HASH_BYTES;
  if (!isWhole || root.toString('base64') !== rootText) {
    throw new AuditProofError(
      'Not a checkpoint: origin, size and root in base64 must be its first lines.',
    );
  }
  // Else another log of the same key could stand in for this one.
  if (origin !== verifier.name) {
    throw new AuditProofError(
      `The checkpoint is of ${JSON.stringify(origin)}, not of ${verifier.name}.`,
    );
  }
  return { origin, size, root, note };
}
