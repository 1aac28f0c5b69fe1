import { timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Approval } from './approval.ts';
import { macOf, putMac } from './approval-store.ts';
import { keyedDigest } from './binding.ts';

/** So that what vouches for one kind of thing is nothing for another. */
export type Attested = 'approval' | 'grant';

/**
 * Says of an open request that all that stands in its rows was written by who has the key: state, terms, whom it is for, and
 * every vote, each with its person, role and time (HMAC-SHA-256 of its canonical JSON, RFC 8785). Whoever can only write the
 * database can thus not approve. What has ended bears none, so that its own is of no use to bring it back.
 */
export class Attestation {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** After each change of an open request, of which it was known before that it is genuine. */
  attest({ database }: LedgerTransaction, approval: Approval): void {
    putMac(database, approval.id, this.macOf('approval', approval));
  }

  /** False also for what an older version of the package filed, which attested nothing. */
  isGenuine(database: DatabaseSync, approval: Approval): boolean {
    return this.isMacOf(macOf(database, approval.id), 'approval', approval);
  }

  isMacOf(mac: string | null | undefined, kind: Attested, value: object): boolean {
    if (typeof mac !== 'string') return false;
    const [given, expected] = [Buffer.from(mac), Buffer.from(this.macOf(kind, value))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  macOf(kind: Attested, value: object): string {
    return keyedDigest(this.#key, { kind, value });
  }
}
