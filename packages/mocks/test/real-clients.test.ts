import { inspect } from 'node:util';
import { ManualClock } from '@buddy/core';
import {
  createGoHighLevelClient,
  createGoHighLevelMock,
  createMployerClient,
  createMployerMock,
  type Fetch,
  type GoHighLevelClient,
  type GoHighLevelClientInput,
  type GoHighLevelMockInput,
  type GoHighLevelTokens,
} from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const LOCATION = 'buddyMockLocation001';
const CONTACT = {
  id: 'c1',
  locationId: LOCATION,
  tags: [],
  customFields: [],
  dateAdded: '2026-01-01T12:00:00.000Z',
  dateUpdated: '2026-01-01T12:00:00.000Z',
};

/** One answer after the other; the last one again and again. */
type Scripted = Response | Error | ((request: Request) => Response | Promise<Response>);

function scriptedFetch(...answers: Scripted[]) {
  const requests: Request[] = [];
  const fetch: Fetch = async (request) => {
    const next = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    if (next instanceof Error) throw next;
    if (next instanceof Response) return next.clone();
    if (next) return next(request);
    throw new Error('nothing was scripted');
  };
  return { fetch, requests };
}

function answer(status: number, body: unknown = {}, headers: Record<string, string> = {}) {
  return Response.json(body, { status, headers });
}

