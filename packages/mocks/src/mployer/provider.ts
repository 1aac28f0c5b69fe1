import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { opaqueId } from '../sample-data/opaque-id.ts';
import { complaintsOf } from '../wire/complaints.ts';
import { DEEPEST_JSON, isDeeperThan } from '../wire/json-depth.ts';
import type { Json, WireRequest, WireResponse } from '../wire/message.ts';
import type { Refusal, WireAnswer, WireCall, WireProvider } from '../wire/provider.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import type { MployerContact, MployerSearchResult } from './client.ts';
import { canonical, Directory, type Filters } from './directory.ts';
import { MployerFilters } from './filters.ts';
import { OPERATIONS, operationOf } from './operations.ts';
import type { MployerMockOptions } from './options.ts';
import { Quota, QuotaState } from './quota.ts';
import { errorReply, failed, invalid, refusal } from './replies.ts';
import { Credentials, Extraction, SearchEnvelope, type SearchSort } from './requests.ts';
import { type Session, Sessions } from './sessions.ts';

const COOKIE = 'mployer_session';

/** Mployer as a contract of ours describes it: sessions, the people whom searches find, and a daily quota. */
export class MployerProvider implements WireProvider {
  readonly name = 'mployer';
  readonly operations = OPERATIONS;
  readonly #options: MployerMockOptions;
  readonly #sessions = new Sessions();
  readonly #directory: Directory;
  readonly #quota: Quota;

  constructor(options: MployerMockOptions) {
    this.#options = options;
    this.#directory = new Directory(options.seed);
    this.#quota = new Quota(options.dailyExtractions);
  }

  openSessions(now: number): number {
    return this.#sessions.countOpen(now);
  }

  operationOf(request: WireRequest): string | undefined {
    return operationOf(request);
  }

