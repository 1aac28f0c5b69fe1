import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { opaqueId } from '../sample-data/opaque-id.ts';
import { opaqueUuid } from '../sample-data/opaque-uuid.ts';
import type { Json, WireRequest, WireResponse } from '../wire/message.ts';
import type { Refusal, StateChange, WireAnswer, WireCall, WireProvider } from '../wire/provider.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import { Access } from './access.ts';
import { ContactBook, withChanges } from './contact-book.ts';
import { hasWords, readSearch, searchContacts } from './contact-search.ts';
import { OPERATIONS, type Operation, type Route, routeOf } from './operations.ts';
import type { GoHighLevelMockOptions } from './options.ts';
import { RateLimits, RateLimitState } from './rate-limits.ts';
import {
  duplicate,
  failed,
  missing,
  noSuchContact,
  noSuchRoute,
  ok,
  unauthorized,
} from './replies.ts';
import {
  bodyOf,
  type CreateRequest,
  readCreate,
  readDuplicateQuery,
  readList,
  readTags,
  readUpdate,
  readUpsert,
  type UpdateRequest,
} from './requests.ts';
import { sampleContacts } from './sample-contacts.ts';
import { asJson, shown, shownInList, shownOnCreation, StoredContact } from './stored-contact.ts';
import { versionOf, type WireVersion } from './version.ts';

/** What a fault asks to wait when it does not say. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

/** A call on its way through the provider. */
interface Visit {
  readonly request: WireRequest;
  readonly call: WireCall;
  readonly route: Route;
  readonly version: WireVersion;
}

/**
 * A location of GoHighLevel as its API shows it (contacts, Version 2021-07-28 and v3): which answers it gives, and what
 * they change.
 */
export class GoHighLevelProvider implements WireProvider {
  readonly name = 'gohighlevel';
  readonly operations = OPERATIONS;
  readonly #options: GoHighLevelMockOptions;
  readonly #book: ContactBook;
  readonly #limits = new RateLimits();
  readonly #access: Access;

  constructor(options: GoHighLevelMockOptions) {
    this.#options = options;
    this.#book = new ContactBook(options.searchLagMs);
    this.#access = new Access(options);
    this.reset();
  }

  /** Oldest first. */
  contacts(): readonly StoredContact[] {
    return this.#book.contacts();
  }

  operationOf(request: WireRequest): string | undefined {
    return routeOf(request)?.operation;
  }

  handle(request: WireRequest, call: WireCall): WireAnswer {
    const isAdmitted = this.#limits.admit(call.requestId, call.at);
    if (!isAdmitted && call.areLimitsEnforced) return this.#asAnswer(failed(429), call);
    try {
      return this.#asAnswer(this.#answer(request, call), call);
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      return this.#asAnswer(error.answer, call);
    }
  }

  refuse({ status, retryAfterMs }: Refusal, _request: WireRequest, call: WireCall): WireResponse {
    this.#limits.admit(call.requestId, call.at);
    const { headers, ...answer } = this.#asAnswer(failed(status), call);
    if (status !== 429) {
      const wait =
        retryAfterMs === undefined ? {} : { 'retry-after': String(retryAfterMs / 1_000) };
      return { ...answer, headers: { ...headers, ...wait } };
    }
    return {
      ...answer,
      headers: {
        ...headers,
        'x-ratelimit-remaining': '0',
        // Here the provider says how long to wait; of a limit it sends no Retry-After.
        'x-ratelimit-interval-milliseconds': String(retryAfterMs ?? DEFAULT_RETRY_AFTER_MS),
      },
    };
  }

