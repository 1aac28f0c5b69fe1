import { ManualClock } from '@buddy/core';
import {
  createGraphMailClient,
  createGraphMailMock,
  type GraphMailClient,
  type GraphMailMock,
  type GraphMailMockInput,
  startMockServer,
} from '@buddy/mocks';

/** A mock on a clock of its own, and a client that reaches it. */
export interface Opened {
  readonly clock: ManualClock;
  readonly mock: GraphMailMock;
  readonly client: GraphMailClient;
  readonly close: () => Promise<void>;
}

/** A way for a client to reach the mock. */
export interface Way {
  readonly name: string;
  readonly open: (input?: GraphMailMockInput) => Promise<Opened>;
}

export const NOON = Date.UTC(2026, 0, 10, 12);

function makeMock(input: GraphMailMockInput) {
  const clock = new ManualClock(NOON);
  const mock = createGraphMailMock({ latency: 'none', ...input }, { clock });
  return { clock, mock };
}

const CLIENT = { credentials: { token: 'an-access-token' }, retries: 'none' } as const;

export const WAYS: readonly Way[] = [
  {
    name: "the mock's own client",
    open: async (input = {}) => {
      const { clock, mock } = makeMock(input);
      return { clock, mock, client: mock.client, close: async () => undefined };
    },
  },
  {
    name: "the real client, over the mock's fetch",
    open: async (input = {}) => {
      const { clock, mock } = makeMock(input);
      const client = createGraphMailClient(CLIENT, { fetch: mock.fetch, clock });
      return { clock, mock, client, close: async () => undefined };
    },
  },
  {
    name: 'the real client, over HTTP',
    open: async (input = {}) => {
      const { clock, mock } = makeMock(input);
      const server = await startMockServer({ mocks: { mail: mock }, https: false });
      const client = createGraphMailClient(
        { ...CLIENT, baseUrl: `${server.url.mail}/v1.0` },
        { clock },
      );
      return { clock, mock, client, close: () => server.close() };
    },
  },
];