function fetchFailure(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

function makeClient(fetch: Fetch, input: Partial<GoHighLevelClientInput> = {}) {
  const clock = new ManualClock();
  const client = createGoHighLevelClient(
    { locationId: LOCATION, credentials: { token: 'pit-any' }, ...input },
    { fetch, clock, random: Object.assign(() => 0.5, { child: () => clockless() }) },
  );
  return { clock, client };
}

function clockless(): never {
  throw new Error('no client needs a stream of its own');
}

const calls: Record<string, (client: GoHighLevelClient) => Promise<unknown>> = {
  create: (client) => client.createContact({ email: 'ada@example.com' }),
  upsert: (client) => client.upsertContact({ email: 'ada@example.com' }),
  upsertByName: (client) => client.upsertContact({ name: 'Ada' }),
  update: (client) => client.updateContact('c1', { city: 'Paris' }),
  delete: (client) => client.deleteContact('c1'),
  addTags: (client) => client.addTags('c1', ['a']),
  get: (client) => client.getContact('c1'),
  search: (client) => client.searchContacts(),
};

const good = answer(200, {
  contact: CONTACT,
  new: true,
  succeded: true,
  tags: [],
  contacts: [],
  total: 0,
});

describe('the real client of GoHighLevel', () => {
  const doubtful = [
    answer(408),
    answer(500),
    answer(502),
    answer(503),
    answer(504),
    fetchFailure('ECONNRESET'),
  ];

  it.each(['upsert', 'update', 'delete', 'addTags', 'get', 'search'])(
    'sends %s again after a doubtful failure, for it changes nothing more',
    async (call) => {
      for (const failure of doubtful) {
        const { fetch, requests } = scriptedFetch(failure, good);
        const { client, clock } = makeClient(fetch);
        await clock.run(async () => calls[call]?.(client));
        expect(requests).toHaveLength(2);
      }
    },
  );

  it.each(['create', 'upsertByName'])(
    'does not send %s again after a doubtful failure, for it may have happened',
    async (call) => {
      for (const failure of doubtful) {
        const { fetch, requests } = scriptedFetch(failure, good);
        const { client } = makeClient(fetch);
        await expect(calls[call]?.(client)).rejects.toMatchObject({
          effect: 'unknown',
          retryable: true,
        });
        expect(requests).toHaveLength(1);
      }
    },
  );

  it('repeats a creation that was refused or never arrived, for then it did not happen', async () => {
    for (const failure of [answer(429), fetchFailure('ECONNREFUSED'), fetchFailure('ENOTFOUND')]) {
      const { fetch, requests } = scriptedFetch(failure, good);
      const { client, clock } = makeClient(fetch);
      await clock.run(() => client.createContact({ email: 'ada@example.com' }));
      expect(requests).toHaveLength(2);
    }
  });

  it.each([400, 401, 403, 404, 409, 422])(
    'does not repeat what was answered with %i',
    async (status) => {
      const { fetch, requests } = scriptedFetch(answer(status, { message: 'no' }));
      const { client } = makeClient(fetch);
      await expect(client.getContact('c1')).rejects.toMatchObject({ status, retryable: false });
      expect(requests).toHaveLength(1);
    },
  );

  it('does not take a 422 for a sign that nobody was created, and does not repeat it either', async () => {
    for (const [name, effect] of [
      ['create', 'unknown'],
      ['upsert', 'unknown'],
      ['update', 'none'],
      ['search', 'none'],
    ] as const) {
      const { fetch, requests } = scriptedFetch(
        answer(422, { message: ['shoe should not exist'] }),
      );
      const { client } = makeClient(fetch);
      await expect(calls[name]?.(client)).rejects.toMatchObject({ effect, retryable: false });
      expect(requests).toHaveLength(1);
    }
  });

  it('takes a contact for deleted when the answer was lost and it is not there any more', async () => {
    const gone = answer(400, { message: 'Contact with id c1 not found' });
    const lost = scriptedFetch(fetchFailure('ECONNRESET'), gone);
    const first = makeClient(lost.fetch);
    await first.clock.run(() => first.client.deleteContact('c1'));
    const never = scriptedFetch(answer(429), gone);
    const second = makeClient(never.fetch);
    await expect(second.clock.run(() => second.client.deleteContact('c1'))).rejects.toMatchObject({
      code: 'MOCKS_NOT_FOUND',
    });
  });

  it('waits as long as the provider`s own header says, and at most a tenth longer', async () => {
    const limited = answer(429, {}, { 'x-ratelimit-interval-milliseconds': '10000' });
    const { fetch } = scriptedFetch(limited, good);
    const { client, clock } = makeClient(fetch);
    await clock.run(() => client.getContact('c1'));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(10_000);
    expect(clock.monotonic()).toBeLessThanOrEqual(11_000);
  });

  it('does not wait when the calls of the day are used up', async () => {
    const spent = answer(
      429,
      {},
      { 'x-ratelimit-interval-milliseconds': '10000', 'x-ratelimit-daily-remaining': '0' },
    );
    const { fetch, requests } = scriptedFetch(spent, good);
    const { client } = makeClient(fetch);
    await expect(client.getContact('c1')).rejects.toMatchObject({
      code: 'MOCKS_RATE_LIMITED',
      retryable: false,
    });
    expect(requests).toHaveLength(1);
  });

  it('tries four times, each wait drawn from twice as much, and then says why', async () => {
    const { fetch, requests } = scriptedFetch(answer(503));
    const { client, clock } = makeClient(fetch);
    await expect(clock.run(() => client.getContact('c1'))).rejects.toMatchObject({
      code: 'MOCKS_PROVIDER_UNAVAILABLE',
      status: 503,
    });
    expect(requests).toHaveLength(4);
    expect(clock.monotonic()).toBe(250 + 500 + 1_000);
  });

  it('begins no try after the time that it may take in all', async () => {
    const limited = answer(429, {}, { 'x-ratelimit-interval-milliseconds': '10000' });
    const { fetch, requests } = scriptedFetch(limited);
    const { client, clock } = makeClient(fetch, { retries: { totalMs: 15_000 } });
    await expect(clock.run(() => client.getContact('c1'))).rejects.toMatchObject({ status: 429 });
    expect(requests).toHaveLength(2);
  });

  it('tries once for a runner that keeps the account of tries, and says when another makes sense', async () => {
    const limited = answer(429, {}, { 'x-ratelimit-interval-milliseconds': '10000' });
    const { fetch, requests } = scriptedFetch(limited, fetchFailure('ECONNRESET'));
    const { client } = makeClient(fetch, { retries: 'none' });
    await expect(client.getContact('c1')).rejects.toMatchObject({
      retryable: true,
      retryAfterMs: 10_000,
      effect: 'none',
    });
    await expect(client.createContact({ name: 'Ada' })).rejects.toMatchObject({
      code: 'MOCKS_NETWORK_FAILED',
      retryable: true,
      effect: 'unknown',
      status: undefined,
    });
    expect(requests).toHaveLength(2);
  });

  it('gives up on an answer that does not come, and cannot tell what became of a write', async () => {
    const { fetch } = scriptedFetch(
      (request) =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        }),
    );
    const { client, clock } = makeClient(fetch, { timeoutMs: 5_000, retries: 'none' });
    await expect(clock.run(() => client.createContact({ name: 'Ada' }))).rejects.toMatchObject({
      code: 'MOCKS_NETWORK_FAILED',
      effect: 'unknown',
    });
    expect(clock.monotonic()).toBe(5_000);
  });

  it('waits no longer than it may, and not once it is told to stop, for a fetch that heeds no signal', async () => {
    const { fetch, requests } = scriptedFetch(() => new Promise<Response>(() => undefined));
    const { client, clock } = makeClient(fetch, { timeoutMs: 5_000, retries: 'none' });
    await expect(clock.run(() => client.createContact({ name: 'Ada' }))).rejects.toMatchObject({
      code: 'MOCKS_NETWORK_FAILED',
      effect: 'unknown',
    });
    expect(clock.monotonic()).toBe(5_000);

    const controller = new AbortController();
    const reading = client.getContact('c1', { signal: controller.signal });
    await expect.poll(() => requests.length).toBe(2);
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect(clock.monotonic()).toBe(5_000);
  });

  it('stops with the reason of the signal: before it sends, while it waits for an answer, between tries', async () => {
    const reason = new Error('enough');
    const { fetch, requests } = scriptedFetch(answer(503));
    const before = makeClient(fetch);
    const aborted = { signal: AbortSignal.abort(reason) };
    await expect(before.client.getContact('c1', aborted)).rejects.toBe(reason);
    expect(requests).toHaveLength(0);

    const controller = new AbortController();
    const between = before.client.getContact('c1', { signal: controller.signal });
    await before.clock.advance(100); // in the first wait, of 250 ms
    controller.abort(reason);
    await expect(between).rejects.toBe(reason);

    const hanging = scriptedFetch(
      (request) =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        }),
    );
    const second = new AbortController();
    const during = makeClient(hanging.fetch);
    const call = during.client.getContact('c1', { signal: second.signal });
    await during.clock.advance(100);
    second.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('has no more calls under way than it may, and lets nobody pass who waits', async () => {
    let underWay = 0;
    let most = 0;
    const order: string[] = [];
    const clock = new ManualClock();
    const client = createGoHighLevelClient(
      { locationId: LOCATION, credentials: { token: 'pit-any' }, concurrency: 3 },
      {
        clock,
        fetch: async (request) => {
          underWay += 1;
          most = Math.max(most, underWay);
          order.push(new URL(request.url).pathname.slice('/contacts/'.length));
          await clock.sleep(100);
          underWay -= 1;
          return answer(200, { contact: CONTACT });
        },
      },
    );
    const ids = Array.from({ length: 10 }, (_, n) => `c${n}`);
    await clock.run(() => Promise.all(ids.map((id) => client.getContact(id))));
    expect(most).toBe(3);
    expect(order).toEqual(ids);
    expect(clock.monotonic()).toBe(400);
  });

  it('gives a place back when whoever had it fails, and takes no place for who is gone', async () => {
    const { fetch } = scriptedFetch(answer(404), answer(404), good);
    const { client } = makeClient(fetch, { concurrency: 1 });
    const controller = new AbortController();
    const first = client.getContact('c1');
    const second = client.getContact('c1', { signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(first).rejects.toMatchObject({ status: 404 });
    await expect(second).rejects.toThrow('gone');
    await expect(client.getContact('c1')).rejects.toMatchObject({ status: 404 });
    await client.getContact('c1');
  });

  it('hands on what it does not know, and names the place of what has another type', async () => {
    const { fetch } = scriptedFetch(
      answer(200, { contact: { ...CONTACT, businessId: 'b1' } }),
      answer(200, { contact: { ...CONTACT, customFields: [{ id: 7, value: 'x' }] } }),
      answer(200, { contacts: [CONTACT, { ...CONTACT, tags: null }], total: 2 }),
    );
    const { client } = makeClient(fetch);
    expect(await client.getContact('c1')).toMatchObject({ businessId: 'b1' });
    await expect(client.updateContact('c1', {})).rejects.toMatchObject({
      code: 'MOCKS_SCHEMA_DRIFT',
      path: 'contact.customFields.0.id',
      message: expect.stringContaining('expected string, received number'),
      effect: 'unknown',
      retryable: false,
    });
    await expect(client.searchContacts()).rejects.toMatchObject({
      path: 'contacts.1.tags',
      effect: 'none',
    });
  });

  it('takes null for nothing, and a field`s value as it comes, for the real answers were seen to have both', async () => {
    const customFields = [
      { id: 'a', value: ['x', 'y'] },
      { id: 'b', value: 7 },
    ];
    const { fetch } = scriptedFetch(
      answer(200, { contact: { ...CONTACT, email: null, dnd: null, customFields } }),
      answer(200, { contacts: [{ ...CONTACT, phone: null }], total: 1 }),
      answer(200, { contact: null }),
    );
    const { client } = makeClient(fetch);
    expect(await client.getContact('c1')).toEqual({ ...CONTACT, customFields });
    expect((await client.searchContacts()).contacts).toEqual([CONTACT]);
    expect(await client.searchContact({ email: 'ada@example.com' })).toEqual([]);
  });

  it('does not take a page of a gateway for an answer', async () => {
    const { fetch } = scriptedFetch(
      new Response('<html>Bad Gateway</html>', { status: 502 }),
      new Response('<html>Welcome</html>', { status: 200 }),
      new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } }),
    );
    const { client } = makeClient(fetch, { retries: 'none' });
    await expect(client.getContact('c1')).rejects.toMatchObject({ status: 502 });
    await expect(client.getContact('c1')).rejects.toMatchObject({ code: 'MOCKS_NETWORK_FAILED' });
    await expect(client.getContact('c1')).rejects.toMatchObject({ status: 302, retryable: false });
  });

  it('sends what the provider asks for, and where it is told to', async () => {
    const { fetch, requests } = scriptedFetch(good);
    const { client } = makeClient(fetch, { baseUrl: 'http://localhost:4010/crm/' });
    await client.updateContact(
      'a/b c',
      { city: 'Paris', state: undefined },
      { idempotencyKey: 'k' },
    );
    const [request] = requests;
    expect(request?.url).toBe('http://localhost:4010/crm/contacts/a%2Fb%20c');
    expect(request?.method).toBe('PUT');
    expect(request?.redirect).toBe('manual');
    expect(await request?.json()).toEqual({ city: 'Paris' });
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      authorization: 'Bearer pit-any',
      version: '2021-07-28',
      'content-type': 'application/json',
      'idempotency-key': 'k',
    });
  });

  it('refuses options that do not fit, without repeating what is secret', () => {
    const wrong = { locationId: '', credentials: { token: 'pit-canary', clientId: 'x' } };
    const attempt = () => createGoHighLevelClient(wrong);
    expect(attempt).toThrow('locationId');
    expect(attempt).not.toThrow('pit-canary');
  });
});

