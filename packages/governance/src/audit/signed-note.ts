import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { AuditProofError } from './errors.ts';

/*
 * Signed notes (c2sp.org/signed-note) with Ed25519. Keys are written as Go's golang.org/x/mod/sumdb/note writes them, so that
 * its tools read ours.
 */

const ED25519 = 0x01;
const KEY_BYTES = 32;
const ID_BYTES = 4;
/** Far more than a log, its old keys and all its witnesses need. */
const MAX_NOTE_CHARS = 100_000;
/** What surrounds an Ed25519 key in DER (RFC 8410): always the same, for there are no parameters. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface NoteSigner {
  readonly name: string;
  /** `name+id+base64`: what a verifier is given. */
  readonly verifierKey: string;
  sign(text: string): string;
}

export interface NoteVerifier {
  readonly name: string;
  readonly verifierKey: string;
  /** Whether the note bears this key's signature. A signature of this key that is wrong makes the whole note wrong. */
  isSignedBy(note: SignedNote): boolean;
}

export interface SignedNote {
  /** With its last newline. */
  text: string;
  signatures: readonly { name: string; id: Uint8Array; signature: Uint8Array }[];
}

/** A name that a key may have: no spaces, no plus, no control characters. */
export const KEY_NAME = /^[^\p{Z}\p{C}+]+$/u;

/** @param seed The 32 bytes of an Ed25519 private key (RFC 8032). */
export function createNoteSigner(name: string, seed: Uint8Array): NoteSigner {
  if (!KEY_NAME.test(name))
    throw new AuditProofError(`A key cannot be named ${JSON.stringify(name)}: no spaces, no plus.`);
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  const id = keyId(name, publicKey);
  return {
    name,
    verifierKey: `${name}+${id.toString('hex')}+${tagged(publicKey)}`,
    sign: (text) => {
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
      return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
    },
  };
}

/**
 * @param verifierKey `name+id+base64`.
 * @throws {AuditProofError} When it is no Ed25519 key in that form.
 */
export function createNoteVerifier(verifierKey: string): NoteVerifier {
  const [name = '', idText = '', ...rest] = verifierKey.trim().split('+');
  const key = Buffer.from(rest.join('+'), 'base64');
  const publicKey = key.subarray(1);
  const id = Buffer.from(idText, 'hex');
  const isWhole = KEY_NAME.test(name) && key[0] === ED25519 && publicKey.length === KEY_BYTES;
  if (!isWhole || !id.equals(keyId(name, publicKey))) {
    throw new AuditProofError(
      `Not a verifier key: ${JSON.stringify(verifierKey.slice(0, 200))}; it looks like name+0123abcd+base64, of Ed25519.`,
    );
  }
  const keyObject = publicKeyOf(publicKey);
  return {
    name,
    verifierKey: verifierKey.trim(),
    isSignedBy: ({ text, signatures }) => {
      const own = signatures.filter((line) => line.name === name && id.equals(line.id));
      const bytes = Buffer.from(text);
      return (
        own.length > 0 && own.every(({ signature }) => verify(null, bytes, keyObject, signature))
      );
    },
  };
}

/**
 * Reads a note; says nothing yet of who signed it.
 * @throws {AuditProofError} When it is not written as a note.
 */
export function parseSignedNote(note: string): SignedNote {
  if (note.length > MAX_NOTE_CHARS)
    throw notANote(`it is longer than ${MAX_NOTE_CHARS} characters`);
  // oxlint-disable-next-line no-control-regex -- which characters the format forbids
  if (/[\u0000-\u0009\u000B-\u001F]/.test(note)) throw notANote('it holds control characters');
  const gap = note.lastIndexOf('\n\n');
  if (gap < 0 || !note.endsWith('\n'))
    throw notANote('a text, an empty line and signatures must follow each other');
  const signatures = note
    .slice(gap + 2, -1)
    .split('\n')
    .map((line) => {
      const [dash, name = '', encoded = '', ...more] = line.split(' ');
      const bytes = Buffer.from(encoded, 'base64');
      const isWhole = dash === '\u2014' && KEY_NAME.test(name) && more.length === 0;
      if (!isWhole || bytes.length <= ID_BYTES || bytes.toString('base64') !== encoded) {
        throw notANote(`${JSON.stringify(line.slice(0, 200))} is no signature`);
      }
      return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
    });
  return { text: note.slice(0, gap + 1), signatures };
}

function notANote(why: string): AuditProofError {
  return new AuditProofError(`Not a signed note: ${why}`);
}

function keyId(name: string, publicKey: Uint8Array): Buffer {
  const data = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]);
  return hash('sha256', data, 'buffer').subarray(0, ID_BYTES);
}

function tagged(key: Uint8Array): string {
  return Buffer.concat([Buffer.of(ED25519), key]).toString('base64');
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}
