import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  randomBytes as systemRandomBytes,
} from 'node:crypto';
import { ApprovalRequestError } from './errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What one secret is used for; a key of its own for each (HKDF, RFC 5869). */
export type SecretPurpose = 'binding' | 'sealing' | 'attesting' | 'form';

/** @throws {ApprovalRequestError} When the secret is shorter than 32 bytes. */
export function deriveKey(secret: Uint8Array, purpose: SecretPurpose): Uint8Array {
  if (!(secret instanceof Uint8Array) || secret.length < KEY_BYTES) {
    throw new ApprovalRequestError(
      `The secret of approvals needs at least ${KEY_BYTES} random bytes.`,
    );
  }
  return new Uint8Array(
    hkdfSync('sha256', secret, '', `@buddy/governance approvals ${purpose}`, KEY_BYTES),
  );
}

export type RandomBytes = (size: number) => Uint8Array;

/**
 * Keeps what a person has to read unreadable to others (AES-256-GCM, a fresh nonce each time): a database file, its
 * write-ahead log and its backups hold no argument in plain. Bound to `label`, so that it cannot be moved to another request.
 */
export class Seal {
  readonly #key: Uint8Array;
  readonly #randomBytes: RandomBytes;

  constructor(key: Uint8Array, randomBytes: RandomBytes = systemRandomBytes) {
    this.#key = key;
    this.#randomBytes = randomBytes;
  }

  seal(text: string, label: string): Uint8Array {
    const nonce = this.#randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(label));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), body]));
  }

  /** Throws when it was sealed with another key, under another label, or changed since. */
  open(sealed: Uint8Array, label: string): string {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(label));
    decipher.setAuthTag(tag);
    const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  }
}
