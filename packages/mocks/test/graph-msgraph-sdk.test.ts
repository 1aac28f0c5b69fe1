import {
  type AccessTokenProvider,
  AllowedHostsValidator,
  BaseBearerTokenAuthenticationProvider,
} from '@microsoft/kiota-abstractions';
import {
  createGraphServiceClient,
  GraphRequestAdapter,
  type GraphServiceClient,
} from '@microsoft/msgraph-sdk';
import { BatchRequestContent, createGraphClientFactory } from '@microsoft/msgraph-sdk-core';
import { createODataErrorFromDiscriminatorValue } from '@microsoft/msgraph-sdk/models/oDataErrors/index.js';
import type { Message } from '@microsoft/msgraph-sdk/models/index.js';
// oxlint-disable-next-line import/no-unassigned-import -- it adds `me` and `users` to the client
import '@microsoft/msgraph-sdk-users';
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

interface Opened {
  readonly mock: GraphMailMock;
  readonly sdk: GraphServiceClient;
  readonly adapter: GraphRequestAdapter;
  readonly close: () => Promise<void>;
}

interface Way {
  readonly name: string;
  readonly open: (input?: GraphMailMockInput) => Promise<Opened>;
}

const TOKENS: AccessTokenProvider = {
  getAuthorizationToken: async () => 'an-access-token',
  getAllowedHostsValidator: () => new AllowedHostsValidator(),
};

const inProcess: Way = {
  name: 'in process',
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const adapter = new GraphRequestAdapter(
      new BaseBearerTokenAuthenticationProvider(TOKENS),
      undefined,
      undefined,
      createGraphClientFactory(
        { graphServiceTargetVersion: 'v1.0', graphServiceLibraryClientVersion: '1.0.0' },
        (url, init) => mock.fetch(new Request(url, init)),
      ),
    );
    const sdk = createGraphServiceClient(adapter);
    return { mock, sdk, adapter, close: async () => undefined };
  },
};

const overHttps: Way = {
  name: 'over HTTPS',
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const server = await startMockServer({ mocks: { mail: mock } });
    const distrust = trust(server.ca);
    const adapter = new GraphRequestAdapter(new BaseBearerTokenAuthenticationProvider(TOKENS));
    adapter.baseUrl = `${server.httpsUrl.mail}/v1.0`;
    const close = async () => {
      distrust();
      await server.close();
    };
    return { mock, sdk: createGraphServiceClient(adapter), adapter, close };
  },
};

const LETTER: Message = {
  subject: 'Your quote',
  body: { contentType: 'text', content: 'Dear Grace,' },
  toRecipients: [{ emailAddress: { address: 'grace@example.com' } }],
};

const byMsw: Way = {
  name: 'by MSW',
  open: async (input = {}) => {
    const mock = createGraphMailMock({ latency: 'none', ...input });
    const msw = setupServer(...mswHandlers({ mail: mock }));
    msw.listen({ onUnhandledFrame: 'error' });
    const adapter = new GraphRequestAdapter(new BaseBearerTokenAuthenticationProvider(TOKENS));
    const sdk = createGraphServiceClient(adapter);
    return { mock, sdk, adapter, close: async () => msw.close() };
  },
};