  snapshot(): Json {
    const { nextOrder, entries, writes } = this.#book.state();
    return {
      provider: this.name,
      locationId: this.#options.locationId,
      nextOrder,
      entries: entries.map(({ order, contact }) => ({ order, contact: asJson(contact) })),
      writes: writes.map(({ before, ...write }) => ({
        ...write,
        ...(before && { before: asJson(before) }),
      })),
      limits: { ...this.#limits.state() },
      usedUpTokens: this.#access.snapshot(),
    };
  }

  restore(snapshot: unknown): void {
    const state = parseOrThrow(Snapshot, snapshot, 'snapshot of a GoHighLevel mock');
    this.#book.reset({
      nextOrder: state.nextOrder,
      entries: state.entries,
      writes: state.writes.map((write) => ({ before: undefined, ...write })),
    });
    this.#limits.reset(state.limits);
    this.#access.reset(state.usedUpTokens);
  }

  reset(): void {
    const { seed, contacts: count, locationId } = this.#options;
    const entries = sampleContacts({ seed, count, locationId }).map((contact, order) => ({
      order,
      contact,
    }));
    this.#book.reset({ nextOrder: entries.length, entries, writes: [] });
    this.#limits.reset();
    this.#access.reset();
  }

  #asAnswer(answer: WireAnswer, call: WireCall): WireAnswer {
    const headers = {
      ...answer.headers,
      ...this.#limits.headers(call.areLimitsEnforced),
      'x-request-id': call.requestId,
    };
    return { ...answer, headers };
  }

  #answer(request: WireRequest, call: WireCall): WireAnswer {
    const route = routeOf(request);
    if (!route) return noSuchRoute(request.method, request.path);
    const header = request.headers['version'];
    if (route.operation === 'health.get') return { status: 200, headers: {} };
    if (route.operation === 'token.create') {
      return this.#access.issue(request, call, header === 'v3');
    }
    if (header === undefined) return unauthorized('version header was not found.');
    const version = versionOf(header);
    if (!version) return unauthorized('version header is invalid');
    this.#access.require(SCOPE_OF[route.operation], request, call.at);
    return this.#serve({ request, call, route, version });
  }

  #serve(visit: Visit): WireAnswer {
    const { operation } = visit.route;
    switch (operation) {
      case 'contacts.create':
        return this.#create(visit);
      case 'contacts.upsert':
        return this.#upsert(visit);
      case 'contacts.get':
        return ok({ contact: shown(this.#require(visit), visit.version) });
      case 'contacts.update':
        return this.#update(visit);
      case 'contacts.delete':
        return this.#delete(visit);
      case 'contacts.search':
        return this.#search(visit);
      case 'contacts.duplicate':
        return this.#duplicate(visit);
      case 'contacts.list':
        return this.#list(visit);
      case 'contacts.tags.add':
      case 'contacts.tags.remove':
        return this.#changeTags(visit);
      case 'location.get':
        return this.#location(visit);
      case 'health.get':
      case 'token.create':
        return noSuchRoute(visit.request.method, visit.request.path); // answered before
    }
  }

  #create({ request, call, version }: Visit): WireAnswer {
    const body = this.#bodyOfLocation(request);
    const fields = readCreate(body, version);
    this.#requireIdentity(fields);
    this.#requireUnique(fields, undefined, call);
    const contact = this.#add(fields, call);
    return {
      ...ok({ contact: shownOnCreation(contact, version) }, 201),
      changes: [change('created', contact.id)],
    };
  }

  #upsert({ request, call, version }: Visit): WireAnswer {
    const body = this.#bodyOfLocation(request);
    const { createNewIfDuplicateAllowed, ...fields } = readUpsert(body, version);
    const traceId = this.#traceId(call);
    const mayRepeat = createNewIfDuplicateAllowed && this.#options.allowDuplicates;
    const existing = mayRepeat ? undefined : this.#firstMatch(fields);
    if (!existing) {
      this.#requireIdentity(fields);
      const contact = this.#add(fields, call);
      return {
        ...ok({ new: true, contact: shown(contact, version), traceId }),
        changes: [change('created', contact.id)],
      };
    }
    const contact = this.#book.put(
      withChanges(existing, this.#withoutTaken(fields, existing.id), call.at),
      call.at,
    );
    return {
      ...ok({ new: false, contact: shown(contact, version), traceId }),
      changes: [change('updated', contact.id)],
    };
  }

  #update(visit: Visit): WireAnswer {
    const { request, call, version } = visit;
    const before = this.#require(visit);
    const fields = readUpdate(bodyOf(request), version);
    this.#requireUnique(fields, before.id, call);
    const contact = this.#book.put(withChanges(before, fields, call.at), call.at);
    return {
      ...ok({ ...succeeded(version), contact: shown(contact, version) }),
      changes: [change('updated', contact.id)],
    };
  }

  #delete(visit: Visit): WireAnswer {
    const { id } = this.#require(visit);
    this.#book.delete(id, visit.call.at);
    return { ...ok(succeeded(visit.version)), changes: [change('deleted', id)] };
  }

  #search({ request, call, version }: Visit): WireAnswer {
    const search = readSearch(bodyOf(request));
    this.#access.requireLocation(search.locationId);
    const traceId = this.#traceId(call);
    const { total, found } = searchContacts(this.#book.visible(call.at, call.isStale), search, {
      placeOf: (id) => this.#book.placeOf(id),
      traceId,
    });
    const contacts = found.map(({ contact, searchAfter }) => ({
      ...shown(contact, version),
      searchAfter,
    }));
    return ok({ contacts, total, traceId });
  }

  #duplicate({ request, call, version }: Visit): WireAnswer {
    this.#requireLocationParameter(request);
    const { email, number: phone } = readDuplicateQuery(request.query);
    const contact = this.#firstMatch({ email, phone }, call.isStale);
    return ok({
      contact: contact ? shown(contact, version) : null,
      traceId: this.#traceId(call),
    });
  }

  /** Deprecated, and still answered, by v3 too. Newest first. */
  #list({ request, call }: Visit): WireAnswer {
    this.#requireLocationParameter(request);
    const { limit, startAfter, startAfterId, query = '' } = readList(request.query);
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const all = this.#book
      .visible(call.at, call.isStale)
      .filter(({ contact }) => hasWords(contact, words))
      .toReversed();
    const start = startAfterId === undefined ? undefined : this.#book.placeOf(startAfterId);
    const rest = all.filter(({ order, contact }) => {
      if (start !== undefined) return order < start;
      return startAfter === undefined || Date.parse(contact.dateAdded) < startAfter;
    });
    const page = rest.slice(0, limit).map(({ contact }) => contact);
    const last = rest.length > limit ? page.at(-1) : undefined;
    const currentPage = Math.floor((all.length - rest.length) / limit) + 1;
    return ok({
      contacts: page.map((contact) => shownInList(contact)),
      meta: {
        total: all.length,
        ...(last && {
          nextPageUrl: nextPageUrl(request, limit, last),
          startAfterId: last.id,
          startAfter: Date.parse(last.dateAdded),
        }),
        currentPage,
        ...(last && { nextPage: currentPage + 1 }),
        prevPage: currentPage > 1 ? currentPage - 1 : null,
      },
      traceId: this.#traceId(call),
    });
  }

  #changeTags(visit: Visit): WireAnswer {
    const { request, call, route } = visit;
    const before = this.#require(visit);
    const given = readTags(bodyOf(request));
    const isAdding = route.operation === 'contacts.tags.add';
    const tags = isAdding
      ? [...before.tags, ...given]
      : before.tags.filter((tag) => !given.includes(tag));
    const after = this.#book.put(withChanges(before, { tags: [...tags] }, call.at), call.at);
    return {
      ...ok({ tags: after.tags }, isAdding ? 201 : 200),
      changes: [change('updated', after.id)],
    };
  }

  #location({ route }: Visit): WireAnswer {
    const { locationId, allowDuplicates, seed } = this.#options;
    this.#access.requireLocation(route.id ?? '');
    return ok({
      location: {
        id: locationId,
        companyId: opaqueId(20, seed, 'gohighlevel', 'company'),
        name: locationId,
        country: 'US',
        timezone: 'America/Los_Angeles',
        settings: { allowDuplicateContact: allowDuplicates },
      },
    });
  }

  #require({ route, call }: Visit): StoredContact {
    const id = route.id ?? '';
    const isRead = !OPERATIONS[route.operation].isWrite;
    const contact = this.#book.get(id, isRead && call.isStale);
    if (contact) return contact;
    throw new RequestRefusedError(noSuchContact(id, this.#options.notFoundStatus));
  }

  #bodyOfLocation(request: WireRequest): Readonly<Record<string, unknown>> {
    const body = bodyOf(request);
    const { locationId } = body;
    if (locationId === undefined || locationId === '') {
      throw this.#missing('locationId should not be empty');
    }
    if (typeof locationId === 'string') this.#access.requireLocation(locationId);
    return body;
  }

  #requireLocationParameter({ query }: WireRequest): void {
    const locationId = query.get('locationId');
    if (!locationId) throw this.#missing('locationId should not be empty');
    this.#access.requireLocation(locationId);
  }

  #requireIdentity({ email, phone, name, firstName, lastName }: CreateRequest): void {
    if (email || phone || name || firstName || lastName) return;
    throw this.#missing('email, phone or name should not be empty');
  }

  #missing(complaint: string): RequestRefusedError {
    return new RequestRefusedError(missing(complaint, this.#options.missingFieldStatus));
  }

  /** Two contacts share neither e-mail address nor phone number, unless the location allows it. */
  #requireUnique(fields: UpdateRequest, ownId: string | undefined, call: WireCall): void {
    if (this.#options.allowDuplicates) return;
    for (const { field, contact } of this.#matches(fields)) {
      if (contact.id === ownId) continue;
      throw new RequestRefusedError(duplicate(contact, field, this.#traceId(call)));
    }
  }

  /** Those with this address or number, in the order in which the location looks for them. */
  #matches({ email, phone }: UpdateRequest, isStale = false) {
    const byEmail = { field: 'email' as const, contact: this.#holder(email, 'email', isStale) };
    const byPhone = { field: 'phone' as const, contact: this.#holder(phone, 'phone', isStale) };
    const both = this.#options.matchFirst === 'email' ? [byEmail, byPhone] : [byPhone, byEmail];
    return both.flatMap(({ field, contact }) => (contact ? [{ field, contact }] : []));
  }

  #holder(
    address: string | null | undefined,
    field: 'email' | 'phone',
    isStale: boolean,
  ): StoredContact | undefined {
    return address ? this.#book.firstWith(field, address, isStale) : undefined;
  }

  #firstMatch(fields: UpdateRequest, isStale = false): StoredContact | undefined {
    return this.#matches(fields, isStale)[0]?.contact;
  }

  /** Without the address that belongs to another contact: the provider leaves that one out rather than have it twice. */
  #withoutTaken<Fields extends UpdateRequest>(fields: Fields, ownId: string): Fields {
    if (this.#options.allowDuplicates) return fields;
    const taken = this.#matches(fields).filter(({ contact }) => contact.id !== ownId);
    const left: Fields = { ...fields };
    for (const { field } of taken) delete left[field];
    return left;
  }

  #add(fields: CreateRequest, call: WireCall): StoredContact {
    const { locationId } = this.#options;
    const dateAdded = new Date(call.at).toISOString();
    const blank: StoredContact = {
      id: this.#newId(call),
      locationId,
      tags: NOTHING,
      customFields: NOTHING,
      dateAdded,
      dateUpdated: dateAdded,
    };
    return this.#book.put(withChanges(blank, fields, call.at), call.at);
  }

  /** Fixed by seed and number of the call; another one where a restored state has it already. */
  #newId({ operation, n }: WireCall): string {
    const kind = operation === 'contacts.upsert' ? 'upserted contact' : 'contact';
    let id = opaqueId(20, this.#options.seed, 'gohighlevel', kind, n);
    for (let again = 1; this.#book.has(id); again += 1) {
      id = opaqueId(20, this.#options.seed, 'gohighlevel', kind, n, again);
    }
    return id;
  }

  #traceId({ operation, n }: WireCall): string {
    return opaqueUuid(this.#options.seed, 'gohighlevel', operation, n);
  }
}

const NOTHING: readonly never[] = Object.freeze([]);

const SCOPE_OF: Readonly<Record<Operation, Parameters<Access['require']>[0]>> = {
  'contacts.create': 'contacts.write',
  'contacts.upsert': 'contacts.write',
  'contacts.get': 'contacts.readonly',
  'contacts.update': 'contacts.write',
  'contacts.delete': 'contacts.write',
  'contacts.search': 'contacts.readonly',
  'contacts.duplicate': 'contacts.readonly',
  'contacts.list': 'contacts.readonly',
  'contacts.tags.add': 'contacts.write',
  'contacts.tags.remove': 'contacts.write',
  'location.get': 'locations.readonly',
  'health.get': 'locations.readonly',
  'token.create': 'locations.readonly',
};

const Snapshot = z.strictObject({
  provider: z.literal('gohighlevel'),
  locationId: z.string(),
  nextOrder: z.int().nonnegative(),
  entries: z.array(z.strictObject({ order: z.int(), contact: StoredContact })),
  writes: z.array(
    z.strictObject({
      at: z.number(),
      order: z.int(),
      id: z.string(),
      before: StoredContact.exactOptional(),
    }),
  ),
  limits: RateLimitState,
  usedUpTokens: z.array(z.string()),
});

function change(kind: StateChange['kind'], id: string): StateChange {
  return { kind, what: 'contact', id };
}

/** The dated versions misspell it, and always have. */
function succeeded(version: WireVersion): { readonly [key: string]: Json } {
  return version === 'v3' ? { succeeded: true } : { succeded: true };
}

function nextPageUrl({ origin, query }: WireRequest, limit: number, last: StoredContact): string {
  const next = new URLSearchParams(query);
  next.set('limit', String(limit));
  next.set('startAfter', String(Date.parse(last.dateAdded)));
  next.set('startAfterId', last.id);
  return `${origin}/contacts/?${next.toString()}`;
}
