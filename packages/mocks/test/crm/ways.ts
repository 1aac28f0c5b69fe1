import { ManualClock } from '@buddy/core';
import {
  createGoHighLevelClient,
  createGoHighLevelMock,
  createMployerClient,
  createMployerMock,
  type GoHighLevelClient,
  type GoHighLevelMock,
  type GoHighLevelMockInput,
  type MployerClient,
  type MployerMock,
  type MployerMockInput,
} from '@buddy/mocks';
import { afterEach } from 'vitest';
import { startMockServer } from '../../src/server/mock-server.ts';

/** A mock on a clock of its own, and a client that reaches it. */
interface Opened<Mock, Client> {
  readonly clock: ManualClock;
  readonly mock: Mock;
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/** A way for a client to reach the mock. */
interface Way<Input, Mock, Client> {
  readonly name: string;
  readonly open: (input?: Input) => Promise<Opened<Mock, Client>>;
}

export const NOON = Date.UTC(2026, 0, 1, 12);
export const DEFAULT_LOCATION = 'buddyMockLocation001';

const nothingToClose = async () => undefined;

function makeCrm(input: GoHighLevelMockInput) {
  const clock = new ManualClock(NOON);
  const mock = createGoHighLevelMock({ latency: 'none', ...input }, { clock });
  const options = {
    locationId: input.locationId ?? DEFAULT_LOCATION,
    credentials: { token: 'pit-any' },
    retries: 'none',
  } as const;
  return { clock, mock, options };
}

export const CRM_WAYS: readonly Way<GoHighLevelMockInput, GoHighLevelMock, GoHighLevelClient>[] = [
  {
    name: "the mock's own client",
    open: async (input = {}) => {
      const { clock, mock } = makeCrm(input);
      return { clock, mock, client: mock.client, close: nothingToClose };
    },
  },
  ...(['2021-07-28', 'v3'] as const).map((version) => ({
    name: `the real client, over the mock's fetch, in version ${version}`,
    open: async (input: GoHighLevelMockInput = {}) => {
      const { clock, mock, options } = makeCrm(input);
      const client = createGoHighLevelClient({ ...options, version }, { fetch: mock.fetch, clock });
      return { clock, mock, client, close: nothingToClose };
    },
  })),
  {
    name: 'the real client, over HTTP',
    open: async (input = {}) => {
      const { clock, mock, options } = makeCrm(input);
      const server = await startMockServer({ mocks: { crm: mock }, https: false });
      const client = createGoHighLevelClient({ ...options, baseUrl: server.url.crm }, { clock });
      return { clock, mock, client, close: () => server.close() };
    },
  },
];

function makeMployer(input: MployerMockInput) {
  const clock = new ManualClock();
  const mock = createMployerMock({ latency: 'none', ...input }, { clock });
  return { clock, mock };
}

export const MPLOYER_WAYS: readonly Way<MployerMockInput, MployerMock, MployerClient>[] = [
  {
    name: "the mock's own client",
    open: async (input = {}) => {
      const { clock, mock } = makeMployer(input);
      return { clock, mock, client: mock.client, close: nothingToClose };
    },
  },
  {
    name: "the real client, over the mock's fetch",
    open: async (input = {}) => {
      const { clock, mock } = makeMployer(input);
      const options = { baseUrl: 'https://mployer.example', retries: 'none' } as const;
      const client = createMployerClient(options, { fetch: mock.fetch, clock });
      return { clock, mock, client, close: nothingToClose };
    },
  },
  {
    name: 'the real client, over HTTP',
    open: async (input = {}) => {
      const { clock, mock } = makeMployer(input);
      const server = await startMockServer({ mocks: { mployer: mock }, https: false });
      const options = { baseUrl: server.url.mployer, retries: 'none' } as const;
      const client = createMployerClient(options, { clock });
      return { clock, mock, client, close: () => server.close() };
    },
  },
];

/** Opens ways, and closes them after the test. For use inside a `describe`. */
export function closing<Input, Mock extends object, Client>(
  open: (input?: Input) => Promise<Opened<Mock, Client>>,
) {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  return async (input?: Input) => {
    const one = await open(input);
    opened.push(one.close);
    return { ...one.mock, ...one };
  };
}