function makeApp(input: GoHighLevelMockInput = {}, version: '2021-07-28' | 'v3' = '2021-07-28') {
  const clock = new ManualClock();
  const mock = createGoHighLevelMock(
    { latency: { medianMs: 100, sigma: 0 }, contacts: 1, tokenMs: 3_600_000, ...input },
    { clock },
  );
  const told: GoHighLevelTokens[] = [];
  const client = createGoHighLevelClient(
    {
      locationId: LOCATION,
      version,
      credentials: { clientId: 'app', clientSecret: 'secret', refreshToken: 'refresh-1' },
      retries: 'none',
    },
    { clock, fetch: mock.fetch, onTokens: (tokens) => told.push(tokens) },
  );
  return { clock, mock, client, told };
}

describe('the tokens of an app', () => {
  it.each(['2021-07-28', 'v3'] as const)(
    'are fetched once for all who wait, before they end and when they are refused (%s)',
    async (version) => {
      const { clock, mock, client, told } = makeApp({}, version);
      const three = () =>
        clock.run(() => Promise.all([1, 2, 3].map(() => client.testConnection())));
      await three();
      expect(mock.journal.entries('token.create')).toHaveLength(1);
      await clock.advance(3_600_000 - 20_000); // within half a minute of its end
      await three();
      expect(mock.journal.entries('token.create')).toHaveLength(2);
      expect(told).toHaveLength(2);
      expect(told[1]?.refreshToken).not.toBe(told[0]?.refreshToken);
    },
  );

  it('are renewed once when one is refused, and the call is sent again', async () => {
    const refusal = {
      match: { operation: 'location.get' },
      kind: 'status',
      status: 401,
      when: { burst: { from: 1, to: 3 } },
    } as const;
    const { clock, mock, client } = makeApp({ faults: [refusal] });
    await clock.run(() => Promise.all([1, 2, 3].map(() => client.testConnection())));
    expect(mock.journal.entries('token.create')).toHaveLength(2); // the first, and one for the three
    expect(mock.journal.entries('location.get')).toHaveLength(6);
  });

  it('are not renewed for a refusal that comes late, when they have been renewed already', async () => {
    const clock = new ManualClock();
    const tokens: string[] = [];
    const fetch: Fetch = async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/oauth/token') {
        tokens.push(`access-${tokens.length + 2}`);
        const body = { access_token: tokens.at(-1), refresh_token: 'next', expires_in: 86_399 };
        return answer(200, body);
      }
      if (request.headers.get('authorization') !== 'Bearer access-1') return good.clone();
      await clock.sleep(pathname.endsWith('/slow') ? 500 : 100);
      return answer(401, { message: 'Invalid JWT' });
    };
    const client = createGoHighLevelClient(
      {
        locationId: LOCATION,
        credentials: {
          clientId: 'app',
          clientSecret: 'secret',
          refreshToken: 'refresh-1',
          accessToken: 'access-1',
        },
        retries: 'none',
      },
      { clock, fetch },
    );
    await clock.run(() => Promise.all([client.getContact('fast'), client.getContact('slow')]));
    expect(tokens).toEqual(['access-2']);
  });

  it('are not renewed for ever: who is refused twice is not let in', async () => {
    const refusal = { match: { operation: 'location.get' }, kind: 'status', status: 401 } as const;
    const { clock, mock, client } = makeApp({ faults: [{ ...refusal, when: { rate: 1 } }] });
    await expect(clock.run(() => client.testConnection())).rejects.toMatchObject({
      code: 'MOCKS_AUTH_FAILED',
    });
    expect(mock.journal.entries('location.get')).toHaveLength(2);
  });

  it('are fetched though one who waits for them goes away', async () => {
    const { clock, client, mock } = makeApp();
    const controller = new AbortController();
    await clock.run(async () => {
      const first = client.testConnection({ signal: controller.signal });
      const second = client.testConnection();
      controller.abort(new Error('gone'));
      await expect(first).rejects.toThrow('gone');
      await second;
    });
    expect(mock.journal.entries('token.create')).toHaveLength(1);
  });
});

