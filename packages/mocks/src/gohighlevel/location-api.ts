import { opaqueId } from '../sample-data/opaque-id.ts';
import { opaqueUuid } from '../sample-data/opaque-uuid.ts';
import type { Json, WireRequest } from '../wire/message.ts';
import type { StateChange, WireAnswer, WireCall } from '../wire/provider.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import type { Access } from './access.ts';
import { type ContactBook, withChanges } from './contact-book.ts';
import { OPERATIONS, type OperationOfLocation } from './operations.ts';
import type { GoHighLevelMockOptions } from './options.ts';
import { badRequest, duplicate, missing, noSuchContact, ok } from './replies.ts';
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
import { hasWords, readSearch, searchContacts } from './search/search-contacts.ts';
import { shown, shownInList, shownOnCreation, type StoredContact } from './stored-contact.ts';
import type { WireVersion } from './version.ts';

/** A call that has been let in. */
export interface Visit {
  readonly operation: OperationOfLocation;
  /** Of the contact or the location that the path names. */
  readonly id: string | undefined;
  readonly request: WireRequest;
  readonly call: WireCall;
  readonly version: WireVersion;
}

/** What can be done at a location, and what is answered to it. Refusals are thrown as `RequestRefusedError`. */
export class LocationApi {
  readonly #options: GoHighLevelMockOptions;
  readonly #book: ContactBook;
  readonly #access: Access;

  constructor(options: GoHighLevelMockOptions, book: ContactBook, access: Access) {
    this.#options = options;
    this.#book = book;
    this.#access = access;
  }

  serve(visit: Visit): WireAnswer {
    switch (visit.operation) {
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
    const start = startAfterId === undefined ? undefined : this.#placeOf(startAfterId);
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
    const { request, call, operation } = visit;
    const before = this.#require(visit);
    const given = readTags(bodyOf(request));
    const isAdding = operation === 'contacts.tags.add';
    const tags = isAdding
      ? [...before.tags, ...given]
      : before.tags.filter((tag) => !given.includes(tag));
    const after = this.#book.put(withChanges(before, { tags: [...tags] }, call.at), call.at);
    return {
      ...ok({ tags: after.tags }, isAdding ? 201 : 200),
      changes: [change('updated', after.id)],
    };
  }

  #location({ id = '' }: Visit): WireAnswer {
    const { locationId, allowDuplicates, seed } = this.#options;
    this.#access.requireLocation(id);
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

  #require({ operation, id = '', call }: Visit): StoredContact {
    const isRead = !OPERATIONS[operation].isWrite;
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

  #placeOf(startAfterId: string): number {
    const place = this.#book.placeOf(startAfterId);
    if (place !== undefined) return place;
    throw new RequestRefusedError(
      badRequest('startAfterId does not come from an answer to this list'),
    );
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