describe.each([inProcess, overHttps, byMsw])('@microsoft/msgraph-sdk, unmodified, $name', (way) => {
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
    const page = await sdk.me.messages.get({
      queryParameters: {
        filter: "receivedDateTime ge 2000-01-01T00:00:00Z and contains(subject, 'proposal')",
        orderby: ['receivedDateTime asc'],
        select: ['subject', 'isRead'],
        count: true,
      },
    });
    expect(page?.value?.map(({ subject }) => subject)).toEqual([
      'Question about the proposal',
      'RE: Question about the proposal',
    ]);
    expect(page?.odataCount ?? page?.additionalData?.['@odata.count']).toBe(2);
  });

  it('walks through the pages by their links', async () => {
    const { sdk } = await makeSdk();
    const seen: (string | null | undefined)[] = [];
    let page = await sdk.me.messages.get({ queryParameters: { top: 2, select: ['subject'] } });
    for (let link = page?.odataNextLink; ; link = page?.odataNextLink) {
      seen.push(...(page?.value ?? []).map(({ subject }) => subject));
      if (typeof link !== 'string') break;
      page = await sdk.me.messages.withUrl(link).get();
    }
    expect(new Set(seen).size).toBe(5);
  });

  it('searches', async () => {
    const { sdk } = await makeSdk();
    const page = await sdk.me.messages.get({ queryParameters: { search: '"from:priya"' } });
    expect(page?.value).toHaveLength(2);
  });

  it('writes a draft, changes it, sends it', async () => {
    const { sdk, mock } = await makeSdk();
    const draft = await sdk.me.messages.post(LETTER);
    expect(draft).toMatchObject({ isDraft: true, body: { contentType: 'text' } });
    const one = sdk.me.messages.byMessageId(draft?.id ?? '');
    const changed = await one.patch({ subject: 'Your new quote', importance: 'high' });
    expect(changed).toMatchObject({ subject: 'Your new quote', importance: 'high' });
    await one.send.post();
    expect(mock.messages('sentitems')[0]).toMatchObject({
      subject: 'Your new quote',
      isDraft: false,
    });
  });

  it('sends, replies, forwards and writes replies as drafts', async () => {
    const { sdk, mock } = await makeSdk();
    const [latest] = mock.messages('inbox');
    const one = sdk.me.messages.byMessageId(latest?.id ?? '');
    await sdk.me.sendMail.post({ message: LETTER, saveToSentItems: true });
    await one.reply.post({ comment: 'Confirmed.' });
    await one.forward.post({ comment: 'See.', toRecipients: LETTER.toRecipients ?? [] });
    const draft = await one.createReply.post({ comment: 'Later.' });
    expect(draft).toMatchObject({ isDraft: true, conversationId: latest?.conversationId });
    expect(mock.messages('sentitems').map(({ subject }) => subject)).toEqual([
      'FW: Renewal decision needed today',
      'RE: Renewal decision needed today',
      'Your quote',
    ]);
  });

  it('moves, copies and deletes', async () => {
    const { sdk, mock } = await makeSdk();
    const [latest] = mock.messages('inbox');
    const archive = await sdk.me.mailFolders.byMailFolderId('archive').get();
    const moved = await sdk.me.messages
      .byMessageId(latest?.id ?? '')
      .move.post({ destinationId: archive?.id ?? '' });
    expect(moved?.parentFolderId).toBe(archive?.id);
    const one = sdk.me.messages.byMessageId(moved?.id ?? '');
    await one.copy.post({ destinationId: 'inbox' });
    await one.delete();
    expect(mock.messages('deleteditems')).toHaveLength(1);
    expect(mock.messages('inbox')).toHaveLength(5);
    const folders = await sdk.me.mailFolders.get();
    expect(folders?.value?.map(({ displayName }) => displayName)).toContain('Deleted Items');
  });

  it('gets the number of messages and the attachments of one', async () => {
    const { sdk, mock } = await makeSdk();
    expect(await sdk.me.messages.count.get()).toBe(5);
    const census = mock.messages().find(({ hasAttachments }) => hasAttachments);
    const page = await sdk.me.messages.byMessageId(census?.id ?? '').attachments.get();
    expect(page?.value).toMatchObject([{ name: 'census.csv', contentType: 'text/csv' }]);
  });

  it('throws what it makes of the error body', async () => {
    const { sdk } = await makeSdk();
    await expect(sdk.me.messages.byMessageId('AAMkNobodyHasThisOne=').get()).rejects.toMatchObject({
      responseStatusCode: 404,
      errorEscaped: { code: 'ErrorItemNotFound' },
    });
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
    expect(await sdk.me.get()).toMatchObject({ mail: 'buddy@example.com' });
    expect(mock.journal.total).toBe(2);
  });

  // Of steps without a body: this preview leaves out the headers of a step, and the service refuses a body without its type.
  it('runs a batch in which steps depend on others', async () => {
    const { sdk, adapter, mock } = await makeSdk();
    const [latest] = mock.messages('inbox');
    const existing = sdk.me.messages.byMessageId(latest?.id ?? '');
    const missing = sdk.me.messages.byMessageId('AAMkNobodyHasThisOne=');
    const batch = new BatchRequestContent(adapter, { XXX: createODataErrorFromDiscriminatorValue });
    const me = batch.addBatchRequest(sdk.me.toGetRequestInformation());
    const look = batch.addBatchRequest(missing.toGetRequestInformation());
    const remove = batch.addBatchRequest(existing.toDeleteRequestInformation());
    look.dependsOn = [me.id];
    remove.dependsOn = [look.id];
    const answer = await batch.postAsync();
    expect(answer?.getResponseById(me.id)).toMatchObject({ status: 200 });
    expect(answer?.getResponseById(look.id)).toMatchObject({ status: 404 });
    expect(answer?.getResponseById(remove.id)).toMatchObject({ status: 424 });
    expect(mock.messages('inbox')).toHaveLength(5);
  });
});