describe('the real client of Mployer', () => {
  it('logs in by itself when it was given an account, and again when the session has ended', async () => {
    const clock = new ManualClock();
    const mock = createMployerMock({ latency: 'none' }, { clock });
    const client = createMployerClient(
      {
        baseUrl: 'https://mployer.example',
        account: { email: 'ada@example.com', password: 'secret' },
      },
      { clock, fetch: mock.fetch },
    );
    expect((await client.searchContacts({ state: 'CA' })).results).toHaveLength(9);
    await clock.advance(31 * 60_000);
    expect(await client.testConnection()).toEqual({ account: 'ada@example.com' });
    expect(mock.journal.entries('session.create')).toHaveLength(2);
  });

  it('waits as long as Retry-After says, in seconds or as a date', async () => {
    for (const header of ['7', new Date(Date.UTC(2026, 0, 1) + 7_000).toUTCString()]) {
      const page = { number: 1, size: 25, totalResults: 0, totalPages: 1, nextCursor: null };
      const { fetch } = scriptedFetch(
        answer(429, {}, { 'retry-after': header }),
        answer(200, { results: [], page }),
      );
      const clock = new ManualClock();
      const client = createMployerClient({ baseUrl: 'https://mployer.example' }, { clock, fetch });
      await clock.run(() => client.searchContacts({}));
      expect(clock.monotonic()).toBeGreaterThanOrEqual(7_000);
      expect(clock.monotonic()).toBeLessThanOrEqual(7_700);
    }
  });
});

