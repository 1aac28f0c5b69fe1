import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describeFailure } from '@buddy/core';
import { z } from 'zod';
import { LedgerKeyError } from '../ledger/errors.ts';
import { createNoteSigner, KEY_NAME, type NoteSigner } from './signed-note.ts';

/** What the log is signed with, and what arguments are digested with. The secrets stay inside. */
export interface LedgerKeys {
  readonly signer: NoteSigner;
  /** HMAC-SHA-256 under the log's secret key, in hex. */
  digest(text: string): string;
  /** 32 bytes that nothing else is made of (HKDF, RFC 5869): no digest of any text, whoever chose it, tells them. */
  secretFor(purpose: string): Uint8Array;
}

const SECRET_BYTES = 32;
const Secret = z.base64().refine((text) => Buffer.from(text, 'base64').length === SECRET_BYTES);

const KeyFile = z.strictObject({
  format: z.literal('buddy-ledger-keys@1'),
  origin: z.string().regex(KEY_NAME),
  /** The seed of an Ed25519 key (RFC 8032), in base64. */
  signing_key: Secret,
  /** The key of HMAC-SHA-256, in base64. */
  digest_key: Secret,
});
type KeyFile = z.output<typeof KeyFile>;

/** Keys that nobody else has, and that are gone with the process. */
export function makeLedgerKeys(origin?: string): LedgerKeys {
  return keysOf(newKeys(origin));
}

interface KeyFileOptions {
  /** The log's name. Default: what the file says, or for a new one a name that no other log has. */
  origin?: string | undefined;
  /** Whether a file that is missing is made. Not for a log that was signed: it needs the key that it was signed with. */
  mayMake: boolean;
}

/**
 * Reads the log's keys, or makes them, mode 0600; of several processes that make them at once, all use the same.
 * @throws {LedgerKeyError} When others may read the file, or it is missing, damaged or of another origin.
 */
export function openLedgerKeys(path: string, { origin, mayMake }: KeyFileOptions): LedgerKeys {
  const content = readPrivately(path) ?? (mayMake ? make(path, newKeys(origin)) : undefined);
  if (content === undefined) {
    throw new LedgerKeyError(
      `The log was signed with a key that is not at ${path}; bring that file back. A new key would break the proofs.`,
    );
  }
  const file = parse(content, path);
  if (origin !== undefined && file.origin !== origin) {
    throw new LedgerKeyError(
      `The key at ${path} is that of ${file.origin}, not of ${origin}; give another keyFile, or the origin it has.`,
    );
  }
  return keysOf(file);
}

function keysOf({ origin, signing_key: seed, digest_key: secret }: KeyFile): LedgerKeys {
  const key = Buffer.from(secret, 'base64');
  return {
    signer: createNoteSigner(origin, Buffer.from(seed, 'base64')),
    digest: (text) => createHmac('sha256', key).update(text).digest('hex'),
    secretFor: (purpose) =>
      new Uint8Array(hkdfSync('sha256', key, '', `@buddy/governance ${purpose}`, SECRET_BYTES)),
  };
}

/** From the system's generator and nowhere else: a seeded one has no business here. */
function newKeys(origin: string | undefined): KeyFile {
  return {
    format: 'buddy-ledger-keys@1',
    // Each log has a name of its own, so that no checkpoint can be taken for another log's.
    origin: origin ?? `buddy.local/audit-${randomBytes(6).toString('hex')}`,
    signing_key: randomBytes(SECRET_BYTES).toString('base64'),
    digest_key: randomBytes(SECRET_BYTES).toString('base64'),
  };
}

/** Undefined when there is no such file. */
function readPrivately(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (isCoded(error, 'ENOENT')) return undefined;
    throw unusable(path, error);
  }
  try {
    const { mode } = fstatSync(file);
    // Windows has no such bits; there the folder's rights have to do.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8);
      throw new LedgerKeyError(
        `Others may use the key at ${path} (mode ${shown}). Run chmod 600 on it; if somebody may have read it, start a new log.`,
      );
    }
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Whole or not at all, and never over another's: written beside, then linked to its name. */
function make(path: string, keys: KeyFile): string {
  const content = `${JSON.stringify(keys, null, 2)}\n`;
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
    } finally {
      unlinkSync(temporary);
    }
    syncFolder(dirname(path));
    return content;
  } catch (error) {
    const others = isCoded(error, 'EEXIST') ? readPrivately(path) : undefined;
    if (others === undefined) throw unusable(path, error);
    return others;
  }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function parse(content: string, path: string): KeyFile {
  try {
    return KeyFile.parse(JSON.parse(content));
  } catch {
    // The cause is left out on purpose: a parser's message quotes what it read.
    throw new LedgerKeyError(`The key file ${path} is damaged; bring back a copy of it.`);
  }
}

function unusable(path: string, error: unknown): LedgerKeyError {
  return new LedgerKeyError(
    `The key file ${path} cannot be used: ${describeFailure(error).message}`,
    { cause: error },
  );
}

function isCoded(error: unknown, code: string): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === code;
}
