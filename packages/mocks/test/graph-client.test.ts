import { ManualClock, seededRandom } from '@buddy/core';
import {
  createGraphMailClient,
  type GraphMailClientInput,
  createGraphMailMock,
  FaultRule,
  type GraphMailClient,
  type GraphMailMockInput,
  getGraphMailClient,
} from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import { NOON } from './graph/ways.ts';

const TOKEN = 'a-very-secret-token';
const LETTER = {
  toRecipients: [{ emailAddress: { address: 'grace@example.com' } }],
  subject: 'Your quote',
  body: { contentType: 'text', content: 'Dear Grace,' },
} as const;

/** A client of the mock, by way of its fetch, on its clock. */
function open({
  mock: mockInput = {},
  client: clientInput = {},
}: { mock?: GraphMailMockInput; client?: Partial<GraphMailClientInput> } = {}) {
  const clock = new ManualClock(NOON);
  const mock = createGraphMailMock({ latency: 'none', ...mockInput }, { clock });
  const sent: Request[] = [];
  const fetch = (request: Request) => {
    sent.push(request.clone());
    return mock.fetch(request);
  };
  const client = createGraphMailClient(
    { credentials: { token: TOKEN }, ...clientInput },
    { fetch, clock, random: seededRandom(1) },
  );
  return { clock, mock, client, sent };
}

/** The first `times` calls of an operation go wrong. */
function first(times: number, operation: string, fault: object): FaultRule[] {
  return Array.from({ length: times }, (_, n) =>
    FaultRule.parse({ match: { operation }, when: { nth: n + 1 }, ...fault }),
  );
}

/** Answers what it is told, whatever is asked. */
function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  const clock = new ManualClock(NOON);
  const fetch = async () =>
    new Response(typeof body === 'string' ? body : JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json', 'request-id': 'the-request', ...headers },
    });
  const client = createGraphMailClient(
    { credentials: { token: TOKEN }, retries: 'none' },
    { fetch, clock },
  );
  return { client, clock };
}

type Write = (client: GraphMailClient, messageId: string) => Promise<unknown>;

const WRITES: readonly [string, Write][] = [
  ['mail.send', (client) => client.sendEmail(LETTER)],
  ['messages.create', (client) => client.createDraft(LETTER)],
  ['messages.reply', (client, id) => client.replyToMessage(id, 'Yes.')],
  ['messages.createReply', (client, id) => client.createReplyDraft(id, 'Yes.')],
  ['messages.replyAll', (client, id) => client.replyToAll(id, 'Yes.')],
  ['messages.forward', (client, id) => client.forwardMessage(id, LETTER.toRecipients, 'See.')],
  ['messages.move', (client, id) => client.moveMessage(id, 'archive')],
  ['messages.copy', (client, id) => client.copyMessage(id, 'archive')],
  ['messages.delete', (client, id) => client.deleteMessage(id)],
  ['messages.send', (client, id) => client.sendDraft(id)],
  [
    'batch',
    (client, id) => client.batch([{ id: '1', method: 'DELETE', url: `/me/messages/${id}` }]),
  ],
];