/** Who has secrets, which, and what can be called. */
interface Keeper {
  readonly secrets: readonly string[];
  readonly attempts: (fetch: Fetch) => readonly (() => Promise<unknown>)[];
}

const keepers: Record<string, Keeper> = {
  'a private integration': {
    secrets: ['pit-canary'],
    attempts: (fetch) => {
      const { client } = makeClient(fetch, {
        credentials: { token: 'pit-canary' },
        retries: 'none',
      });
      return Object.values(calls).map((call) => () => call(client));
    },
  },
  'an app': {
    secrets: ['client-canary', 'refresh-canary', 'access-canary'],
    attempts: (fetch) => {
      const credentials = {
        clientId: 'app',
        clientSecret: 'client-canary',
        refreshToken: 'refresh-canary',
        accessToken: 'access-canary',
      };
      const { client } = makeClient(fetch, { credentials, retries: 'none' });
      return Object.values(calls).map((call) => () => call(client));
    },
  },
  'an app without a token yet': {
    secrets: ['client-canary', 'refresh-canary'],
    attempts: (fetch) => {
      const credentials = {
        clientId: 'app',
        clientSecret: 'client-canary',
        refreshToken: 'refresh-canary',
      };
      const { client } = makeClient(fetch, { credentials, retries: 'none' });
      return Object.values(calls).map((call) => () => call(client));
    },
  },
  'who logs in at Mployer': {
    secrets: ['word-canary'],
    attempts: (fetch) => {
      const account = { email: 'ada@example.com', password: 'word-canary' };
      const options = { baseUrl: 'https://mployer.example', retries: 'none' } as const;
      const client = createMployerClient(options, { fetch });
      const withAccount = createMployerClient({ ...options, account }, { fetch });
      return [
        () => client.login(account.email, account.password),
        () => withAccount.searchContacts({}),
      ];
    },
  },
};

