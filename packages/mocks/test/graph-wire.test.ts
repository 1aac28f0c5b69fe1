import type { GraphMailMock, GraphMailMockInput } from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answered, openWire } from './graph/wire.ts';

/** Many requests, on a machine that may be busy. */
const SLOW = { timeout: 30_000 };

const LETTER = {
  subject: 'Your quote',
  body: { contentType: 'Text', content: 'Dear Grace,' },
  toRecipients: [{ emailAddress: { address: 'grace@example.com' } }],
};

function errorCode({ body }: Answered): unknown {
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function mailboxOf(mock: GraphMailMock): unknown {
  const { state } = z.object({ state: z.object({ mailbox: z.unknown() }) }).parse(mock.snapshot());
  return state.mailbox;
}

function jwt(claims: object): string {
  return [{ alg: 'RS256' }, claims, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}

async function story(seed: number): Promise<unknown> {
  const { send } = openWire({ seed });
  const answers = [
    await send('POST', '/v1.0/me/messages', { body: LETTER }),
    await send('GET', '/v1.0/me/messages?$top=3'),
    await send('GET', '/v1.0/me/mailFolders'),
  ];
  return answers.map(({ text, headers }) => [text, headers.get('request-id')]);
}

describe('an answer of the Graph mock', () => {
  it('bears what every answer of Graph bears, and repeats the id of the request', async () => {
    const { send } = openWire();
    const id = '0d0a6b5e-0000-4000-8000-000000000001';
    const { headers } = await send('GET', '/v1.0/me', { headers: { 'client-request-id': id } });
    expect(headers.get('client-request-id')).toBe(id);
    expect(headers.get('request-id')).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(headers.get('date')).toBe('Sat, 10 Jan 2026 12:00:00 GMT');
    expect(headers.get('content-type')).toMatch(/^application\/json;odata\.metadata=minimal/);
    expect(headers.get('odata-version')).toBe('4.0');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it.each([
    ['POST', '/v1.0/me/sendMail', { message: LETTER }, 202],
    ['POST', '/v1.0/me/sendMail', { Message: LETTER, SaveToSentItems: 'false' }, 202],
  ] as const)(
    'to %s %s %j has neither a body nor a content type',
    async (method, path, body, status) => {
      const answer = await openWire().send(method, path, { body });
      expect([answer.status, answer.text]).toEqual([status, '']);
      expect(answer.headers.get('content-type')).toBeNull();
    },
  );

  it('says in an error what, when, and in which request', async () => {
    const { send } = openWire();
    const { status, body, headers } = await send('GET', '/v1.0/me/messages/AAMkNobodyHasThisOne=');
    expect(status).toBe(404);
    expect(body).toEqual({
      error: {
        code: 'ErrorItemNotFound',
        message: 'The specified object was not found in the store.',
        innerError: {
          date: '2026-01-10T12:00:00',
          'request-id': headers.get('request-id'),
          'client-request-id': headers.get('client-request-id'),
        },
      },
    });
  });

  it('is the same, byte for byte, for the same seed, and another for another', async () => {
    expect(await story(7)).toEqual(await story(7));
    expect(await story(7)).not.toEqual(await story(8));
  });
});

function call(authorization: string | undefined): Promise<Response> {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  return openWire().mock.fetch(new Request('https://graph.microsoft.com/v1.0/me', { headers }));
}

describe('who may call the Graph mock', () => {
  it.each([
    ['any token', 'opaque'],
    ['a token that has not ended', jwt({ exp: Date.UTC(2026, 0, 11) / 1000 })],
  ])('is who has %s', async (_what, token) => {
    expect((await call(`Bearer ${token}`)).status).toBe(200);
  });

  it.each([
    ['nothing', undefined],
    ['another scheme', 'Basic YTpi'],
    ['an empty token', 'Bearer '],
    ['a token that has ended', `Bearer ${jwt({ exp: Date.UTC(2026, 0, 9) / 1000 })}`],
  ])('is not who has %s', async (_what, authorization) => {
    const response = await call(authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm=""/);
    expect(await response.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
  });

  it('lets in only the tokens that it was made with', async () => {
    const { send, mock } = openWire({ accessTokens: ['the-right-one'] });
    expect((await send('GET', '/v1.0/me')).status).toBe(401);
    expect(await mock.client.testConnection()).toEqual({ account: 'buddy@example.com' });
  });
});

describe('the paths of the Graph mock', () => {
  it.each([
    '/v1.0/me/messages',
    '/v1.0/me/messages/',
    '/V1.0/Me/Messages',
    '/v1.0/users/buddy@example.com/messages',
    '/v1.0/users/BUDDY%40example.com/messages',
    "/v1.0/users('buddy@example.com')/messages",
    '/v1.0/me/mailFolders/inbox/messages',
    '/v1.0/me/mailFolders/Inbox/messages',
    "/v1.0/me/mailFolders('inbox')/messages",
  ])('%s lists the five messages', async (path) => {
    expect((await openWire().send('GET', path)).value).toHaveLength(5);
  });

  it('take ids as they are, percent-encoded, and in brackets', async () => {
    const { send, mock } = openWire();
    const id = mock.messages()[0]?.id ?? '';
    const paths = [`/${id}`, `/${encodeURIComponent(id)}`, `('${id}')`, `/${id}?%24select=subject`];
    for (const path of paths) {
      const { status, body } = await send('GET', `/v1.0/me/messages${path}`);
      expect([status, body['id']]).toEqual([200, id]);
    }
    const { status } = await send('POST', `/v1.0/me/messages/${id}/microsoft.graph.copy`, {
      body: { DestinationId: 'archive' },
    });
    expect(status).toBe(201);
  });

  it.each([
    ['GET', '/v1.0/me/mesages', 400, 'BadRequest'],
    ['GET', '/v1.0/metadata', 400, 'BadRequest'],
    ['GET', '/beta/me/messages', 400, 'BadRequest'],
    ['GET', '/', 400, 'BadRequest'],
    ['GET', '/v1.0/me/messages/%E0%A4%A', 400, 'BadRequest'],
    ['PUT', '/v1.0/me/messages', 405, 'MethodNotAllowed'],
    ['GET', '/v1.0/me/sendMail', 405, 'MethodNotAllowed'],
    ['GET', '/v1.0/users/nobody@example.com/messages', 404, 'ErrorInvalidUser'],
    ['GET', '/v1.0/me/messages/delta', 501, 'NotImplemented'],
    ['GET', '/v1.0/me/messages/AAMkNobodyHasThisOne=/$value', 501, 'NotImplemented'],
    ['POST', '/v1.0/me/mailFolders', 501, 'NotImplemented'],
    ['GET', '/v1.0/me/events', 501, 'NotImplemented'],
    ['GET', '/v1.0/me/messages/message-1', 400, 'ErrorInvalidIdMalformed'],
    ['GET', '/v1.0/me/mailFolders/no-such', 400, 'ErrorInvalidIdMalformed'],
  ])('%s %s is refused with %i %s', async (method, path, status, code) => {
    const answer = await openWire().send(method, path);
    expect([answer.status, errorCode(answer)]).toEqual([status, code]);
  });
});

describe('a list of the Graph mock', () => {
  it('comes in pages, each with an absolute link to the next', async () => {
    const { send } = openWire();
    const subjects: unknown[] = [];
    const links: unknown[] = [];
    let path: string | undefined = '/v1.0/me/messages?$top=2&$select=subject&$count=true';
    while (path !== undefined) {
      const { body, value, next }: Answered = await send('GET', path);
      expect(body['@odata.count']).toBe(5);
      subjects.push(...value.map(({ subject }) => subject));
      links.push(body['@odata.nextLink']);
      path = next;
    }
    const link = /^https:\/\/graph\.microsoft\.com\/v1\.0\/me\/messages\?.*%24skip=\d+$/;
    expect(links).toEqual([expect.stringMatching(link), expect.stringMatching(link), undefined]);
    expect(new Set(subjects).size).toBe(5);
  });

  it('gives what is selected, with id and etag; and everything but two when nothing is', async () => {
    const { send } = openWire();
    const chosen = await send('GET', '/v1.0/me/messages?$select=subject,internetMessageHeaders');
    expect(Object.keys(chosen.value[0] ?? {})).toEqual([
      'id',
      'subject',
      '@odata.etag',
      'internetMessageHeaders',
    ]);
    const [whole] = (await send('GET', '/v1.0/me/messages')).value;
    expect(whole).toMatchObject({ flag: { flagStatus: 'notFlagged' }, isDraft: false });
    expect(whole).not.toHaveProperty('internetMessageHeaders');
    expect(whole).not.toHaveProperty('uniqueBody');
  });

  it('expands attachments', async () => {
    const { value } = await openWire().send(
      'GET',
      '/v1.0/me/messages?$expand=attachments&$filter=hasAttachments eq true',
    );
    expect(value).toMatchObject([{ attachments: [{ name: 'census.csv', size: 31 }] }]);
  });

  it('sorts', async () => {
    const { send } = openWire();
    const { value } = await send('GET', '/v1.0/me/messages?$orderby=importance desc,subject');
    expect(value[0]?.subject).toBe('Renewal decision needed today');
    expect(value.at(-1)?.subject).toBe('Benefits Weekly: what changes next year');
  });

  it.each([
    '$orderby=receivedDateTime&$filter=receivedDateTime ge 2000-01-01 and isRead eq false',
    '$orderby=isRead,sentDateTime&$filter=isRead eq false and sentDateTime ge 2000-01-01',
  ])('is sorted by what comes first in its filter: %s', async (query) => {
    expect((await openWire().send('GET', `/v1.0/me/messages?${query}`)).value).toHaveLength(3);
  });

  it.each([
    '$orderby=receivedDateTime&$filter=isRead eq false',
    '$orderby=receivedDateTime&$filter=isRead eq false and receivedDateTime ge 2000-01-01',
    '$orderby=sentDateTime,isRead&$filter=isRead eq false and sentDateTime ge 2000-01-01',
  ])('is not sorted by anything else beside a filter: %s', async (query) => {
    const answer = await openWire().send('GET', `/v1.0/me/messages?${query}`);
    expect([answer.status, errorCode(answer)]).toEqual([400, 'InefficientFilter']);
  });

  it.each([
    ['$search="proposal"&$orderby=subject', 'SearchWithOrderBy'],
    ['$search="proposal"&$filter=isRead eq true', 'SearchWithFilter'],
    ['$search="proposal"&$skip=1', 'SearchWithSkip'],
    ['$search="proposal', 'BadRequest'],
    ['$top=0', 'BadRequest'],
    ['$top=1001', 'BadRequest'],
    ['$top=ten', 'BadRequest'],
    ['$top=1&$top=2', 'BadRequest'],
    ['$skip=-1', 'BadRequest'],
    ['$count=maybe', 'BadRequest'],
    ['$select=subjekt', 'BadRequest'],
    ['$expand=singleValueExtendedProperties', 'BadRequest'],
    ['$orderby=body', 'BadRequest'],
    ['$orderby=subject sideways', 'BadRequest'],
    ['$format=atom', 'BadRequest'],
    ['$skiptoken=1', 'BadRequest'],
    ['$apply=groupby((subject))', 'BadRequest'],
    ['$anything=1', 'BadRequest'],
    ['$=1', 'BadRequest'],
    ['$ filter=isRead eq true', 'BadRequest'],
    [' $filter=isRead eq true', 'BadRequest'],
    ['filter=isRead eq true', 'BadRequest'],
    ['Filter=isRead eq true', 'BadRequest'],
    ['search="zzz"', 'BadRequest'],
    ['select=subject', 'BadRequest'],
    ['orderby=subject', 'BadRequest'],
    ['top=1', 'BadRequest'],
    ['skip=1', 'BadRequest'],
    ['skiptoken=1', 'BadRequest'],
    ['count=true', 'BadRequest'],
    ['expand=attachments', 'BadRequest'],
    ['format=xml', 'BadRequest'],
  ])('with %s is refused: %s', async (query, code) => {
    const answer = await openWire().send('GET', `/v1.0/me/messages?${query}`);
    expect([answer.status, errorCode(answer)]).toEqual([400, code]);
  });

  it.each([
    ['POST', '/v1.0/me/messages?$select=id', LETTER],
    ['POST', '/v1.0/me/sendMail?filter=x', { message: LETTER }],
  ])('no option goes with a write: %s %s', async (method, path, body) => {
    const { send, mock } = openWire();
    const answer = await send(method, path, { body });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'BadRequest']);
    expect(mock.messages()).toHaveLength(5);
  });

  it('leaves out what is no option of OData', async () => {
    const answer = await openWire().send('GET', '/v1.0/me/messages?n=1&reason=filter&$top=2');
    expect(answer.value).toHaveLength(2);
  });

  it.each([
    'messages/$count?filter=isRead eq true',
    'mailFolders?top=1',
    'mailFolders/inbox?select=id',
    'mailFolders/inbox/messages?filter=isRead eq true',
    '?select=mail',
  ])('wants the $ of an option wherever there are some: /me/%s', async (path) => {
    const answer = await openWire().send('GET', `/v1.0/me/${path}`.replace('/?', '?'));
    expect([answer.status, errorCode(answer)]).toEqual([400, 'BadRequest']);
  });

  it(
    'of what a search finds is sorted by the time of sending, and ends at 1000',
    SLOW,
    async () => {
      const { send, mock } = openWire();
      for (let n = 0; n < 1_010; n += 1) {
        await mock.client.sendEmail({
          ...LETTER,
          body: { contentType: 'text', content: '' },
          subject: `Zanzibar ${n}`,
        });
      }
      let found = 0;
      let path: string | undefined =
        '/v1.0/me/messages?$search="subject:zanzibar"&$top=400&$select=sentDateTime';
      while (path !== undefined) {
        const { value, next }: Answered = await send('GET', path);
        found += value.length;
        path = next;
      }
      expect(found).toBe(1_000);
      const count = await send(
        'GET',
        "/v1.0/me/messages/$count?$filter=contains(subject,'zanzibar')",
      );
      expect(count.text).toBe('1010');
      expect(count.headers.get('content-type')).toBe('text/plain');
    },
  );
});

describe('the folders of the Graph mock', () => {
  it('are known by name and by id, and count what is in them', async () => {
    const { send } = openWire();
    const list = await send('GET', '/v1.0/me/mailFolders?$count=true');
    expect(list.body['@odata.count']).toBe(7);
    const inbox = await send('GET', '/v1.0/me/mailFolders/inbox');
    expect(inbox.body).toMatchObject({
      displayName: 'Inbox',
      totalItemCount: 5,
      unreadItemCount: 3,
    });
    expect(list.value).toContainEqual(expect.objectContaining({ id: inbox.body['id'] }));
    const byId = await send('GET', `/v1.0/me/mailFolders/${String(inbox.body['id'])}`);
    expect(byId.body).toEqual(inbox.body);
    const full = await send('GET', '/v1.0/me/mailFolders?$filter=totalItemCount gt 0');
    expect(full.value).toHaveLength(1);
  });
});

describe('ids in the Graph mock', () => {
  it('change when a message moves, and stay when immutable ones are asked for', async () => {
    const { send } = openWire();
    const immutable = { Prefer: 'IdType="ImmutableId"' };
    const before = (await send('GET', '/v1.0/me/messages?$top=1', { headers: immutable })).value[0];
    const plain = (await send('GET', '/v1.0/me/messages?$top=1')).value[0];
    expect(before?.id).not.toBe(plain?.id);
    const moved = await send('POST', `/v1.0/me/messages/${plain?.id}/move`, {
      body: { destinationId: 'archive' },
    });
    expect(moved.status).toBe(201);
    expect(moved.body['id']).not.toBe(plain?.id);
    expect(moved.headers.get('location')).toContain(encodeURIComponent(String(moved.body['id'])));
    expect((await send('GET', `/v1.0/me/messages/${plain?.id}`)).status).toBe(404);
    const after = await send('GET', `/v1.0/me/messages/${before?.id}`, { headers: immutable });
    expect(after.body['id']).toBe(before?.id);
    expect(after.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    const removal = await send('DELETE', `/v1.0/me/messages/${before?.id}`, { headers: immutable });
    expect(removal.status).toBe(204);
    const deleted = await send('GET', '/v1.0/me/mailFolders/deleteditems/messages', {
      headers: immutable,
    });
    expect(deleted.value[0]?.id).toBe(before?.id);
  });
});

describe('etags in the Graph mock', () => {
  it('change with every write, and hold back a write that knows an old one', async () => {
    const { send, mock } = openWire();
    const path = `/v1.0/me/messages/${mock.messages()[0]?.id}`;
    const etag = String((await send('GET', path)).body['@odata.etag']);
    const change = (ifMatch: string) =>
      send('PATCH', path, { body: { isRead: true }, headers: { 'If-Match': ifMatch } });
    const changed = await change(etag);
    expect([changed.status, changed.body['@odata.etag']]).not.toContain(etag);
    const late = await change(etag);
    expect([late.status, errorCode(late)]).toEqual([412, 'ErrorIrresolvableConflict']);
    const removal = await send('DELETE', path, { headers: { 'If-Match': etag } });
    expect(removal.status).toBe(412);
    expect((await change('*')).status).toBe(200);
    const latest = String((await send('GET', path)).body['@odata.etag']);
    expect((await change(`"other", ${latest}`)).status).toBe(200);
  });
});

describe('writing to the Graph mock', () => {
  it('sends without keeping a copy when told so', async () => {
    const { send, mock } = openWire();
    await send('POST', '/v1.0/me/sendMail', { body: { message: LETTER, saveToSentItems: false } });
    expect(mock.messages('sentitems')).toEqual([]);
  });

  it('takes words in any case and annotations along with them', async () => {
    const { body } = await openWire().send('POST', '/v1.0/me/messages', {
      body: {
        ...LETTER,
        '@odata.type': '#microsoft.graph.message',
        importance: 'High',
        body: {
          '@odata.type': '#microsoft.graph.itemBody',
          contentType: 'HTML',
          content: '<p>a</p>',
        },
      },
    });
    expect(body).toMatchObject({
      importance: 'high',
      body: { contentType: 'html' },
      isDraft: true,
    });
  });

  it('keeps the names, types and sizes of attachments', async () => {
    const { send } = openWire();
    const attachment = {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'quote.pdf',
      contentType: 'application/pdf',
      contentBytes: Buffer.from('%PDF-1.7').toString('base64'),
    };
    const { body } = await send('POST', '/v1.0/me/messages', {
      body: { ...LETTER, attachments: [attachment] },
    });
    expect(body['hasAttachments']).toBe(true);
    const list = await send('GET', `/v1.0/me/messages/${String(body['id'])}/attachments`);
    expect(list.value).toMatchObject([{ name: 'quote.pdf', size: 8, isInline: false }]);
  });

  it('gives bodies as text or HTML, as preferred', async () => {
    const { send, mock } = openWire();
    const path = `/v1.0/me/messages/${mock.messages()[0]?.id}?$select=body`;
    const headers = { Prefer: 'outlook.body-content-type="text"' };
    const asText = await send('GET', path, { headers });
    expect(asText.body['body']).toMatchObject({
      contentType: 'text',
      content: expect.stringContaining('The carrier holds the rate until  5 pm'),
    });
    expect(asText.headers.get('preference-applied')).toBe(headers.Prefer);
    const asIs = await send('GET', path);
    expect(asIs.body['body']).toMatchObject({ contentType: 'html' });
  });

  it.each<[string, string, unknown, string]>([
    ['no message', 'sendMail', {}, 'RequestBodyRead'],
    ['no JSON', 'sendMail', '{"message":', 'RequestBodyRead'],
    ['a list', 'messages', [LETTER], 'RequestBodyRead'],
    ['what the store sets', 'messages', { ...LETTER, id: 'AAMk' }, 'ErrorInvalidPropertySet'],
    ['what does not exist', 'messages', { ...LETTER, urgent: true }, 'RequestBodyRead'],
    ['a text for a truth', 'messages', { ...LETTER, isRead: 'yes' }, 'RequestBodyRead'],
    [
      'six headers',
      'messages',
      {
        internetMessageHeaders: Array.from({ length: 6 }, (_, n) => ({
          name: `x-${n}`,
          value: '',
        })),
      },
      'InvalidInternetMessageHeaderCollection',
    ],
    [
      'a header too long',
      'messages',
      { internetMessageHeaders: [{ name: 'x-a', value: 'a'.repeat(996) }] },
      'InvalidInternetMessageHeader',
    ],
    ['no truth', 'sendMail', { message: LETTER, saveToSentItems: 'perhaps' }, 'RequestBodyRead'],
  ])('is refused %s', async (_what, path, body, code) => {
    const { send, mock } = openWire();
    const before = mailboxOf(mock);
    const answer = await send('POST', `/v1.0/me/${path}`, { body });
    expect([answer.status, errorCode(answer)]).toEqual([400, code]);
    expect(mailboxOf(mock)).toEqual(before);
  });

  it('takes MIME for what it is, and says that it does not read it', async () => {
    const { send } = openWire();
    const headers = { 'content-type': 'text/plain' };
    const mime = await send('POST', '/v1.0/me/sendMail', { headers, body: 'RnJvbTogYQ==' });
    expect([mime.status, errorCode(mime)]).toEqual([501, 'NotImplemented']);
    const junk = await send('POST', '/v1.0/me/sendMail', { headers, body: 'From: a' });
    expect(errorCode(junk)).toBe('ErrorMimeContentInvalidBase64String');
  });

  it('does not change what was sent, but its flags', async () => {
    const { send, mock } = openWire();
    const path = `/v1.0/me/messages/${mock.messages()[0]?.id}`;
    const words = await send('PATCH', path, { body: { subject: 'Another' } });
    expect(errorCode(words)).toBe('ErrorInvalidPropertyUpdateSentMessage');
    const flag = { flagStatus: 'flagged' };
    const flagged = await send('PATCH', path, { body: { flag, categories: ['Red'] } });
    expect(flagged.body).toMatchObject({ flag, categories: ['Red'] });
    const again = await send('POST', `${path}/send`);
    expect([again.status, errorCode(again)]).toEqual([400, 'ErrorInvalidRequest']);
  });

  it('replies to all but itself, and refuses a comment beside a body', async () => {
    const { send, mock } = openWire();
    const grace = { emailAddress: { name: 'Grace', address: 'grace@example.com' } };
    const me = { emailAddress: { name: 'Buddy', address: 'buddy@example.com' } };
    await send('POST', '/v1.0/me/sendMail', {
      body: { message: { ...LETTER, toRecipients: [grace, me], ccRecipients: [grace] } },
    });
    const path = `/v1.0/me/messages/${mock.messages('sentitems')[0]?.id}`;
    const draft = await send('POST', `${path}/createReplyAll`, { body: { Comment: 'Thanks.' } });
    expect(draft.body).toMatchObject({ toRecipients: [me, grace], ccRecipients: [grace] });
    const both = await send('POST', `${path}/reply`, {
      body: { comment: 'Thanks.', message: { body: { contentType: 'text', content: 'Thanks.' } } },
    });
    expect([both.status, errorCode(both)]).toEqual([400, 'ErrorInvalidRequest']);
    const alone = await send('POST', `${path}/forward`, { body: { comment: 'See.' } });
    expect(errorCode(alone)).toBe('ErrorInvalidRecipients');
    const forward = await send('POST', `${path}/createForward`, {
      body: { toRecipients: [grace] },
    });
    expect(forward.body).toMatchObject({ subject: 'FW: Your quote', toRecipients: [grace] });
  });
});

describe('a stale read', () => {
  it('leaves the latest write out, and only that one', async () => {
    const { send } = openWire({
      faults: [{ match: { operation: 'messages.list' }, kind: 'staleRead', when: { nth: 1 } }],
    });
    await send('POST', '/v1.0/me/messages', { body: { subject: 'first' } });
    await send('POST', '/v1.0/me/messages', { body: { subject: 'second' } });
    const subjects = async () =>
      (await send('GET', '/v1.0/me/messages?$top=2')).value.map(({ subject }) => subject);
    expect(await subjects()).toEqual(['first', 'Renewal decision needed today']);
    expect(await subjects()).toEqual(['second', 'first']);
  });

  const alwaysStale: GraphMailMockInput = {
    faults: [{ match: { operation: 'messages.list' }, kind: 'staleRead', when: { rate: 1 } }],
  };

  it('leaves nothing out of a mailbox that nobody has written to', async () => {
    const { send, mock } = openWire(alwaysStale);
    const listed = async () => (await send('GET', '/v1.0/me/messages')).value.length;
    expect(await listed()).toBe(5);
    await send('POST', '/v1.0/me/messages', { body: LETTER });
    mock.reset();
    expect(await listed()).toBe(5);
  });

  it.each<[string, string, (id: string) => string, object]>([
    ['adds', 'POST', () => '', LETTER],
    ['changes', 'PATCH', (id) => `/${id}`, { isRead: true }],
    ['moves', 'POST', (id) => `/${id}/move`, { destinationId: 'archive' }],
    ['removes', 'DELETE', (id) => `/${id}`, {}],
  ])('leaves a write out after a restore too: one that %s', async (_what, method, pathOf, body) => {
    const { send, mock } = openWire(alwaysStale);
    const path = `/v1.0/me/messages${pathOf(mock.messages()[0]?.id ?? '')}`;
    expect((await send(method, path, { body })).status).toBeLessThan(300);
    const before = (await send('GET', '/v1.0/me/messages')).value;
    const snapshot = JSON.parse(JSON.stringify(mock.snapshot()));
    const other = openWire(alwaysStale);
    for (const { send: sendTo, mock: restored } of [{ send, mock }, other]) {
      restored.reset();
      restored.restore(snapshot);
      expect((await sendTo('GET', '/v1.0/me/messages')).value).toEqual(before);
    }
  });
});

describe('the limits of the Graph mock', () => {
  const limited = { faults: 'real-limits' } as const;

  it('are 10 000 requests in 10 minutes, after which it says how long to wait', SLOW, async () => {
    const { send, clock } = openWire(limited);
    await clock.advance(60_000);
    for (let n = 0; n < 10_000; n += 1) await send('GET', '/v1.0/me?$select=mail');
    const refused = await send('GET', '/v1.0/me?$select=mail');
    expect([refused.status, errorCode(refused)]).toEqual([429, 'TooManyRequests']);
    expect(refused.headers.get('retry-after')).toBe('540');
    await clock.advance(540_000);
    expect((await send('GET', '/v1.0/me?$select=mail')).status).toBe(200);
  });

  it('are 4 requests at once', async () => {
    const { send, clock } = openWire({ ...limited, latency: { medianMs: 100, sigma: 0 } });
    const statuses = await clock.run(async () => {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => send('GET', `/v1.0/me?n=${n}`)),
      );
      return answers.map(({ status }) => status);
    });
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  });

  it('are not there unless asked for', async () => {
    const { send, clock } = openWire({ latency: { medianMs: 100, sigma: 0 } });
    const answers = await clock.run(() =>
      Promise.all(Array.from({ length: 9 }, (_, n) => send('GET', `/v1.0/me?n=${n}`))),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});

describe('a snapshot of the Graph mock', () => {
  it('brings everything back, and what follows is as it would have been', async () => {
    const { send, mock } = openWire();
    await send('POST', '/v1.0/me/messages', { body: LETTER });
    const snapshot = JSON.parse(JSON.stringify(mock.snapshot()));
    const next = () => send('POST', '/v1.0/me/messages', { body: { subject: 'next' } });
    const first = await next();
    const after = mock.messages();
    mock.restore(snapshot);
    expect(mock.messages()).toHaveLength(6);
    expect((await next()).body).toEqual(first.body);
    expect(mock.messages()).toEqual(after);
  });

  it('of something else is refused, and nothing is changed', () => {
    const { mock } = openWire();
    const before = mock.messages();
    const other = {
      ...Object(mock.snapshot()),
      state: { mailbox: { messages: [] }, throttle: {} },
    };
    expect(() => mock.restore(other)).toThrow(
      expect.objectContaining({ code: 'CORE_INVALID_INPUT' }),
    );
    expect(mock.messages()).toEqual(before);
  });

  it('does not give an id twice, even when calls are counted anew', async () => {
    const { send, mock } = openWire();
    const create = () => send('POST', '/v1.0/me/messages', { body: LETTER });
    const first = await create();
    const snapshot: { calls: object } = Object(mock.snapshot());
    mock.restore({ ...snapshot, calls: {} });
    expect((await create()).body['id']).not.toBe(first.body['id']);
    expect(mock.messages('drafts')).toHaveLength(2);
  });
});
