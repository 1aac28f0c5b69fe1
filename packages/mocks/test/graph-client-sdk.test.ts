import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  type Context,
  GraphError,
  type Middleware,
  MiddlewareFactory,
  PageIterator,
} from '@microsoft/microsoft-graph-client';
import {
  createGraphMailMock,
  type GraphMailMock,
  type GraphMailMockInput,
  startMockServer,
} from '@buddy/mocks';
import { mswHandlers } from '@buddy/mocks/msw';
import { setupServer } from 'msw/node';
import { afterEach, describe, expect, it } from 'vitest';

import { trust } from './graph/trust.ts';

interface Message {
  id: string;
  subject: string;
  isRead: boolean;
  isDraft: boolean;
  parentFolderId: string;
}

/** The last one in the SDK's chain: what would go out goes to the mock. */
class MockHandler implements Middleware {
  readonly #fetch: GraphMailMock['fetch'];

  constructor(fetch: GraphMailMock['fetch']) {
    this.#fetch = fetch;
  }

  async execute(context: Context): Promise<void> {
    context.response = await this.#fetch(new Request(context.request, context.options));
  }
}

interface Opened {
  readonly mock: GraphMailMock;
  readonly sdk: Client;
  readonly close: () => Promise<void>;
}

interface Way {
  readonly name: string;
  readonly origin: RegExp;
  readonly open: (input?: GraphMailMockInput) => Promise<Opened>;
}

const authProvider = { getAccessToken: async () => 'an-access-token' };

const inProcess: Way = {
  name: 'in process',
  origin: /^https:\/\/graph\.microsoft\.com$/,
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const chain = MiddlewareFactory.getDefaultMiddlewareChain(authProvider);
    const middleware = [...chain.slice(0, -1), new MockHandler(mock.fetch)];
    return { mock, sdk: Client.initWithMiddleware({ middleware }), close: async () => undefined };
  },
};

/** Over plain HTTP this SDK leaves the token out. */
const overHttps: Way = {
  name: 'over HTTPS',
  origin: /^https:\/\/localhost:\d+$/,
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const server = await startMockServer({ mocks: { mail: mock } });
    const distrust = trust(server.ca);
    const sdk = Client.initWithMiddleware({
      authProvider,
      baseUrl: `${server.httpsUrl.mail}/`,
      customHosts: new Set(['localhost']),
    });
    const close = async () => {
      distrust();
      await server.close();
    };
    return { mock, sdk, close };
  },
};

const LETTER = {
  subject: 'Your quote',
  body: { contentType: 'Text', content: 'Dear Grace,' },
  toRecipients: [{ emailAddress: { address: 'grace@example.com' } }],
};

function url(path: string): string {
  return `https://graph.microsoft.com/v1.0${path}`;
}

const byMsw: Way = {
  name: 'by MSW',
  origin: /^https:\/\/graph\.microsoft\.com$/,
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const msw = setupServer(...mswHandlers({ mail: mock }));
    msw.listen({ onUnhandledFrame: 'error' });
    const sdk = Client.initWithMiddleware({ authProvider });
    return { mock, sdk, close: async () => msw.close() };
  },
};