/** What a server can answer that repeats, wherever it can, what it was sent; and what a fetch can throw. */
function indiscretions(echo: string): Record<string, Scripted> {
  const body = (status: number) => ({
    message: status === 422 ? [echo] : echo,
    error: { code: echo, message: echo, requestId: echo, issues: [echo] },
    meta: { contactId: echo, matchingField: echo },
    traceId: echo,
    contact: { ...CONTACT, dndSettings: { [echo]: 1 } },
    [echo]: echo,
  });
  const headers = { 'x-request-id': echo, 'retry-after': echo };
  const statuses = [200, 201, 302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503];
  return {
    ...Object.fromEntries(
      statuses.map((status) => [`${status}`, answer(status, body(status), headers)]),
    ),
    'a page': new Response(echo, { status: 500 }),
    'no JSON': new Response(echo, { status: 200 }),
    'a failed fetch': new TypeError(echo, {
      cause: Object.assign(new Error(echo), { headers: { authorization: echo } }),
    }),
    'a fetch that throws the request': (request) => {
      throw Object.assign(new Error(echo), { request, headers: [...request.headers] });
    },
  };
}

describe.each(Object.entries(keepers))('%s', (_name, { secrets, attempts }) => {
  it.each(Object.entries(indiscretions(secrets.join(' '))))(
    'finds no secret in any error after %s',
    async (_what, indiscretion) => {
      const { fetch } = scriptedFetch(indiscretion);
      const outcomes = await Promise.allSettled(attempts(fetch).map((attempt) => attempt()));
      const errors = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) {
        const told = `${inspect(error, { depth: 12, showHidden: true })} ${JSON.stringify(error)}`;
        for (const secret of secrets) expect(told).not.toContain(secret);
      }
    },
  );
});

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
const inForm = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);

