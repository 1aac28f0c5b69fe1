import { z } from 'zod';
import { ProviderAuthError } from '../errors.ts';
import type { Call } from '../exchange/exchange.ts';
import { validate } from '../exchange/validate.ts';
import { opaqueId } from '../sample-data/opaque-id.ts';
import type {
  MployerContact,
  MployerExtraction,
  MployerSearchPage,
  MployerSearchResult,
  MployerSession,
} from './client.ts';
import { MployerFilters } from './filters.ts';
import type { MployerMockOptions } from './options.ts';
import { matchingPeople } from './people.ts';

const Credentials = z.strictObject({
  email: z.email('must be an email'),
  password: z.string('must be a string'),
});

const Extraction = z.strictObject({
  contactIds: z
    .array(z.string('must be a string'), 'must be an array')
    .max(100, 'must not hold more than 100'),
});

const PAGE_SIZE = 25;

/** How many different searches are remembered, at about 10 people each. */
const REMEMBERED_SEARCHES = 10_000;

/** Sessions, and the people whom searches have found: no clock, no waiting. What it takes is unchecked. */
export class MployerEngine {
  readonly #options: MployerMockOptions;
  readonly #sessions = new Map<string, { expiresAt: number }>();
  /** By the filters as JSON. The same filters find the same people, remembered or not. */
  readonly #searches = new Map<string, readonly MployerContact[]>();
  readonly #people = new Map<string, MployerContact>();

  constructor(options: MployerMockOptions) {
    this.#options = options;
  }

  reset(): void {
    this.#sessions.clear();
    this.#searches.clear();
    this.#people.clear();
  }

  openSessions(now: number): number {
    this.#dropExpired(now);
    return this.#sessions.size;
  }

  login(input: unknown, call: Call): MployerSession {
    const { email, password } = validate(Credentials, input, call);
    if (!this.#accepts(email, password)) {
      throw new ProviderAuthError('e-mail address or password is wrong', call, {
        providerCode: 'INVALID_CREDENTIALS',
      });
    }
    this.#dropExpired(call.at);
    const { seed, sessionMs } = this.#options;
    const token = opaqueId(40, seed, 'mployer', 'session', call.n);
    const expiresAt = call.at + sessionMs;
    this.#sessions.set(token, { expiresAt });
    return {
      session: { token, expiresAt: new Date(expiresAt).toISOString() },
      user: { id: opaqueId(12, seed, 'mployer', 'user', email), email },
    };
  }

  logout(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(token);
  }

  search(token: string | undefined, input: unknown, call: Call): MployerSearchPage {
    this.#requireSession(token, call);
    const filters = validate(MployerFilters, input, call);
    const results = this.#find(filters).map(asSearchResult);
    return {
      results,
      page: {
        number: 1,
        size: PAGE_SIZE,
        totalResults: results.length,
        totalPages: 1,
        nextCursor: null,
      },
    };
  }

  extract(token: string | undefined, input: unknown, call: Call): MployerExtraction {
    this.#requireSession(token, call);
    const { contactIds } = validate(Extraction, input, call);
    const contacts: MployerContact[] = [];
    const unavailable: { id: string; reason: string }[] = [];
    for (const id of contactIds) {
      const person = this.#people.get(id);
      if (person) contacts.push(person);
      else unavailable.push({ id, reason: 'not found by any recent search' });
    }
    return { contacts, unavailable };
  }

  #accepts(email: string, password: string): boolean {
    const { accounts } = this.#options;
    if (!accounts) return password !== '';
    return Object.hasOwn(accounts, email) && accounts[email] === password;
  }

  #requireSession(token: string | undefined, call: Call): void {
    const session = token === undefined ? undefined : this.#sessions.get(token);
    if (session && session.expiresAt > call.at) return;
    throw new ProviderAuthError('no session, or it has expired; log in first', call, {
      providerCode: 'SESSION_EXPIRED',
    });
  }

  /** Sessions all last equally long, so the oldest expire first. */
  #dropExpired(now: number): void {
    for (const [token, { expiresAt }] of this.#sessions) {
      if (expiresAt > now) return;
      this.#sessions.delete(token);
    }
  }

  #find(filters: z.output<typeof MployerFilters>): readonly MployerContact[] {
    const key = canonical(filters);
    const known = this.#searches.get(key);
    if (known) return known;
    this.#forgetOldestSearch();
    const people = matchingPeople(filters, key, this.#options.seed);
    this.#searches.set(key, people);
    for (const person of people) this.#people.set(person.id, person);
    return people;
  }

  #forgetOldestSearch(): void {
    if (this.#searches.size < REMEMBERED_SEARCHES) return;
    for (const [key, people] of this.#searches) {
      this.#searches.delete(key);
      for (const { id } of people) this.#people.delete(id);
      return;
    }
  }
}

/** The same text for the same filters, in whatever order they were written. */
function canonical(filters: z.output<typeof MployerFilters>): string {
  const set = Object.entries(filters).filter(([, value]) => value !== undefined);
  return JSON.stringify(set.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function asSearchResult({
  email: _email,
  phone: _phone,
  ...shown
}: MployerContact): MployerSearchResult {
  return shown;
}
