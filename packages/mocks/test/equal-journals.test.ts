import { type Clock } from '@buddy/core';
import {
  createGoHighLevelMock,
  createGraphMailMock,
  createMployerMock,
  type Mock,
  startMockServer,
} from '@buddy/mocks';
import { mswHandlers } from '@buddy/mocks/msw';
import { setupServer } from 'msw/node';
import { describe, expect, it, vi } from 'vitest';
import { impatientClock } from './notes/impatient-clock.ts';

vi.setConfig({ testTimeout: 60_000 }); // hundreds of requests over sockets, on a machine that may be busy

/** Asks, and gives back what was answered as data; undefined when the connection was lost. */
type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

interface Story {
  readonly origin: string;
  readonly make: (seed: number, clock: Clock) => Mock;
  readonly headers: Readonly<Record<string, string>>;
  /** @param at The how many-th telling it is. */
  readonly tell: (ask: Ask, at: number) => Promise<void>;
}

const STORIES: Readonly<Record<string, Story>> = {
  gohighlevel: {
    origin: 'https://services.leadconnectorhq.com',
    make: (seed, clock) =>
      createGoHighLevelMock({ seed, faults: 'storm', contacts: 30 }, { clock }),
    headers: { version: '2021-07-28', authorization: 'Bearer pit-any' },
    tell: async (ask, at) => {
      const locationId = 'buddyMockLocation001';
      const created = await ask('POST', '/contacts/', { locationId, email: `u${at}@example.com` });
      const id: unknown = Object(Object(created).contact).id ?? 'nobody';
      await ask('GET', `/contacts/${String(id)}`);
      await ask('PUT', `/contacts/${String(id)}`, { city: 'London' });
      await ask('GET', `/contacts/?locationId=${locationId}&limit=3`); // with a link to the next page
      await ask('POST', '/contacts/search', { locationId, pageLimit: 5 });
    },
  },
  msgraph: {
    origin: 'https://graph.microsoft.com',
    make: (seed, clock) => createGraphMailMock({ seed, faults: 'storm' }, { clock }),
    headers: { authorization: 'Bearer any' },
    tell: async (ask, at) => {
      const page = await ask('GET', '/v1.0/me/messages?$top=2&$select=subject');
      const [first]: unknown[] = Object(page).value ?? [];
      const id = String(Object(first).id ?? 'nobody');
      await ask('POST', `/v1.0/me/messages/${encodeURIComponent(id)}/reply`, {
        comment: `No ${at}`,
      });
      await ask('PATCH', `/v1.0/me/messages/${encodeURIComponent(id)}`, { isRead: at % 2 === 0 });
      await ask('POST', '/v1.0/$batch', {
        requests: [{ id: '1', method: 'GET', url: '/me/messages?$top=1' }],
      });
      await ask('GET', "/v1.0/me/messages?$filter=contains(subject,'proposal')&$count=true");
    },
  },
  mployer: {
    origin: 'https://api.mployer.example',
    make: (seed, clock) => createMployerMock({ seed, faults: 'storm' }, { clock }),
    headers: {},
    tell: async (ask) => {
      await ask('POST', '/v1/session', { email: 'ada@example.com', password: 'hunter2' });
      await ask('POST', '/v1/contacts/search', { filters: { state: 'CA' } });
      await ask('GET', '/v1/session');
    },
  },
};

interface Open {
  readonly send: (path: string, init: RequestInit) => Promise<Response>;
  readonly close: () => Promise<void>;
}

const WAYS: Readonly<Record<string, (mock: Mock, origin: string) => Promise<Open>>> = {
  fetch: async (mock, origin) => ({
    send: (path, init) => mock.fetch(new Request(`${origin}${path}`, init)),
    close: async () => undefined,
  }),
  HTTP: async (mock) => {
    const server = await startMockServer({ mocks: { mock }, https: false });
    return { send: (path, init) => fetch(`${server.url.mock}${path}`, init), close: server.close };
  },
  MSW: async (mock, origin) => {
    const msw = setupServer(...mswHandlers({ mock }));
    msw.listen({ onUnhandledFrame: 'error' });
    return {
      send: (path, init) => fetch(`${origin}${path}`, init),
      close: async () => msw.close(),
    };
  },
};

describe.each(Object.keys(STORIES))('the journal of %s, in a storm of faults', (name) => {
  it('is the same over fetch, HTTP and MSW, byte for byte, and another with another seed', async () => {
    const journals = [];
    for (const way of Object.keys(WAYS)) journals.push(await journalOf(name, way, 5));
    const [first, ...others] = journals;
    expect(first?.split('\n').length).toBeGreaterThan(30);
    expect(first).toMatch(/"kind":"(reset|truncate|commitThenFail)"/);
    for (const other of others) expect(other).toBe(first);
    expect(await journalOf(name, 'fetch', 6)).not.toBe(first);
  });
});

const TELLINGS = 12;

async function journalOf(name: string, way: string, seed: number): Promise<string> {
  const story = STORIES[name];
  const open = WAYS[way];
  if (story === undefined || open === undefined) throw new Error(`no ${name} or ${way}`);
  const mock = story.make(seed, impatientClock());
  const { send, close } = await open(mock, story.origin);
  const ask: Ask = async (method, path, body) => {
    try {
      const response = await send(path, {
        method,
        headers: {
          ...story.headers,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  };
  for (let at = 0; at < TELLINGS; at += 1) await story.tell(ask, at);
  await close();
  return mock.journal.toNdjson() + JSON.stringify(mock.journal.toHar());
}