/** How a secret can come back from who was sent it. */
const spellings: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  'in a form': inForm,
  'percent-encoded': encodeURIComponent,
  'percent-encoded in small letters': (secret) =>
    encodeURIComponent(secret).replaceAll(/%../g, (byte) => byte.toLowerCase()),
  'percent-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'in JSON': escaped,
  'in JSON in JSON': (secret) => escaped(escaped(secret)),
  'in JSON of ASCII only': (secret) =>
    escaped(secret)
      .replaceAll('/', '\\/')
      .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'in HTML': (secret) =>
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
};
const base64s: Record<string, (secret: string) => string> = {
  'of itself': (secret) => toBase64(secret),
  'behind a name': (secret) => toBase64(`app:${secret}`),
  'behind a longer name': (secret) => toBase64(`my-app:${secret}`),
  'between others': (secret) => toBase64(`a=${secret}&b`),
  'of a form': (secret) => toBase64(`app:${inForm(secret)}`),
  'of JSON': (secret) => toBase64(`{"password":"${escaped(secret)}"}`),
  'for addresses': (secret) => Buffer.from(`app:${secret}`).toString('base64url'),
};

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const secretText = fc.string({
  unit: fc.constantFrom(...Array.from('aZ7"\\+/= &<>%-_.~\'\n\u00e9\u{1f511}')),
  minLength: 4,
  maxLength: 12,
});

async function complaintAbout(password: string, echo: string): Promise<string> {
  const { fetch } = scriptedFetch(answer(422, { error: { code: 'NO', message: `«${echo}»` } }));
  const options = { baseUrl: 'https://mployer.example', retries: 'none' } as const;
  const error: unknown = await createMployerClient(options, { fetch })
    .login('ada@example.com', password)
    .catch((thrown: unknown) => thrown);
  return error instanceof Error ? error.message : 'no error';
}

describe('a secret that a provider repeats', () => {
  it.each(Object.entries(spellings))('is in no error, %s', (_way, spell) =>
    fc.assert(
      fc.asyncProperty(secretText, async (secret) => {
        const complaint = await complaintAbout(secret, spell(secret));
        expect(complaint).toBe('mployer session.create: «[redacted]»');
      }),
      { numRuns: 40 },
    ),
  );

  it.each(Object.entries(base64s))('is in no error, in base64 %s', (_way, spell) =>
    fc.assert(
      fc.asyncProperty(secretText, async (secret) => {
        const complaint = await complaintAbout(secret, spell(secret));
        // What stood around it may stay.
        expect(complaint).toMatch(/: «[\w+/-]{0,18}\[redacted\][\w+/-]{0,4}=*»$/);
      }),
      { numRuns: 40 },
    ),
  );

  it('is taken out whole where another is its beginning', async () => {
    const echo = 'refresh-1-and-more refresh-1';
    const { fetch } = scriptedFetch(answer(400, { message: echo }));
    const { client } = makeClient(fetch, {
      credentials: {
        clientId: 'app',
        clientSecret: 'refresh-1',
        refreshToken: 'refresh-1-and-more',
      },
      retries: 'none',
    });
    await expect(client.getContact('c1')).rejects.toThrow(': [redacted] [redacted]');
  });

  it('is in no error of an app whose form comes back', async () => {
    const secrets = ['s3+cr/et=&x', 'r"ef\\1 =+'];
    const [clientSecret = '', refreshToken = ''] = secrets;
    const { fetch } = scriptedFetch(async (request) =>
      answer(400, { message: `bad request: ${await request.text()}` }),
    );
    for (const version of ['2021-07-28', 'v3'] as const) {
      const credentials = { clientId: 'app', clientSecret, refreshToken };
      const { client } = makeClient(fetch, { credentials, version, retries: 'none' });
      const error: unknown = await client.getContact('c1').catch((thrown: unknown) => thrown);
      const told = inspect(error, { depth: 12, showHidden: true });
      expect(told).toContain('[redacted]');
      for (const secret of secrets) expect(told).not.toContain(inForm(secret));
    }
  });
});
