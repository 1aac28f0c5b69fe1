import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { IsAdmitted } from '../exchange/is-admitted.ts';
import type { Json, WireRequest, WireResponse } from '../wire/message.ts';
import type { Refusal, WireAnswer, WireCall, WireProvider } from '../wire/provider.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import { Access, AccessState } from './access.ts';
import { ContactBook } from './contact-book.ts';
import { LocationApi } from './location-api.ts';
import { OPERATIONS, routeOf, SCOPE_OF } from './operations.ts';
import type { GoHighLevelMockOptions } from './options.ts';
import { RateLimits, RateLimitState } from './rate-limits.ts';
import { failed, noSuchRoute, unauthorized } from './replies.ts';
import { storedSamples } from './sample-contacts.ts';
import { StoredContact } from './stored-contact.ts';
import { versionOf } from './version.ts';

/** What a fault asks to wait when it does not say. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

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
  readonly #location: LocationApi;

  constructor(options: GoHighLevelMockOptions, isAdmitted?: IsAdmitted) {
    this.#options = options;
    this.#book = new ContactBook(options.searchLagMs);
    this.#access = new Access(options, isAdmitted);
    this.#location = new LocationApi(options, this.#book, this.#access);
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
    const { nextOrder, entries, writes, placesOfDeleted } = this.#book.state();
    return {
      provider: this.name,
      locationId: this.#options.locationId,
      nextOrder,
      entries: entries.map(({ order, contact }) => ({ order, contact })),
      writes: writes.map(({ before, ...write }) => ({
        ...write,
        ...(before && { before }),
      })),
      placesOfDeleted: placesOfDeleted.map((place) => [...place]),
      limits: { ...this.#limits.state() },
      access: this.#access.snapshot(),
    };
  }

  restore(snapshot: unknown): void {
    const state = parseOrThrow(Snapshot, snapshot, 'snapshot of a GoHighLevel mock');
    this.#book.reset({
      nextOrder: state.nextOrder,
      entries: state.entries,
      writes: state.writes.map((write) => ({ before: undefined, ...write })),
      placesOfDeleted: state.placesOfDeleted,
    });
    this.#limits.reset(state.limits);
    this.#access.reset(state.access);
  }

  reset(): void {
    const { seed, contacts: count, locationId } = this.#options;
    const entries = storedSamples({ seed, count, locationId }).map((contact, order) => ({
      order,
      contact,
    }));
    this.#book.reset({ nextOrder: entries.length, entries, writes: [], placesOfDeleted: [] });
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
    const { operation, id } = route;
    const header = request.headers['version'];
    if (operation === 'health.get') return { status: 200, headers: {} };
    if (operation === 'token.create') return this.#access.issue(request, call, header === 'v3');
    if (header === undefined) return unauthorized('version header was not found.');
    const version = versionOf(header);
    if (!version) return unauthorized('version header is invalid');
    this.#access.require(SCOPE_OF[operation], request, call.at);
    return this.#location.serve({ operation, id, request, call, version });
  }
}

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
  placesOfDeleted: z.array(z.tuple([z.string(), z.int()])),
  limits: RateLimitState,
  access: AccessState,
});