  handle(request: WireRequest, call: WireCall): WireAnswer {
    try {
      return named(this.#answer(request, call), call);
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      return named(error.answer, call);
    }
  }

  refuse({ status, retryAfterMs }: Refusal, request: WireRequest, call: WireCall): WireResponse {
    const answer = named(
      status === 401 && operationOf(request) === 'session.create'
        ? wrongCredentials(call)
        : failed(status, call.requestId),
      call,
    );
    if (retryAfterMs === undefined) return answer;
    // The header counts in seconds; it may say a part of one, which ours understands.
    return {
      ...answer,
      headers: { ...answer.headers, 'retry-after': String(retryAfterMs / 1_000) },
    };
  }

  snapshot(): Json {
    return {
      provider: this.name,
      sessions: this.#sessions.state().map((session) => ({ ...session })),
      searches: this.#directory.searched().map((filters) => asJson(filters)),
      quota: { ...this.#quota.state() },
    };
  }

  restore(snapshot: unknown): void {
    const state = parseOrThrow(Snapshot, snapshot, 'snapshot of a Mployer mock');
    this.#sessions.reset(state.sessions);
    this.#directory.clear();
    for (const filters of state.searches) this.#directory.find(filters);
    this.#quota.reset(state.quota);
  }

  reset(): void {
    this.#sessions.reset();
    this.#directory.clear();
    this.#quota.reset();
  }

  #answer(request: WireRequest, call: WireCall): WireAnswer {
    const operation = operationOf(request);
    switch (operation) {
      case undefined:
        return failed(404, call.requestId);
      case 'session.create':
        return this.#login(request, call);
      case 'session.get':
        return this.#session(request, call);
      case 'session.delete':
        return this.#logout(request);
      case 'contacts.search':
        return this.#search(request, call);
      case 'contacts.extract':
        return this.#extract(request, call);
    }
  }

  #login(request: WireRequest, call: WireCall): WireAnswer {
    const { email, password } = check(Credentials, bodyOf(request, call), call);
    if (!this.#accepts(email, password)) return wrongCredentials(call);
    const { seed, sessionMs } = this.#options;
    const token = opaqueId(40, seed, 'mployer', 'session', call.n);
    const session = { expiresAt: call.at + sessionMs, email };
    this.#sessions.open(token, session, call.at);
    const seconds = Math.floor(sessionMs / 1_000);
    return {
      status: 201,
      headers: {
        'set-cookie': `${COOKIE}=${token}; Max-Age=${seconds}; Path=/; HttpOnly; Secure; SameSite=Strict`,
      },
      body: { session: { token, expiresAt: isoTime(session.expiresAt) }, user: this.#user(email) },
      changes: [{ kind: 'created', what: 'session', id: this.#user(email).id }],
    };
  }

  #session(request: WireRequest, call: WireCall): WireAnswer {
    const { email, expiresAt } = this.#require(request, call);
    return {
      status: 200,
      headers: {},
      body: { session: { expiresAt: isoTime(expiresAt) }, user: this.#user(email) },
    };
  }

  /** Without a session it does nothing, so that doing it again is no error. */
  #logout(request: WireRequest): WireAnswer {
    this.#sessions.close(tokenOf(request));
    return { status: 204, headers: {} };
  }

  #search(request: WireRequest, call: WireCall): WireAnswer {
    this.#require(request, call);
    const envelope = check(SearchEnvelope, bodyOf(request, call), call);
    const filters = check(MployerFilters, envelope.filters, call);
    const { pageSize, sort } = envelope;
    const mark = opaqueId(12, this.#options.seed, canonical(filters), JSON.stringify(sort ?? null));
    const number = pageOf(envelope, mark, call);
    const people = sorted(this.#directory.find(filters), sort);
    const totalPages = Math.max(1, Math.ceil(people.length / pageSize));
    const results = people.slice((number - 1) * pageSize, number * pageSize);
    return {
      status: 200,
      headers: {},
      body: {
        results: results.map((person) => asJson(withoutAddresses(person))),
        page: {
          number,
          size: pageSize,
          totalResults: people.length,
          totalPages,
          nextCursor: number < totalPages ? `${number + 1}.${mark}` : null,
        },
      },
    };
  }

  #extract(request: WireRequest, call: WireCall): WireAnswer {
    this.#require(request, call);
    const { contactIds } = check(Extraction, bodyOf(request, call), call);
    const contacts: Json[] = [];
    const unavailable: { id: string; reason: string }[] = [];
    for (const id of contactIds) {
      const person = this.#directory.person(id);
      if (!person) unavailable.push({ id, reason: 'not found by any recent search' });
      else if (!this.#quota.take(call.at)) {
        unavailable.push({ id, reason: 'the quota of today is used up' });
      } else contacts.push(asJson(person));
    }
    return {
      status: 200,
      headers: {},
      body: { contacts, unavailable, quota: this.#quota.left(call.at) },
    };
  }

  #accepts(email: string, password: string): boolean {
    const { accounts } = this.#options;
    if (!accounts) return password !== '';
    return Object.hasOwn(accounts, email) && accounts[email] === password;
  }

  #require(request: WireRequest, call: WireCall): Session {
    const session = this.#sessions.find(tokenOf(request), call.at);
    if (session) return session;
    throw new RequestRefusedError(failed(401, call.requestId));
  }

  #user(email: string): { id: string; email: string } {
    return { id: opaqueId(12, this.#options.seed, 'mployer', 'user', email), email };
  }
}

const Snapshot = z.strictObject({
  provider: z.literal('mployer'),
  sessions: z.array(z.strictObject({ mark: z.string(), expiresAt: z.number(), email: z.string() })),
  searches: z.array(MployerFilters),
  quota: QuotaState,
});

function named(answer: WireAnswer, { requestId }: WireCall): WireAnswer {
  return { ...answer, headers: { ...answer.headers, 'x-request-id': requestId } };
}

function wrongCredentials({ requestId }: WireCall): WireResponse {
  return errorReply(401, 'INVALID_CREDENTIALS', 'E-mail address or password is wrong', requestId);
}

/** By the header, or by the cookie that the login set. */
function tokenOf({ headers }: WireRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const pairs = (headers['cookie'] ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1];
}

function bodyOf({ body }: WireRequest, call: WireCall): unknown {
  if (body.kind === 'none') return {};
  if (body.kind !== 'json') {
    throw refusal(400, 'BAD_REQUEST', 'The body is no JSON', call.requestId);
  }
  if (!isDeeperThan(DEEPEST_JSON, body.value)) return body.value;
  const complaint = `The body must not be nested more than ${DEEPEST_JSON} deep`;
  throw refusal(400, 'BAD_REQUEST', complaint, call.requestId);
}

function pageOf(
  { page, cursor }: z.output<typeof SearchEnvelope>,
  mark: string,
  call: WireCall,
): number {
  if (cursor === undefined) return page ?? 1;
  const [number, of] = cursor.split('.');
  if (page === undefined && of === mark && /^[1-9]\d*$/.test(number ?? '')) return Number(number);
  throw invalid(['cursor must be that of this search, without a page beside it'], call.requestId);
}

function sorted(
  people: readonly MployerContact[],
  sort: SearchSort | undefined,
): readonly MployerContact[] {
  if (!sort) return people;
  const sign = sort.direction === 'asc' ? 1 : -1;
  return people.toSorted((a, b) => {
    const [left, right] = [sortValue(a, sort.field), sortValue(b, sort.field)];
    if (left === right) return 0;
    return left < right ? -sign : sign;
  });
}

function sortValue(person: MployerContact, field: SearchSort['field']): string | number {
  if (field === 'companyName') return person.company.name;
  if (field === 'employeeCount') return person.company.employeeCount;
  return person[field];
}

function withoutAddresses({
  email: _email,
  phone: _phone,
  ...shown
}: MployerContact): MployerSearchResult {
  return shown;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

/** Interfaces have no index signature, so that what is JSON cannot say so. */
function asJson(value: MployerSearchResult | Filters): { readonly [key: string]: Json } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of text, numbers and booleans only
  return value as unknown as { readonly [key: string]: Json };
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { requestId }: WireCall,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(complaintsOf(result.error), requestId);
}
