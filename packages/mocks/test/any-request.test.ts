import { createGoHighLevelMock, createMployerMock } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// Whatever is sent, there is an answer; and the setup of these tests holds every one of them against its contract.

const json = fc.json({ maxDepth: 4 });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');
const version = fc.constantFrom('2021-07-28', '2023-02-21', 'v3', '', 'legacy?', undefined);

const crmPath = fc.oneof(
  fc.constantFrom(
    '/contacts/',
    '/contacts/upsert',
    '/contacts/search',
    '/contacts/search/duplicate',
    '/contacts/%',
    '/contacts/a/tags',
    '/locations/buddyMockLocation001',
    '/oauth/token',
    '/contacts/?locationId=buddyMockLocation001&limit=-1',
    '/contacts/?locationId=buddyMockLocation001&startAfterId=x&startAfter=soon',
    '/contacts/?locationId=buddyMockLocation001&startAfterId=',
    '/contacts/?locationId=buddyMockLocation001&startAfter=',
    '/contacts/search/duplicate?locationId=buddyMockLocation001&number=nothing',
  ),
  fc.webPath(),
);

/** Deeper than a reader that calls itself can go. */
const deepJson = fc
  .tuple(
    fc.constantFrom(['[', ']'], ['{"a":', '}'], ['{"group":"AND","filters":[', ']}']),
    fc.constantFrom(99, 5_000, 50_000),
    fc.constantFrom(
      (deep: string) => deep,
      (deep: string) =>
        `{"locationId":"buddyMockLocation001","name":"a","customFields":[{"id":"x","field_value":{"a":${deep}}}]}`,
      (deep: string) =>
        `{"locationId":"buddyMockLocation001","pageLimit":1,"filters":[${deep}],"sort":${deep}}`,
      (deep: string) => `{"filters":{"state":${deep},"x":${deep}},"contactIds":${deep}}`,
    ),
  )
  .map(([[open = '', close = ''], depth, around]) =>
    around(`${open.repeat(depth)}1${close.repeat(depth)}`),
  );

/** Bodies that get past the first look. */
const crmBody = fc.oneof(
  json,
  deepJson,
  fc
    .record(
      {
        locationId: fc.constantFrom('buddyMockLocation001', '', 7, null),
        pageLimit: fc.oneof(fc.integer(), fc.constant(20)),
        page: fc.oneof(fc.integer(), fc.constant(1)),
        searchAfter: fc.jsonValue(),
        sort: fc.jsonValue(),
        filters: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.record({
              field: fc.constantFrom(
                'email',
                'dateAdded',
                'tags',
                'customFields.x',
                'x.y.z',
                'dnd',
              ),
              operator: fc.constantFrom('eq', 'not_eq', 'contains', 'exists', 'range', 'like'),
              value: fc.jsonValue(),
            }),
          ),
        ),
        name: fc.jsonValue(),
        email: fc.oneof(fc.emailAddress(), fc.jsonValue()),
        phone: fc.jsonValue(),
        tags: fc.jsonValue(),
        customFields: fc.jsonValue(),
        dndSettings: fc.jsonValue(),
        dateOfBirth: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body)),
  fc.string(),
);

const mployerPath = fc.oneof(
  fc.constantFrom('/v1/session', '/v1/contacts/search', '/v1/contacts/extract'),
  fc.webPath(),
);

const mployerBody = fc.oneof(
  json,
  deepJson,
  fc
    .record(
      {
        filters: fc.jsonValue(),
        page: fc.jsonValue(),
        pageSize: fc.jsonValue(),
        cursor: fc.jsonValue(),
        sort: fc.jsonValue(),
        contactIds: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body)),
  fc.string(),
);

const contentType = fc.constantFrom(
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain',
);

interface Sent {
  method: string;
  path: string;
  body: string;
  contentType: string;
}

function requestOf(
  { method: verb, path, body, contentType: type }: Sent,
  more: Record<string, string>,
) {
  const headers = new Headers(more);
  headers.set('content-type', type);
  const hasBody = verb !== 'GET' && body !== '';
  const url = `https://any.example${path.startsWith('/') ? path : `/${path}`}`;
  return new Request(url, { method: verb, headers, ...(hasBody && { body }) });
}

describe('any request at all', () => {
  it('is answered by GoHighLevel, and never with a failure of its own', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.record({ method, path: crmPath, body: crmBody, contentType }),
            fc.record({ version, token: fc.constantFrom('Bearer x', 'Basic x', '') }),
          ),
          { maxLength: 8 },
        ),
        async (requests) => {
          const mock = createGoHighLevelMock({ latency: 'none', contacts: 5 });
          for (const [sent, { version: spoken, token }] of requests) {
            const headers = {
              authorization: token,
              ...(spoken !== undefined && { version: spoken }),
            };
            const { status } = await mock.fetch(requestOf(sent, headers));
            expect(status).toBeGreaterThanOrEqual(200);
            expect(status).toBeLessThan(500);
          }
        },
      ),
      { numRuns: 300 },
    ));

  it('is answered by Mployer, and never with a failure of its own', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ method, path: mployerPath, body: mployerBody, contentType }), {
          maxLength: 8,
        }),
        async (requests) => {
          const mock = createMployerMock({ latency: 'none' });
          const { session } = await mock.client.login('ada@example.com', 'secret');
          for (const sent of requests) {
            const headers = { authorization: `Bearer ${session.token}` };
            const { status } = await mock.fetch(requestOf(sent, headers));
            expect(status).toBeGreaterThanOrEqual(200);
            expect(status).toBeLessThan(500);
          }
        },
      ),
      { numRuns: 300 },
    ));
});