describe('the real client of Graph mail', () => {
  it('waits as long as it is told, in seconds, and tries again', async () => {
    const faults = first(2, 'mail.send', { kind: 'status', status: 429, retryAfterMs: 7_000 });
    const { client, clock, mock } = open({ mock: { faults } });
    await clock.run(() => client.sendEmail(LETTER));
    expect(mock.messages('sentitems')).toHaveLength(1);
    const [one, two, three] = mock.journal.entries().map(({ startedAt }) => startedAt);
    expect((two ?? 0) - (one ?? 0)).toBeGreaterThanOrEqual(7_000);
    expect((three ?? 0) - (two ?? 0)).toBeGreaterThanOrEqual(7_000);
  });

  it('reads a date in Retry-After as the time until then', async () => {
    const { client } = answering(
      429,
      { error: { code: 'ApplicationThrottled', message: 'Too many.' } },
      { 'retry-after': new Date(NOON + 90_000).toUTCString() },
    );
    await expect(client.testConnection()).rejects.toMatchObject({
      code: 'MOCKS_RATE_LIMITED',
      retryAfterMs: 90_000,
      effect: 'none',
      retryable: true,
      providerCode: 'ApplicationThrottled',
      requestId: 'the-request',
    });
  });

  it.each([
    { kind: 'status', status: 408 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 504 },
    { kind: 'reset' },
    { kind: 'truncate' },
  ])('repeats a read after %j', async (fault) => {
    const { client, clock, mock } = open({ mock: { faults: first(3, 'messages.list', fault) } });
    const { messages } = await clock.run(() => client.getMessages());
    expect(messages).toHaveLength(5);
    expect(mock.journal.total).toBe(4);
  });

  it.each(WRITES)('never repeats %s when its answer was lost', async (operation, act) => {
    const faults = first(1, operation, { kind: 'commitThenFail' });
    const { client, clock, mock } = open({ mock: { faults } });
    const isOfDraft = operation === 'messages.send';
    const message = isOfDraft ? await mock.client.createDraft(LETTER) : mock.messages()[0];
    await expect(clock.run(() => act(client, message?.id ?? ''))).rejects.toMatchObject({
      code: 'MOCKS_NETWORK_FAILED',
      effect: 'unknown',
    });
    expect(mock.journal.entries(operation)).toMatchObject([
      { outcome: 'lost', isCarriedOut: true },
    ]);
  });

  it('tries once when told so, and says when another try makes sense', async () => {
    const faults = first(1, 'mail.send', { kind: 'status', status: 429, retryAfterMs: 2_000 });
    const { client, mock } = open({ mock: { faults }, client: { retries: 'none' } });
    await expect(client.sendEmail(LETTER)).rejects.toMatchObject({
      retryAfterMs: 2_000,
      effect: 'none',
    });
    expect(mock.journal.total).toBe(1);
  });

  it('has at most four calls under way at once, which is what Graph allows', async () => {
    const { client, clock, mock } = open({
      mock: { latency: { medianMs: 100, sigma: 0 }, faults: 'real-limits' },
      client: { retries: 'none' },
    });
    await clock.run(() => Promise.all(Array.from({ length: 20 }, () => client.testConnection())));
    expect(clock.now() - NOON).toBe(500);
    expect(mock.journal.entries().every(({ outcome }) => outcome === 'answered')).toBe(true);
  });

  it('repeats a lost change that would change nothing more, but not one that names an etag', async () => {
    const faults = first(1, 'messages.update', { kind: 'commitThenFail' });
    const { client, clock, mock } = open({ mock: { faults } });
    const [message] = mock.messages();
    const id = message?.id ?? '';
    expect(await clock.run(() => client.updateMessage(id, { isRead: true }))).toMatchObject({
      isRead: true,
    });
    mock.reset();
    const options = { ifChangeKey: message?.changeKey };
    await expect(
      clock.run(() => client.updateMessage(id, { isRead: true }, options)),
    ).rejects.toMatchObject({ effect: 'unknown' });
    await expect(client.updateMessage(id, { isRead: true }, options)).rejects.toMatchObject({
      code: 'MOCKS_CONFLICT',
      status: 412,
    });
  });
});