describe.each([inProcess, overHttps, byMsw])(
  '@microsoft/microsoft-graph-client, unmodified, $name',
  (way) => {
    const opened: Opened[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map(({ close }) => close()));
    });

    async function makeSdk(input: GraphMailMockInput = {}): Promise<Opened> {
      const one = await way.open(input);
      opened.push(one);
      return one;
    }

    it('lists, filters, selects, sorts and counts', async () => {
      const { sdk } = await makeSdk();
      const page = await sdk
        .api('/me/messages')
        .filter("receivedDateTime ge 2000-01-01T00:00:00Z and contains(subject, 'proposal')")
        .orderby('receivedDateTime asc')
        .select('subject,isRead')
        .count(true)
        .get();
      expect(page['@odata.count']).toBe(2);
      expect(page.value.map(({ subject }: Message) => subject)).toEqual([
        'Question about the proposal',
        'RE: Question about the proposal',
      ]);
      expect(Object.keys(page.value[0])).toEqual(['@odata.etag', 'id', 'subject', 'isRead']);
    });

    it('walks through the pages by their links', async () => {
      const { sdk } = await makeSdk();
      const seen: string[] = [];
      const first = await sdk.api('/me/messages').top(2).select(['subject']).get();
      const { origin, searchParams } = new URL(first['@odata.nextLink']);
      expect(origin).toMatch(way.origin);
      expect(searchParams.get('$skip')).toBe('2');
      const iterator = new PageIterator(sdk, first, ({ subject }: Message) => {
        seen.push(subject);
        return true;
      });
      await iterator.iterate();
      expect(new Set(seen).size).toBe(5);
    });

    it('searches', async () => {
      const { sdk } = await makeSdk();
      const { value } = await sdk.api('/me/messages').search('"from:priya"').get();
      expect(value).toHaveLength(2);
    });

    it('writes a draft, changes it, sends it', async () => {
      const { sdk, mock } = await makeSdk();
      const draft: Message = await sdk.api('/me/messages').post(LETTER);
      expect(draft).toMatchObject({ isDraft: true, body: { contentType: 'text' } });
      const changed: Message = await sdk
        .api(`/me/messages/${draft.id}`)
        .patch({ subject: 'Your new quote', importance: 'High' });
      expect(changed).toMatchObject({ subject: 'Your new quote', importance: 'high' });
      await sdk.api(`/me/messages/${draft.id}/send`).post(undefined);
      expect(mock.messages('sentitems')[0]).toMatchObject({
        subject: 'Your new quote',
        isDraft: false,
      });
      expect(mock.messages('drafts')).toEqual([]);
    });

    it('sends, replies and forwards', async () => {
      const { sdk, mock } = await makeSdk();
      const [latest] = mock.messages('inbox');
      const path = `/me/messages/${latest?.id}`;
      await sdk.api('/me/sendMail').post({ message: LETTER });
      await sdk.api(`${path}/reply`).post({ comment: 'Confirmed.' });
      const toRecipients = LETTER.toRecipients;
      await sdk.api(`${path}/forward`).post({ comment: 'See.', toRecipients });
      expect(mock.messages('sentitems').map(({ subject }) => subject)).toEqual([
        'FW: Renewal decision needed today',
        'RE: Renewal decision needed today',
        'Your quote',
      ]);
    });

    it('moves, copies and deletes', async () => {
      const { sdk, mock } = await makeSdk();
      const [latest] = mock.messages('inbox');
      const archive = await sdk.api('/me/mailFolders/archive').get();
      const moved: Message = await sdk
        .api(`/me/messages/${latest?.id}/move`)
        .post({ destinationId: archive.id });
      expect(moved.parentFolderId).toBe(archive.id);
      expect(moved.id).not.toBe(latest?.id);
      await sdk.api(`/me/messages/${moved.id}/copy`).post({ destinationId: 'inbox' });
      await sdk.api(`/me/messages/${moved.id}`).header('Prefer', 'IdType="ImmutableId"').delete();
      expect(mock.messages('deleteditems')).toHaveLength(1);
      expect(mock.messages('inbox')).toHaveLength(5);
      const { value } = await sdk.api('/me/mailFolders').get();
      const names = value.map(({ displayName }: { displayName: string }) => displayName);
      expect(names).toContain('Deleted Items');
    });

    it('gets the number of messages and the attachments of one', async () => {
      const { sdk, mock } = await makeSdk();
      expect(await sdk.api('/me/messages/$count').get()).toBe('5');
      const census = mock.messages().find(({ hasAttachments }) => hasAttachments);
      const { value } = await sdk.api(`/me/messages/${census?.id}/attachments`).get();
      expect(value).toMatchObject([{ name: 'census.csv', contentType: 'text/csv' }]);
    });

    it('throws what it makes of the error body', async () => {
      const { sdk } = await makeSdk();
      const failure = await sdk
        .api('/me/messages/AAMkNobodyHasThisOne=')
        .header('client-request-id', 'f6a8d1b0-3c1e-4a8e-9d54-000000000001')
        .get()
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(GraphError);
      expect(failure).toMatchObject({ statusCode: 404, code: 'ErrorItemNotFound' });
      if (!(failure instanceof GraphError)) return;
      expect(JSON.parse(failure.body).innerError['client-request-id']).toBe(
        'f6a8d1b0-3c1e-4a8e-9d54-000000000001',
      );
    });

    // The SDK waits on a timer of its own: once is enough.
    it.runIf(way === inProcess)('waits as Retry-After says, then gets its answer', async () => {
      const { sdk, mock } = await makeSdk({
        faults: [
          {
            match: { operation: 'me.get' },
            kind: 'status',
            status: 429,
            retryAfterMs: 1_000,
            when: { nth: 1 },
          },
        ],
      });
      expect(await sdk.api('/me').get()).toMatchObject({ mail: 'buddy@example.com' });
      expect(mock.journal.total).toBe(2);
    });

    it('runs a batch in which a step depends on another', async () => {
      const { sdk, mock } = await makeSdk();
      const [latest] = mock.messages('inbox');
      const json = { 'Content-Type': 'application/json' };
      const batch = new BatchRequestContent([
        { id: '1', request: new Request(url('/me')) },
        {
          id: '2',
          dependsOn: ['1'],
          request: new Request(url(`/me/messages/${latest?.id}`), {
            method: 'PATCH',
            headers: json,
            body: JSON.stringify({ isRead: true }),
          }),
        },
        {
          id: '3',
          request: new Request(url('/me/messages?$filter=isRead eq false')),
          dependsOn: ['2'],
        },
      ]);
      const answer = new BatchResponseContent(
        await sdk.api('/$batch').post(await batch.getContent()),
      );
      expect(answer.getResponseById('1').status).toBe(200);
      expect(answer.getResponseById('2').status).toBe(200);
      const unread = await answer.getResponseById('3').json();
      expect(unread).toMatchObject({ value: [{ isRead: false }, { isRead: false }] });
    });
  },
);
