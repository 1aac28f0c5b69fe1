import { GHLError, HighLevel } from '@gohighlevel/api-client';
import { ManualClock } from '@buddy/core';
import { createGoHighLevelMock, type GoHighLevelMockInput } from '@buddy/mocks';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SDK_WAYS } from './crm/sdk-ways.ts';

// The vendor's own SDK, as it comes from npm; only its way out is another.

const LOCATION = 'buddyMockLocation001';
const START = Date.UTC(2026, 0, 1, 12);

type SdkConfig = ConstructorParameters<typeof HighLevel>[0];
const PRIVATE: SdkConfig = { privateIntegrationToken: 'pit-any' };

const SearchPage = z.object({ contacts: z.array(z.object({ searchAfter: z.array(z.unknown()) })) });
const ListPage = z.object({
  contacts: z.array(z.object({ id: z.string() })),
  meta: z.object({
    total: z.number(),
    startAfter: z.number().exactOptional(),
    startAfterId: z.string().exactOptional(),
  }),
});

async function failureOf(call: Promise<unknown>): Promise<GHLError> {
  const error: unknown = await call.catch((thrown: unknown) => thrown);
  if (error instanceof GHLError) return error;
  throw new Error(`expected a GHLError, got ${String(error)}`);
}

describe.each(SDK_WAYS)('the SDK of GoHighLevel, $name,', ({ open }) => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });

  async function make(input: GoHighLevelMockInput = {}, config = PRIVATE) {
    const clock = new ManualClock(START);
    const mock = createGoHighLevelMock({ latency: 'none', ...input }, { clock });
    const { direct, close } = await open(mock);
    opened.push(close);
    const sdkOf = (other: SdkConfig): HighLevel => {
      const sdk = new HighLevel({ logLevel: 'none', ...other });
      direct(sdk);
      return sdk;
    };
    return { clock, mock, sdkOf, sdk: sdkOf(config) };
  }

  it('creates, reads, changes and deletes a contact', async () => {
    const { sdk, mock } = await make();
    const created = await sdk.contacts.createContact({
      locationId: LOCATION,
      firstName: 'Ada',
      lastName: 'Lovelace',
      email: 'Ada@Example.com',
      phone: '(212) 555-0142',
    });
    const id = created.contact?.id ?? '';
    expect(created.contact).toMatchObject({ email: 'ada@example.com', phone: '+12125550142' });
    const read = await sdk.contacts.getContact({ contactId: id });
    expect(read.contact).toMatchObject({ id, name: 'Ada Lovelace', locationId: LOCATION });
    const updated = await sdk.contacts.updateContact(
      { contactId: id },
      {
        city: 'London',
      },
    );
    expect(updated).toMatchObject({ succeded: true, contact: { id, city: 'London' } });
    expect(await sdk.contacts.deleteContact({ contactId: id })).toEqual({ succeded: true });
    expect(mock.contacts()).toEqual([]);
  });

  it('creates by upsert at first, and changes by it then', async () => {
    const { sdk, mock } = await make();
    const upsert = (city: string) =>
      sdk.contacts.upsertContact({
        locationId: LOCATION,
        email: 'ada@example.com',
        city,
      });
    expect(await upsert('Paris')).toMatchObject({ new: true, contact: { city: 'Paris' } });
    expect(await upsert('London')).toMatchObject({ new: false, contact: { city: 'London' } });
    expect(mock.contacts()).toHaveLength(1);
  });

  it('searches with filters, goes on behind a page, and looks up a duplicate', async () => {
    const { sdk, mock } = await make({ contacts: 30 });
    const [first] = mock.contacts();
    const page = { locationId: LOCATION, pageLimit: 20 };
    const found = await sdk.contacts.searchContactsAdvanced(page);
    expect(found).toMatchObject({ total: 30 });
    const { contacts } = SearchPage.parse(found);
    const rest = await sdk.contacts.searchContactsAdvanced({
      ...page,
      searchAfter: contacts.at(-1)?.searchAfter,
    });
    expect(SearchPage.parse(rest).contacts).toHaveLength(10);
    const byMail = await sdk.contacts.searchContactsAdvanced({
      ...page,
      filters: [{ field: 'email', operator: 'eq', value: first?.email }],
    });
    expect(byMail).toMatchObject({ total: 1, contacts: [{ id: first?.id }] });
    const duplicate = await sdk.contacts.getDuplicateContact({
      locationId: LOCATION,
      email: first?.email ?? '',
    });
    expect(duplicate).toMatchObject({ contact: { id: first?.id } });
  });

  it('lists in the deprecated way, page after page', async () => {
    const { sdk } = await make({ contacts: 45 });
    const ids: string[] = [];
    let after: { startAfter?: number; startAfterId?: string } = {};
    for (let n = 0; n < 3; n += 1) {
      const page = await sdk.contacts.getContacts({ locationId: LOCATION, limit: 20, ...after });
      const { contacts, meta } = ListPage.parse(page);
      expect(meta.total).toBe(45);
      ids.push(...contacts.map(({ id }) => id));
      const { total: _total, ...next } = meta;
      after = next;
    }
    expect(new Set(ids).size).toBe(45);
  });

  it('adds and removes tags', async () => {
    const { sdk, mock } = await make({ contacts: 1 });
    const contactId = mock.contacts()[0]?.id ?? '';
    expect(await sdk.contacts.addTags({ contactId }, { tags: ['a', 'b', 'a'] })).toEqual({
      tags: ['a', 'b'],
    });
    expect(await sdk.contacts.removeTags({ contactId }, { tags: ['a'] })).toEqual({ tags: ['b'] });
  });

  it('finds the service healthy, and the location', async () => {
    const { sdk } = await make();
    expect(await sdk.healthCheck()).toBe(true);
    const { location } = await sdk.locations.getLocation({ locationId: LOCATION });
    expect(location).toMatchObject({ id: LOCATION });
  });

  it('throws its own errors, with the vendor`s words', async () => {
    const { sdk, mock, sdkOf } = await make({ contacts: 1 });
    const email = mock.contacts()[0]?.email ?? '';
    expect(
      await failureOf(sdk.contacts.createContact({ locationId: LOCATION, email })),
    ).toMatchObject({
      code: 'VALIDATION',
      statusCode: 400,
      message: 'This location does not allow duplicated contacts.',
      response: { meta: { contactId: mock.contacts()[0]?.id, matchingField: 'email' } },
    });
    expect(
      await failureOf(
        sdk.contacts.createContact({
          locationId: LOCATION,
          email: 'b@example.com',
          // @ts-expect-error: what the SDK's types refuse already
          shoe: 1,
        }),
      ),
    ).toMatchObject({ statusCode: 422, message: 'property shoe should not exist' });
    expect(
      await failureOf(
        sdk.contacts.createContact({ locationId: 'elsewhere', email: 'b@example.com' }),
      ),
    ).toMatchObject({ code: 'FORBIDDEN', statusCode: 403 });
    expect(await failureOf(sdk.contacts.getContact({ contactId: 'nobody' }))).toMatchObject({
      message: 'Contact with id nobody not found',
    });
    const another = sdkOf({ ...PRIVATE, apiVersion: '2020-01-01' });
    expect(await failureOf(another.contacts.getContact({ contactId: 'nobody' }))).toMatchObject({
      code: 'AUTHENTICATION',
      message: 'version header is invalid',
    });
  });

  it('reads the limits from every answer, and tries again after the time that the answer names', async () => {
    const { sdk, mock } = await make(
      {
        faults: [
          {
            match: { operation: 'contacts.search' },
            kind: 'status',
            status: 429,
            retryAfterMs: 1,
            when: { nth: 1 },
          },
        ],
        earlyRetries: 'allowed',
      },
      { ...PRIVATE, rateLimitRetry: true },
    );
    const found = await sdk.contacts.searchContactsAdvanced({
      locationId: LOCATION,
      pageLimit: 1,
    });
    expect(found).toMatchObject({ total: 0 });
    expect(mock.journal.entries().map(({ response }) => response?.status)).toEqual([429, 200]);
  });

  it('tells the burst from the day, when the limits are those of the vendor', async () => {
    const { sdk, mock, clock } = await make({ faults: 'real-limits', contacts: 1 });
    const search = () =>
      sdk.contacts.searchContactsAdvanced({ locationId: LOCATION, pageLimit: 1 });
    for (let n = 0; n < 98; n += 1) await mock.client.searchContacts();
    for (let n = 0; n < 2; n += 1) expect(await search()).toMatchObject({ total: 1 });
    expect(await failureOf(search())).toMatchObject({
      code: 'RATE_LIMIT',
      rateLimit: { scope: 'burst', max: 100, remaining: 0, intervalMs: 10_000 },
    });
    await clock.advance(10_000);
    expect(await search()).toMatchObject({ total: 1 });
  });

  it('renews an app`s token once when it has ended, for all calls that wait for it', async () => {
    const { sdk, mock, clock } = await make(
      { contacts: 1, tokenMs: 3_600_000 },
      {
        clientId: 'app',
        clientSecret: 'secret',
      },
    );
    const first = await sdk.oauth.getAccessToken({
      client_id: 'app',
      client_secret: 'secret',
      grant_type: 'authorization_code',
      code: 'any',
    });
    await sdk.getSessionStorage().setSession(LOCATION, first);
    // Of a POST, the SDK does not find out whose token it was; of a GET it does.
    const find = () =>
      sdk.contacts.getDuplicateContact({ locationId: LOCATION, email: 'nobody@example.com' });
    expect(await find()).toMatchObject({ contact: null });
    await clock.advance(3_600_000);
    const answers = await Promise.all([find(), find(), find()]);
    expect(answers).toMatchObject([{ contact: null }, { contact: null }, { contact: null }]);
    expect(mock.journal.entries('token.create')).toHaveLength(2); // the first, and one for all three
  });
});