describe('sending by way of a draft', () => {
  it('gives the message with an id that stays', async () => {
    const { client, mock, sent } = open();
    const { id, conversationId } = await client.sendEmailAsDraft(LETTER);
    await mock.client.moveMessage(mock.messages('sentitems')[0]?.id ?? '', 'archive');
    expect(await client.getMessage(id)).toMatchObject({ subject: 'Your quote', conversationId });
    expect(sent[0]?.headers.get('prefer')).toBe('IdType="ImmutableId"');
  });

  it.each([
    ['done, but its answer lost', { kind: 'commitThenFail' }, 1],
    ['lost before it was done', { kind: 'reset' }, 2],
    ['refused for the moment', { kind: 'status', status: 429, retryAfterMs: 1_000 }, 2],
  ])('sends once when the sending was %s', async (_what, fault, requests) => {
    const { client, clock, mock } = open({ mock: { faults: first(1, 'messages.send', fault) } });
    await clock.run(() => client.sendEmailAsDraft(LETTER));
    expect(mock.messages('sentitems')).toHaveLength(1);
    expect(mock.messages('drafts')).toHaveLength(0);
    expect(mock.journal.entries('messages.send')).toHaveLength(requests);
  });

  it('says that it cannot know, when it cannot even look', async () => {
    const faults: FaultRule[] = [
      ...first(1, 'messages.send', { kind: 'commitThenFail' }),
      { match: { operation: 'messages.get' }, kind: 'reset', when: { rate: 1 } },
    ];
    const { client, clock, mock } = open({ mock: { faults } });
    await expect(clock.run(() => client.sendEmailAsDraft(LETTER))).rejects.toMatchObject({
      operation: 'messages.send',
      effect: 'unknown',
    });
    expect(mock.messages('sentitems')).toHaveLength(1);
  });

  it('never sends a letter twice, in 200 storms', async () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const { client, clock, mock } = open({ mock: { seed, faults: 'storm' } });
      const result = await clock.run(() =>
        client.sendEmailAsDraft(LETTER).then(
          () => 'sent',
          ({ effect }: { effect: string }) => effect,
        ),
      );
      const count = mock.messages('sentitems').length;
      const allowed: Record<string, readonly number[]> = { sent: [1], none: [0], unknown: [0, 1] };
      expect(allowed[result]).toContain(count);
    }
  });
});

describe('the tokens of the real client', () => {
  it('are renewed once, by one, when they are refused', async () => {
    const clock = new ManualClock(NOON);
    const mock = createGraphMailMock({ latency: 'none', accessTokens: ['second'] }, { clock });
    let asked = 0;
    const client = createGraphMailClient(
      {},
      {
        fetch: mock.fetch,
        clock,
        getToken: async () => {
          asked += 1;
          return { accessToken: asked === 1 ? 'first' : 'second' };
        },
      },
    );
    const tests = Array.from({ length: 4 }, () => client.testConnection());
    expect(new Set((await Promise.all(tests)).map(({ account }) => account)).size).toBe(1);
    expect(asked).toBe(2);
  });

  it('are not asked for a third time', async () => {
    const clock = new ManualClock(NOON);
    const mock = createGraphMailMock({ latency: 'none', accessTokens: ['right'] }, { clock });
    let asked = 0;
    const getToken = async () => ({ accessToken: `wrong ${(asked += 1)}` });
    const client = createGraphMailClient({}, { fetch: mock.fetch, clock, getToken });
    await expect(client.testConnection()).rejects.toMatchObject({ code: 'MOCKS_AUTH_FAILED' });
    expect(asked).toBe(2);
  });

  it('of an app come from the directory, and are used until shortly before they end', async () => {
    const clock = new ManualClock(NOON);
    const mock = createGraphMailMock({ latency: 'none', accessTokens: ['app-token'] }, { clock });
    const asked: string[] = [];
    const fetch = async (request: Request) => {
      if (!request.url.startsWith('https://login.microsoftonline.com/')) return mock.fetch(request);
      asked.push(`${request.method} ${request.url} ${await request.text()}`);
      return Response.json({ access_token: 'app-token', expires_in: 3_600, token_type: 'Bearer' });
    };
    const credentials = { tenantId: 'contoso', clientId: 'an-app', clientSecret: 'shh' };
    const client = createGraphMailClient(
      { credentials, user: 'buddy@example.com' },
      { fetch, clock },
    );
    await client.testConnection();
    await client.getMessages();
    await clock.advance(3_580_000);
    await client.testConnection();
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBe(
      'POST https://login.microsoftonline.com/contoso/oauth2/v2.0/token ' +
        'grant_type=client_credentials&client_id=an-app&client_secret=shh&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default',
    );
    const paths = mock.journal.entries().map(({ request }) => request.path);
    expect(paths[0]).toBe('/v1.0/users/buddy%40example.com');
  });

  it('are in no error, whatever the provider or the connection says', async () => {
    const echo = answering(400, { error: { code: 'BadRequest', message: `Bearer ${TOKEN}?` } });
    const failure = await echo.client.testConnection().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'MOCKS_VALIDATION_FAILED' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(TOKEN);
  });
});

