import { ManualClock } from '@buddy/core';
import { createGoHighLevelMock, type GoHighLevelMockInput } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const LOCATION = 'buddyMockLocation001';
const NOON = Date.UTC(2026, 0, 1, 12);
const HEADERS = { authorization: 'Bearer pit-any', version: '2021-07-28' };

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

const as = (token: string) => ({ version: '2021-07-28', authorization: `Bearer ${token}` });

function make(input: GoHighLevelMockInput = {}) {
  const clock = new ManualClock(NOON);
  const mock = createGoHighLevelMock({ latency: 'none', ...input }, { clock });
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = HEADERS,
  ): Promise<Answer> => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await mock.fetch(
      new Request(`https://services.leadconnectorhq.com${path}`, {
        method,
        headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(text !== undefined && { body: text }),
      }),
    );
    const answer = await response.text();
    const parsed: unknown = answer === '' ? undefined : JSON.parse(answer);
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const create = (fields: object, headers?: Record<string, string>) =>
    ask('POST', '/contacts/', { locationId: LOCATION, ...fields }, headers);
  const search = (fields: object = {}) =>
    ask('POST', '/contacts/search', { locationId: LOCATION, pageLimit: 20, ...fields });
  return { clock, ...mock, ask, create, search };
}

const Page = z.object({
  total: z.number(),
  contacts: z.array(
    z.object({ id: z.string(), searchAfter: z.array(z.union([z.string(), z.number(), z.null()])) }),
  ),
});
const idsOf = ({ body }: Answer) => Page.parse(body).contacts.map(({ id }) => id);
const idOf = ({ body }: Answer) =>
  z.object({ contact: z.object({ id: z.string() }) }).parse(body).contact.id;

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('GoHighLevel on the wire', () => {
  it.each([
    ['no version', { authorization: 'Bearer x' }, 'version header was not found.'],
    [
      'a version that was never published',
      { authorization: 'Bearer x', version: '2020-01-01' },
      'version header is invalid',
    ],
    ['no token', { version: '2021-07-28' }, 'Invalid JWT'],
  ])('answers 401 for %s', async (_what, headers, message) => {
    const { ask } = make();
    expect(await ask('GET', '/contacts/nobody', undefined, headers)).toMatchObject({
      status: 401,
      body: { statusCode: 401, message },
    });
  });

  it.each(['2021-04-15', '2021-07-28', '2023-02-21'])('speaks version %s', async (version) => {
    const { create } = make();
    expect(await create({ name: 'Ada' }, { ...HEADERS, version })).toMatchObject({ status: 201 });
  });

  it('knows which token may do what, where', async () => {
    const { ask } = make({
      tokens: {
        'pit-reader': { scopes: ['contacts.readonly'] },
        'pit-elsewhere': { locationId: 'elsewhere' },
      },
    });
    const read = (token: string) =>
      ask('GET', `/contacts/?locationId=${LOCATION}`, undefined, as(token));
    expect(await read('pit-reader')).toMatchObject({ status: 200 });
    expect(
      await ask('POST', '/contacts/', { locationId: LOCATION, name: 'A' }, as('pit-reader')),
    ).toMatchObject({
      status: 401,
      body: { message: 'The token is not authorized for this scope.' },
    });
    expect(await read('pit-elsewhere')).toMatchObject({
      status: 403,
      body: { message: 'The token does not have access to this location.' },
    });
    expect(await read('pit-unknown')).toMatchObject({
      status: 401,
      body: { message: 'Invalid Private Integration token' },
    });
    expect(await read('something')).toMatchObject({
      status: 401,
      body: { message: 'Invalid JWT' },
    });
  });

  it('answers 403 for another location, wherever it is named', async () => {
    const { ask, create, search } = make();
    expect(await create({ locationId: 'elsewhere', name: 'Ada' })).toMatchObject({ status: 403 });
    expect(await search({ locationId: 'elsewhere' })).toMatchObject({ status: 403 });
    expect(await ask('GET', '/contacts/?locationId=elsewhere')).toMatchObject({ status: 403 });
    expect(await ask('GET', '/locations/elsewhere')).toMatchObject({ status: 403 });
    expect(
      await ask('GET', '/contacts/search/duplicate?locationId=elsewhere&email=a@example.com'),
    ).toMatchObject({ status: 403 });
  });

  it('answers 404 for a route that it does not have', async () => {
    const { ask } = make();
    expect(await ask('GET', '/contacts/a/b/c')).toMatchObject({
      status: 404,
      body: { statusCode: 404, message: 'Cannot GET /contacts/a/b/c', error: 'Not Found' },
    });
    expect(await ask('PATCH', '/contacts/a', {})).toMatchObject({ status: 404 });
  });

  it('says which contact is in the way of a new one, and in what', async () => {
    const { create } = make();
    const id = idOf(await create({ email: 'ada@example.com', firstName: 'Ada' }));
    expect(await create({ email: 'ADA@example.com' })).toMatchObject({
      status: 400,
      body: {
        statusCode: 400,
        message: 'This location does not allow duplicated contacts.',
        meta: { contactId: id, contactName: 'Ada', matchingField: 'email' },
        traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
  });

  it('finds fault with what is missing, unknown or malformed, all at once', async () => {
    const { ask, create } = make();
    expect(await ask('POST', '/contacts/', { name: 'Ada' })).toMatchObject({
      status: 422,
      body: { message: ['locationId should not be empty'] },
    });
    expect(
      await create({ email: 'nobody', phone: '12', dateOfBirth: '1990-02-30', shoe: 1 }),
    ).toMatchObject({
      status: 422,
      body: {
        error: 'Unprocessable Entity',
        message: [
          'email must be an email',
          'phone must be a valid phone number',
          'dateOfBirth must be a valid date',
          'property shoe should not exist',
        ],
      },
    });
    expect(await ask('POST', '/contacts/', '{"locationId":')).toMatchObject({ status: 400 });
    expect(await ask('POST', '/contacts/', '[]')).toMatchObject({ status: 400 });
  });

  it.each(['/contacts/', '/contacts/upsert', '/contacts/search'])(
    'refuses JSON that is deeper than anybody needs, at %s',
    async (path) => {
      const { ask, create, contacts } = make();
      for (const depth of [200, 5_000, 100_000]) {
        const field = `{"id":"x","field_value":{"a":${nested(depth)}}}`;
        const body = `{"locationId":"${LOCATION}","name":"Ada","customFields":[${field}]}`;
        const { status } = await ask('POST', path, body);
        expect([path, depth, status]).toEqual([path, depth, 400]);
      }
      const value: unknown = JSON.parse(nested(90));
      const customFields = [{ id: 'x', field_value: { a: value } }];
      expect(await create({ name: 'Ada', customFields })).toMatchObject({ status: 201 });
      expect(contacts()).toHaveLength(1);
    },
  );

  it('clears a field that is set to null, where the provider allows it', async () => {
    const { ask, create, contacts } = make();
    const id = idOf(await create({ name: 'Ada', email: 'ada@example.com', city: 'Paris' }));
    await ask('PUT', `/contacts/${id}`, { city: null, email: null });
    expect(contacts()[0]).not.toHaveProperty('city');
    expect(await create({ email: 'ada@example.com' })).toMatchObject({ status: 201 });
  });

  it('speaks v3 as v3 is spelt', async () => {
    const { ask, create } = make();
    const v3 = { ...HEADERS, version: 'v3' };
    const id = idOf(
      await create(
        {
          name: 'Ada',
          customFields: [{ id: 'a', fieldValue: 'x' }],
          dndSettings: { sms: { status: 'active' } },
        },
        v3,
      ),
    );
    expect(await ask('GET', `/contacts/${id}`, undefined, v3)).toMatchObject({
      body: {
        contact: {
          name: 'Ada',
          customFields: [{ id: 'a', value: 'x' }],
          dndSettings: { sms: { status: 'active' } },
        },
      },
    });
    expect(await ask('GET', `/contacts/${id}`)).toMatchObject({
      body: { contact: { dndSettings: { SMS: { status: 'active' } } } },
    });
    expect(await ask('PUT', `/contacts/${id}`, { city: 'Paris' })).toMatchObject({
      body: { succeded: true },
    });
    const renamed = await ask('PUT', `/contacts/${id}`, { city: 'Paris' }, v3);
    expect(renamed).toMatchObject({ body: { succeeded: true } });
    expect(renamed.body).not.toHaveProperty('succeded');
  });

  it('joins an upsert to the contact with the address, and leaves out a number that is another`s', async () => {
    const { ask, create, contacts } = make();
    const ada = idOf(await create({ email: 'ada@example.com' }));
    await create({ phone: '+12125550142' });
    const upsert = { locationId: LOCATION, email: 'ada@example.com', phone: '+12125550142' };
    expect(await ask('POST', '/contacts/upsert', upsert)).toMatchObject({
      status: 200,
      body: { new: false, contact: { id: ada } },
    });
    expect(contacts()[0]).not.toHaveProperty('phone');
    expect(
      await ask('POST', '/contacts/upsert', { locationId: LOCATION, email: 'new@example.com' }),
    ).toMatchObject({ body: { new: true } });
  });

  it('looks by phone first where the location says so', async () => {
    const { ask, create } = make({ matchFirst: 'phone' });
    await create({ email: 'ada@example.com' });
    const bob = idOf(await create({ phone: '+12125550142' }));
    expect(
      await ask(
        'GET',
        `/contacts/search/duplicate?locationId=${LOCATION}&email=ada@example.com&number=%2B12125550142`,
      ),
    ).toMatchObject({ body: { contact: { id: bob } } });
  });

  it('has two contacts with one address where the location allows it', async () => {
    const { ask, create, contacts } = make({ allowDuplicates: true });
    const first = idOf(await create({ email: 'ada@example.com' }));
    await create({ email: 'ada@example.com' });
    const upsert = { locationId: LOCATION, email: 'ada@example.com', city: 'Paris' };
    expect(await ask('POST', '/contacts/upsert', upsert)).toMatchObject({
      body: { new: false, contact: { id: first } },
    });
    const anyway = { ...upsert, createNewIfDuplicateAllowed: true };
    expect(await ask('POST', '/contacts/upsert', anyway)).toMatchObject({ body: { new: true } });
    expect(contacts()).toHaveLength(3);
  });

  it('answers null when nobody has the address, and 400 when none is given', async () => {
    const { ask } = make();
    const path = `/contacts/search/duplicate?locationId=${LOCATION}`;
    expect(await ask('GET', `${path}&email=nobody@example.com`)).toMatchObject({
      status: 200,
      body: { contact: null },
    });
    expect(await ask('GET', path)).toMatchObject({
      status: 400,
      body: { message: 'Pass at least one of number, email query parameter' },
    });
  });
});

describe('a search of GoHighLevel`s', () => {
  const people = [
    { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.com', tags: ['math', 'poet'] },
    { firstName: 'Grace', lastName: 'Hopper', phone: '+12125550143', tags: ['navy'], dnd: true },
    { firstName: 'Alan', lastName: 'Turing', email: 'alan@example.org', city: 'London' },
  ];
  const peopled = async () => {
    const made = make();
    for (const person of people) {
      await made.create({
        ...person,
        customFields: [{ id: 'age', field_value: person.lastName.length }],
      });
      await made.clock.advance(1_000);
    }
    const names = async (filters: unknown[], more: object = {}) => {
      const { status, body } = await made.search({ filters, ...more });
      expect(status).toBe(200);
      return z
        .object({ contacts: z.array(z.object({ firstName: z.string() })) })
        .parse(body)
        .contacts.map(({ firstName }) => firstName);
    };
    return { ...made, names };
  };

  it.each<[string, unknown[], string[]]>([
    ['a whole value', [{ field: 'city', operator: 'eq', value: 'London' }], ['Alan']],
    [
      'an address, however written',
      [{ field: 'email', operator: 'eq', value: 'ADA@example.com' }],
      ['Ada'],
    ],
    [
      'a number, however written',
      [{ field: 'phone', operator: 'eq', value: '212 555 0143' }],
      ['Grace'],
    ],
    [
      'a name in lower case',
      [{ field: 'lastNameLowerCase', operator: 'eq', value: 'hopper' }],
      ['Grace'],
    ],
    ['one of the tags', [{ field: 'tags', operator: 'eq', value: 'poet' }], ['Ada']],
    ['a part', [{ field: 'email', operator: 'contains', value: 'EXAMPLE.' }], ['Alan', 'Ada']],
    ['not a part', [{ field: 'email', operator: 'not_contains', value: 'ada' }], ['Alan', 'Grace']],
    ['what is there', [{ field: 'phone', operator: 'exists' }], ['Grace']],
    ['what is not there', [{ field: 'email', operator: 'not_exists' }], ['Grace']],
    ['yes or no', [{ field: 'dnd', operator: 'eq', value: false }], ['Alan', 'Ada']],
    [
      'a range of dates',
      [
        {
          field: 'dateAdded',
          operator: 'range',
          value: { gt: NOON, lte: '2026-01-01T12:00:02.000Z' },
        },
      ],
      ['Alan', 'Grace'],
    ],
    [
      'a range of a custom field',
      [{ field: 'customFields.age', operator: 'range', value: { gte: 7 } }],
      ['Ada'],
    ],
    ['a custom field', [{ field: 'customFields.age', operator: 'eq', value: 8 }], ['Ada']],
    [
      'all of several',
      [
        { field: 'email', operator: 'exists' },
        { field: 'city', operator: 'exists' },
      ],
      ['Alan'],
    ],
    [
      'groups within groups',
      [
        {
          group: 'OR',
          filters: [
            { field: 'firstNameLowerCase', operator: 'eq', value: 'grace' },
            {
              group: 'AND',
              filters: [
                { field: 'tags', operator: 'eq', value: 'math' },
                { field: 'tags', operator: 'not_eq', value: 'navy' },
              ],
            },
          ],
        },
      ],
      ['Grace', 'Ada'],
    ],
  ])('finds by %s', async (_what, filters, expected) => {
    const { names } = await peopled();
    expect(await names(filters)).toEqual(expected);
  });

  it.each(['2026-01-01T13:00:01+01:00', '2026-01-01T12:00:01', '2026-01-01T12:00:01Z'])(
    'takes %s for the same moment, wherever it runs',
    async (gte) => {
      const { names } = await peopled();
      const value = { gte, lt: '2026-01-02' };
      expect(await names([{ field: 'dateAdded', operator: 'range', value }])).toEqual(
        await names([
          { field: 'dateAdded', operator: 'range', value: { gte: NOON + 1_000, lt: NOON * 2 } },
        ]),
      );
    },
  );

  it('finds by words, and sorts by any field, what has no value last', async () => {
    const { names } = await peopled();
    expect(await names([], { query: 'hop' })).toEqual(['Grace']);
    expect(await names([], { sort: [{ field: 'firstName', direction: 'desc' }] })).toEqual([
      'Grace',
      'Alan',
      'Ada',
    ]);
    for (const direction of ['asc', 'desc']) {
      const sorted = await names([], { sort: [{ field: 'email', direction }] });
      expect(sorted.at(-1)).toBe('Grace');
    }
  });

  it.each<[string, object, number, string]>([
    [
      'a field that cannot be searched',
      { filters: [{ field: 'additional_phones', operator: 'exists' }] },
      400,
      'Invalid field additional_phones',
    ],
    [
      'a field that cannot be sorted by',
      { sort: [{ field: 'shoe', direction: 'asc' }] },
      400,
      'Invalid field shoe',
    ],
    [
      'an unknown operator',
      { filters: [{ field: 'email', operator: 'like', value: 'a' }] },
      400,
      'operator must be one of',
    ],
    [
      'an unknown key of a filter',
      { filters: [{ field: 'email', operator: 'eq', value: 'a', not: true }] },
      400,
      'property not should not exist',
    ],
    [
      'an empty range',
      { filters: [{ field: 'dateAdded', operator: 'range', value: {} }] },
      400,
      'at least one of',
    ],
    [
      'what is no date',
      { filters: [{ field: 'dateAdded', operator: 'eq', value: 'soon' }] },
      400,
      'must be a date',
    ],
    ...['yesterday 1', '2026-02-30', '1', 'Thu, 01 Jan 2026 00:00:00 GMT', '2026-01-01 12:00'].map(
      (given): [string, object, number, string] => [
        `${given} for a date`,
        { filters: [{ field: 'dateAdded', operator: 'range', value: { gte: given } }] },
        400,
        'must be a date',
      ],
    ),
    ...['tags', 'email', 'firstName', 'dnd', 'dndSettings.SMS.status'].map(
      (field): [string, object, number, string] => [
        `a range of ${field}`,
        { filters: [{ field, operator: 'range', value: { gte: 1 } }] },
        400,
        `operator range does not fit ${field}`,
      ],
    ),
    [
      'a group without filters',
      { filters: [{ group: 'OR', filters: [] }] },
      400,
      'filters should not be empty',
    ],
    [
      'a page beside a cursor',
      { page: 1, searchAfter: [1, 'x'] },
      422,
      'page should not exist beside searchAfter',
    ],
    ['a page beyond the last', { page: 501 }, 422, 'page must not reach beyond 10000'],
    ['a page that is too large', { pageLimit: 501 }, 422, 'pageLimit must not be greater than 500'],
    ['no page limit', { pageLimit: undefined }, 422, 'pageLimit'],
    ['a cursor of another search', { searchAfter: [1, 'x'] }, 400, 'searchAfter'],
    ['too many words', { query: 'x'.repeat(76) }, 422, 'query must be shorter'],
  ])('refuses %s rather than answer wrongly', async (_what, fields, status, message) => {
    const { search } = make();
    const answer = await search(fields);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  it('comes to every contact once, by pages and by cursor alike, in whatever order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 25 }),
        fc.constantFrom('dateAdded', 'firstNameLowerCase', 'state', 'email'),
        fc.constantFrom('asc', 'desc'),
        async (contacts, pageLimit, field, direction) => {
          const { search, contacts: all } = make({ contacts });
          const sort = [{ field, direction }];
          const byPage: string[] = [];
          for (let page = 1; page <= Math.ceil(contacts / pageLimit); page += 1) {
            byPage.push(...idsOf(await search({ sort, pageLimit, page })));
          }
          const byCursor: string[] = [];
          let cursor: unknown;
          for (;;) {
            const found = await search({
              sort,
              pageLimit,
              ...(cursor !== undefined && { searchAfter: cursor }),
            });
            const page = Page.parse(found.body).contacts;
            if (page.length === 0) break;
            byCursor.push(...page.map(({ id }) => id));
            cursor = page.at(-1)?.searchAfter;
          }
          expect(byCursor).toEqual(byPage);
          expect(byPage.toSorted()).toEqual(
            all()
              .map(({ id }) => id)
              .toSorted(),
          );
        },
      ),
      { numRuns: 60 },
    ));

  it('shows the newest first, also of those that were added in the same moment', async () => {
    const { search, contacts } = make({ contacts: 12 });
    const newestFirst = contacts()
      .map(({ id }) => id)
      .toReversed();
    expect(idsOf(await search())).toEqual(newestFirst);
  });

  it.each<[string, number, string]>([
    ['startAfterId=nobody', 400, 'startAfterId does not come from an answer to this list'],
    ['startAfterId=', 400, 'startAfterId does not come from an answer to this list'],
    ['startAfter=', 422, 'startAfter must be a number'],
    ['startAfter=soon', 422, 'startAfter must be a number'],
  ])('does not begin the deprecated list again for %s', async (parameter, status, message) => {
    const { ask } = make({ contacts: 3 });
    const answer = await ask('GET', `/contacts/?locationId=${LOCATION}&${parameter}`);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  it('goes on behind a contact that was deleted meanwhile', async () => {
    const { ask, search, contacts } = make({ contacts: 6 });
    const first = Page.parse((await search({ pageLimit: 3 })).body).contacts;
    await ask('DELETE', `/contacts/${first[2]?.id}`);
    const rest = idsOf(await search({ pageLimit: 10, searchAfter: first[2]?.searchAfter }));
    expect(rest).toHaveLength(3);
    expect(contacts()).toHaveLength(5);
  });

  it('lags behind the writes, on the clock, while the contact itself is there at once', async () => {
    const { ask, create, search, clock } = make({ searchLagMs: 3_000 });
    const id = idOf(await create({ email: 'ada@example.com' }));
    expect(idsOf(await search())).toEqual([]);
    expect(await ask('GET', `/contacts/${id}`)).toMatchObject({ status: 200 });
    const path = `/contacts/search/duplicate?locationId=${LOCATION}&email=ada@example.com`;
    expect(await ask('GET', path)).toMatchObject({ body: { contact: { id } } });
    await clock.advance(2_999);
    expect(idsOf(await search())).toEqual([]);
    await clock.advance(1);
    expect(idsOf(await search())).toEqual([id]);
    await ask('PUT', `/contacts/${id}`, { city: 'Paris' });
    await ask('DELETE', `/contacts/${id}`);
    expect(await search()).toMatchObject({ body: { contacts: [{ id }] } });
    expect(JSON.stringify((await search()).body)).not.toContain('Paris');
    await clock.advance(3_000);
    expect(idsOf(await search())).toEqual([]);
  });
});

describe('the limits of GoHighLevel', () => {
  it('are told by every answer, errors and faults included', async () => {
    const { ask, search } = make({
      faults: [
        { match: { operation: 'location.get' }, kind: 'status', status: 503, when: { rate: 1 } },
      ],
    });
    const answers = [
      await search(),
      await ask('GET', '/contacts/nobody'),
      await ask('GET', '/nowhere'),
      await ask('GET', `/locations/${LOCATION}`),
      await ask('GET', '/contacts/nobody', undefined, {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 404, 503, 401]);
    expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual([
      '99',
      '98',
      '97',
      '96',
      '95',
    ]);
    expect(answers.map(({ headers }) => headers.get('x-ratelimit-daily-remaining')).at(-1)).toBe(
      '199995',
    );
  });

  it('refuse nothing unless they are asked for', async () => {
    const { search } = make();
    for (let n = 0; n < 150; n += 1) expect((await search()).status).toBe(200);
  });

  it('are a hundred calls in ten seconds, from the first one on', async () => {
    const { search, clock } = make({ faults: 'real-limits' });
    for (let n = 0; n < 100; n += 1) expect((await search()).status).toBe(200);
    const refused = await search();
    expect(refused).toMatchObject({ status: 429, body: { message: 'Too Many Requests' } });
    expect(refused.headers.get('x-ratelimit-interval-milliseconds')).toBe('10000');
    await clock.advance(9_999);
    expect((await search()).status).toBe(429);
    await clock.advance(1);
    expect((await search()).status).toBe(200);
  });

  it('end the day after 200 000 calls, until midnight UTC', async () => {
    const mock = make({ faults: 'real-limits', journalSize: 0 });
    const Snapshot = z.looseObject({ state: z.looseObject({ limits: z.looseObject({}) }) });
    const snapshot = Snapshot.parse(mock.snapshot());
    snapshot.state.limits['day'] = Math.floor(NOON / 86_400_000);
    snapshot.state.limits['today'] = 199_999;
    mock.restore(snapshot);
    expect((await mock.search()).status).toBe(200);
    const refused = await mock.search();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-ratelimit-daily-remaining')).toBe('0');
    await mock.clock.advance(12 * 3_600_000);
    expect((await mock.search()).status).toBe(200);
  });
});

const form = (fields: Record<string, string>) => ({
  body: new URLSearchParams({
    client_id: 'app',
    client_secret: 'secret',
    user_type: 'Location',
    ...fields,
  }).toString(),
  headers: { version: '2021-07-28', 'content-type': 'application/x-www-form-urlencoded' },
});

describe('tokens of GoHighLevel', () => {
  const Tokens = z.object({ access_token: z.string(), refresh_token: z.string() });

  it('are handed out for a grant, end on the clock, and are renewed with a token that serves once', async () => {
    const { ask, clock } = make({ tokenMs: 60_000 });
    const get = async (fields: Record<string, string>) => {
      const { body, headers } = form(fields);
      return ask('POST', '/oauth/token', body, headers);
    };
    const first = Tokens.parse((await get({ grant_type: 'authorization_code', code: 'x' })).body);
    const read = (token: string) =>
      ask('GET', `/contacts/?locationId=${LOCATION}`, undefined, {
        version: '2021-07-28',
        authorization: `Bearer ${token}`,
      });
    expect((await read(first.access_token)).status).toBe(200);
    expect((await read(first.refresh_token)).status).toBe(401);
    await clock.advance(60_000);
    expect((await read(first.access_token)).status).toBe(401);
    const renewal = { grant_type: 'refresh_token', refresh_token: first.refresh_token };
    const second = Tokens.parse((await get(renewal)).body);
    expect((await read(second.access_token)).status).toBe(200);
    expect(await get(renewal)).toMatchObject({ status: 401 });
    expect(await get({ grant_type: 'password' })).toMatchObject({ status: 422 });
    expect(await get({ grant_type: 'authorization_code' })).toMatchObject({ status: 422 });
  });

  it('are kept from an app whose secret is wrong', async () => {
    const { ask } = make({ oauthClients: { app: 'another secret' } });
    const { body, headers } = form({ grant_type: 'client_credentials' });
    expect(await ask('POST', '/oauth/token', body, headers)).toMatchObject({ status: 401 });
  });

  it('are for the apps that are named, and for nobody where only other tokens are', async () => {
    const named = make({ tokens: { 'pit-good': {} }, oauthClients: { app: 'secret' } });
    const unnamed = make({ tokens: { 'pit-good': {} } });
    for (const fields of [
      { grant_type: 'client_credentials' },
      { grant_type: 'authorization_code', code: 'made up' },
      { grant_type: 'refresh_token', refresh_token: 'made up' },
    ]) {
      const { body, headers } = form(fields);
      expect(await named.ask('POST', '/oauth/token', body, headers)).toMatchObject({ status: 200 });
      expect(await unnamed.ask('POST', '/oauth/token', body, headers)).toMatchObject({
        status: 401,
        body: { message: 'Invalid client credentials' },
      });
    }
    const stranger = form({ grant_type: 'client_credentials', client_id: 'constructor' });
    expect(await named.ask('POST', '/oauth/token', stranger.body, stranger.headers)).toMatchObject({
      status: 401,
    });
  });

  it('end with a reset, and come back with the snapshot of a time when they were good', async () => {
    const { ask, reset, restore, snapshot } = make();
    const get = async (fields: Record<string, string>) => {
      const { body, headers } = form(fields);
      return ask('POST', '/oauth/token', body, headers);
    };
    const given = Tokens.parse((await get({ grant_type: 'client_credentials' })).body);
    const read = async () => {
      const path = `/contacts/?locationId=${LOCATION}`;
      return (await ask('GET', path, undefined, as(given.access_token))).status;
    };
    const renewal = { grant_type: 'refresh_token', refresh_token: given.refresh_token };
    const before = structuredClone(snapshot());
    expect(JSON.stringify(before)).not.toContain(given.access_token);
    expect(await read()).toBe(200);
    reset();
    expect(await read()).toBe(401);
    expect((await get(renewal)).status).toBe(401);
    restore(before);
    expect(await read()).toBe(200);
    expect((await get(renewal)).status).toBe(200);
  });

  it('have other names in v3', async () => {
    const { ask } = make();
    const body = { clientId: 'app', clientSecret: 'secret', grantType: 'client_credentials' };
    expect(await ask('POST', '/oauth/token', body, { version: 'v3' })).toMatchObject({
      status: 200,
      body: { accessToken: expect.any(String), expiresIn: 86_399, tokenType: 'Bearer' },
    });
  });
});

describe('a snapshot of the GoHighLevel mock', () => {
  it('brings everything back, and goes on as if nothing had been in between', async () => {
    const mock = make({ contacts: 3, searchLagMs: 1_000 });
    await mock.create({ email: 'ada@example.com' });
    const snapshot = structuredClone(mock.snapshot());
    const go = async () => {
      const made = await mock.create({ email: 'bob@example.com' });
      await mock.ask('DELETE', `/contacts/${mock.contacts()[0]?.id}`);
      return { made, found: await mock.search(), contacts: mock.contacts() };
    };
    const first = await go();
    mock.restore(snapshot);
    expect(mock.contacts()).toHaveLength(4);
    expect((await mock.create({ email: 'ADA@example.com' })).status).toBe(400);
    mock.restore(snapshot);
    const again = await go();
    expect(again.made.body).toEqual(first.made.body);
    expect(again.found.body).toEqual(first.found.body);
    expect(again.contacts).toEqual(first.contacts);
  });

  it('knows where a contact stood that is deleted', async () => {
    const mock = make({ contacts: 6 });
    const { contacts } = Page.parse((await mock.search({ pageLimit: 3 })).body);
    const last = contacts[2];
    await mock.ask('DELETE', `/contacts/${last?.id}`);
    const behind = () => mock.search({ pageLimit: 10, searchAfter: last?.searchAfter });
    const expected = idsOf(await behind());
    mock.restore(structuredClone(mock.snapshot()));
    expect(idsOf(await behind())).toEqual(expected);
    mock.reset();
    expect(JSON.stringify(mock.snapshot())).toBe(JSON.stringify(make({ contacts: 6 }).snapshot()));
  });

  it('is refused when it is none, and nothing is changed', () => {
    const mock = make({ contacts: 3 });
    expect(() => mock.restore({ provider: 'gohighlevel' })).toThrow('snapshot');
    expect(mock.contacts()).toHaveLength(3);
  });
});

const stale = (operation: string) =>
  ({ match: { operation }, kind: 'staleRead', when: { rate: 1 } }) as const;

describe('a stale read of GoHighLevel', () => {
  it('misses the latest write, and that one only', async () => {
    const { ask, create, search } = make({
      faults: [stale('contacts.get'), stale('contacts.search'), stale('contacts.duplicate')],
    });
    const first = idOf(await create({ email: 'ada@example.com', city: 'Paris' }));
    expect(await ask('GET', `/contacts/${first}`)).toMatchObject({ status: 400 });
    const second = idOf(await create({ email: 'bob@example.com' }));
    expect(idsOf(await search())).toEqual([first]);
    const path = `/contacts/search/duplicate?locationId=${LOCATION}&email=`;
    expect(await ask('GET', `${path}bob@example.com`)).toMatchObject({ body: { contact: null } });
    await ask('PUT', `/contacts/${first}`, { city: 'London' });
    expect(await ask('GET', `/contacts/${first}`)).toMatchObject({
      body: { contact: { city: 'Paris' } },
    });
    expect(await ask('GET', `/contacts/${second}`)).toMatchObject({ status: 200 });
  });
});
