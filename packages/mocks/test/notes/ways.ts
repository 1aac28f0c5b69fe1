import http from 'node:http';
import https from 'node:https';
import { startMockServer } from '@buddy/mocks';
import { mswHandlers } from '@buddy/mocks/msw';
import { setupServer } from 'msw/node';
import type { WireRequest } from '../../src/wire/message.ts';
import type { NotesMock } from './notes-mock.ts';

const ORIGIN = 'https://api.mployer.example';

/** What a caller sees, whichever way it calls. */
interface Seen {
  status?: number;
  headers?: Readonly<Record<string, unknown>>;
  body?: unknown;
  isLost?: true;
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  signal?: AbortSignal;
}

/** A way to a mock, opened: to be closed when all calls are done. */
export interface OpenWay {
  call: (call: Call) => Promise<Seen>;
  close: () => Promise<void>;
}

export interface Way {
  name: string;
  open: (mock: NotesMock) => Promise<OpenWay>;
}

export const inProcess: Way = {
  name: 'in process',
  open: async ({ transport }) => ({
    call: async ({ method, path, body, signal }) => {
      const url = new URL(path, ORIGIN);
      const request: WireRequest = {
        method,
        origin: ORIGIN,
        path: url.pathname,
        query: url.searchParams,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body === undefined ? { kind: 'none' } : { kind: 'json', value: body },
      };
      try {
        const { status, headers, body: answer } = await transport.send(request, { signal });
        return { status, headers: { ...headers }, body: answer };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'MOCKS_CONNECTION_LOST')
          return { isLost: true };
        throw error;
      }
    },
    close: async () => undefined,
  }),
};

const overFetch: Way = {
  name: 'over its own fetch',
  open: async ({ fetch }) => ({
    call: (call) => callFetch((url, init) => fetch(new Request(url, init)), ORIGIN, call),
    close: async () => undefined,
  }),
};

const overHttp: Way = {
  name: 'over HTTP',
  open: async (notes) => {
    const server = await startMockServer({ mocks: { notes }, https: false });
    return {
      call: (call) => callFetch(fetch, server.url.notes, call),
      close: () => server.close(),
    };
  },
};

const overNodeHttps: Way = {
  name: "over HTTPS, by Node's own client",
  open: async (notes) => {
    const server = await startMockServer({ mocks: { notes } });
    const agent = new https.Agent({ ca: server.ca, keepAlive: true });
    return {
      call: (call) => callNode(server.httpsUrl.notes, call, agent),
      close: async () => {
        agent.destroy();
        await server.close();
      },
    };
  },
};

const overMsw: Way = {
  name: 'over MSW, by fetch',
  open: async (notes) => {
    const msw = setupServer(...mswHandlers({ notes }));
    msw.listen({ onUnhandledFrame: 'error' });
    return {
      call: (call) => callFetch(fetch, ORIGIN, call),
      close: async () => msw.close(),
    };
  },
};

const overMswAndNode: Way = {
  name: "over MSW, by Node's own client",
  open: async (notes) => {
    const msw = setupServer(...mswHandlers({ notes }));
    msw.listen({ onUnhandledFrame: 'error' });
    return {
      call: (call) => callNode(ORIGIN, call),
      close: async () => msw.close(),
    };
  },
};

export const EVERY_WAY = [
  inProcess,
  overFetch,
  overHttp,
  overNodeHttps,
  overMsw,
  overMswAndNode,
] as const;

async function callFetch(
  send: (url: string, init: RequestInit) => Promise<Response>,
  origin: string,
  { method, path, body, signal }: Call,
): Promise<Seen> {
  const init: RequestInit = {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
    ...(signal && { signal }),
  };
  try {
    const response = await send(`${origin}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text === '' ? undefined : JSON.parse(text),
    };
  } catch (error) {
    if (error instanceof TypeError) return { isLost: true };
    throw error;
  }
}

function callNode(
  origin: string,
  { method, path, body, signal }: Call,
  agent?: https.Agent,
): Promise<Seen> {
  const send = origin.startsWith('https:') ? https.request : http.request;
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const fail = (error: NodeJS.ErrnoException) => {
    if (signal?.aborted) reject(signal.reason);
    else if (error.code === 'ECONNRESET' || error.message === 'Network error')
      resolve({ isLost: true });
    else reject(error);
  };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { 'content-type': 'application/json' };
  const request = send(`${origin}${path}`, { method, headers, agent, signal }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', fail);
    response.on('end', () => {
      const whole = Buffer.concat(chunks).toString();
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: whole === '' ? undefined : JSON.parse(whole),
      });
    });
  });
  request.on('error', fail);
  request.end(text);
  return promise;
}
