import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Person, personKey } from '../../roles/roles.ts';
import type { Approval } from '../approval.ts';

const LIFETIME_MS = 3_600_000;

/**
 * Proof that a form was shown to this person, about this request, as it is now, within the last hour. Another site cannot
 * make one, and one of another person or request does not fit.
 */
export class FormTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  issue(person: Person, approval: Approval, at: number): string {
    const expiresAt = at + LIFETIME_MS;
    return `${expiresAt}.${this.#mac(person, approval, expiresAt).toString('base64url')}`;
  }

  check(
    token: string,
    person: Person,
    approval: Approval,
    at: number,
  ): 'good' | 'stale' | 'forged' {
    const [expiry = '', mac = ''] = token.split('.', 2);
    const expiresAt = /^\d{1,15}$/.test(expiry) ? Number(expiry) : Number.NaN;
    const expected = this.#mac(person, approval, expiresAt);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged';
    return at < expiresAt ? 'good' : 'stale';
  }

  #mac(person: Person, { id, bindingDigest }: Approval, expiresAt: number): Buffer {
    const text = JSON.stringify([
      'vote',
      personKey(person.id),
      person.role,
      id,
      bindingDigest,
      expiresAt,
    ]);
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