describe('an answer that is not as agreed', () => {
  it.each([
    ['/value', { value: 'none' }, 'value'],
    ['an id', { value: [{ id: 7 }] }, 'value.0.id'],
    [
      'the kind of a body',
      { value: [{ id: 'a', body: { contentType: 'rtf' }, importance: 'low' }] },
      'value.0.body.contentType',
    ],
  ])('in %s is told by its path', async (_what, body, path) => {
    const { client } = answering(200, body);
    await expect(client.getMessages()).rejects.toMatchObject({ code: 'MOCKS_SCHEMA_DRIFT', path });
  });

  it('but holds more than agreed is taken', async () => {
    const { client } = answering(200, { mail: 'ada@example.com', aboutMe: null, skills: [] });
    expect(await client.testConnection()).toEqual({ account: 'ada@example.com' });
  });

  it('but is an HTML page of a gateway is an error of the provider', async () => {
    const { client } = answering(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' });
    await expect(client.getMessages()).rejects.toMatchObject({
      code: 'MOCKS_PROVIDER_UNAVAILABLE',
      status: 502,
    });
  });
});

describe('createGraphMailClient', () => {
  it.each([
    ['nothing to log in with', {}, 'must be { token } or { tenantId, clientId, clientSecret }'],
    ['an empty token', { credentials: { token: '' } }, 'credentials'],
    ['another name', { credentials: { token: 'a' }, mailbox: 'me' }, 'mailbox'],
    ['no URL', { credentials: { token: 'a' }, baseUrl: 'graph' }, 'baseUrl'],
  ])('refuses %s', (_what, input, words) => {
    expect(() => createGraphMailClient(input)).toThrow(
      expect.objectContaining({
        code: 'CORE_INVALID_INPUT',
        message: expect.stringContaining(words),
      }),
    );
  });
});

describe('getGraphMailClient without a dry run', () => {
  it.each([
    [{}, 'MSGRAPH_ACCESS_TOKEN'],
    [{ MSGRAPH_CLIENT_ID: 'app' }, 'MSGRAPH_TENANT_ID'],
    [{ MSGRAPH_CLIENT_ID: 'app', MSGRAPH_TENANT_ID: 't' }, 'MSGRAPH_CLIENT_SECRET'],
    [
      { MSGRAPH_CLIENT_ID: 'app', MSGRAPH_TENANT_ID: 't', MSGRAPH_CLIENT_SECRET: 's' },
      'MSGRAPH_MAILBOX',
    ],
  ])('with %j names %s as what is missing', (environment, variable) => {
    expect(() => getGraphMailClient(environment)).toThrow(
      expect.objectContaining({ code: 'MOCKS_NOT_CONFIGURED', variable }),
    );
  });

  it('reaches what it is told to, for the mailbox it is told', async () => {
    const mock = createGraphMailMock({ latency: 'none' });
    const client = getGraphMailClient(
      {
        MSGRAPH_ACCESS_TOKEN: 'a',
        MSGRAPH_MAILBOX: 'buddy@example.com',
        MSGRAPH_BASE_URL: 'https://graph.example/v1.0',
      },
      { fetch: mock.fetch },
    );
    await client.testConnection();
    expect(mock.journal.entries()[0]?.request.path).toBe('/v1.0/users/buddy%40example.com');
  });

  it('does not guess what a base URL means', () => {
    const environment = { MSGRAPH_ACCESS_TOKEN: 'a', MSGRAPH_BASE_URL: 'graph.microsoft.com' };
    expect(() => getGraphMailClient(environment)).toThrow(
      expect.objectContaining({
        code: 'MOCKS_ENVIRONMENT_INVALID',
        variable: 'MSGRAPH_BASE_URL',
      }),
    );
  });
});
