import https from 'node:https';
import type { HighLevel } from '@gohighlevel/api-client';
import { type GoHighLevelMock, startMockServer } from '@buddy/mocks';
import { mswHandlers } from '@buddy/mocks/msw';
import { setupServer } from 'msw/node';

/** A way for the vendor's SDK to reach the mock, which is all that is changed about it. */
export interface SdkWay {
  readonly name: string;
  readonly open: (mock: GoHighLevelMock) => Promise<OpenSdkWay>;
}

interface OpenSdkWay {
  readonly direct: (sdk: HighLevel) => void;
  readonly close: () => Promise<void>;
}

export const SDK_WAYS: readonly SdkWay[] = [
  {
    name: "in process, by axios' own fetch adapter",
    open: async (mock) => {
      // The adapter may hand on a URL and options in place of a request.
      const fetch = (input: string | URL | Request, init?: RequestInit) =>
        mock.fetch(new Request(input, init));
      return {
        direct: (sdk) => {
          const { defaults } = sdk.getHttpClient();
          Object.assign(defaults, { adapter: 'fetch', env: { ...defaults.env, fetch } });
        },
        close: async () => undefined,
      };
    },
  },
  {
    name: 'over HTTP, by another base URL',
    open: async (mock) => {
      const server = await startMockServer({ mocks: { crm: mock }, https: false });
      return {
        direct: (sdk) => {
          sdk.getHttpClient().defaults.baseURL = server.url.crm;
        },
        close: () => server.close(),
      };
    },
  },
  {
    name: 'over HTTPS, by another base URL and an agent that trusts the certificate',
    open: async (mock) => {
      const server = await startMockServer({ mocks: { crm: mock } });
      const httpsAgent = new https.Agent({ ca: server.ca, keepAlive: true });
      return {
        direct: (sdk) => {
          Object.assign(sdk.getHttpClient().defaults, {
            baseURL: server.httpsUrl.crm,
            httpsAgent,
          });
        },
        close: async () => {
          httpsAgent.destroy();
          await server.close();
        },
      };
    },
  },
  {
    name: 'by MSW, unchanged',
    open: async (mock) => {
      const msw = setupServer(...mswHandlers({ crm: mock }));
      msw.listen({ onUnhandledFrame: 'error' });
      return { direct: () => undefined, close: async () => msw.close() };
    },
  },
];
