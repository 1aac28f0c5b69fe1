import {
  get,
  type IncomingMessage,
  type RequestListener,
  Server,
  type ServerResponse,
} from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defineFault } from '../define-fault.ts';
import { FaultUnavailableError } from '../errors.ts';
import { AVAILABLE } from '../host.ts';

const Status = z.int().min(400).max(599);

/** How an HTTP server fails. */
export const HttpMisbehaviour = z.discriminatedUnion('is', [
  /** Every answer has this status. */
  z.strictObject({ is: z.literal('status'), status: Status }),
  /** So many requests fail, and those after them do not. */
  z.strictObject({
    is: z.literal('failFirst'),
    times: z.int().positive().max(1_000),
    status: Status.default(503),
  }),
  /** 429, or another, with `Retry-After` in seconds. */
  z.strictObject({
    is: z.literal('retryAfter'),
    seconds: z.int().nonnegative().max(86_400),
    status: Status.default(429),
  }),
  /** The head and a part of the body come, and the rest never does. */
  z.strictObject({ is: z.literal('stallBody') }),
  /** Not even the head comes. */
  z.strictObject({ is: z.literal('stallHead') }),
]);
export type HttpMisbehaviour = z.output<typeof HttpMisbehaviour>;

/** Header of the witness: its requests are answered as all others and counted as none. */
const WITNESS = 'x-buddy-fault-witness';
const SILENCE_MS = 250;

/**
 * An HTTP server in this process answers with errors, asks to be left alone, or stops in the midst. Its own listeners are set
 * aside, and put back as they were.
 * @example
 * await using fault = await kit.inject(http, { server, misbehaviour: { is: 'retryAfter', seconds: 30 } });
 */
export const http = defineFault({
  kind: 'http',
  description: 'An HTTP server answers with errors, asks to be left alone, or stops in the midst.',
  options: z.strictObject({
    server: z.custom<Server>(
      (value) => value instanceof Server && !(value instanceof HttpsServer),
      'must be an http.Server of this process',
    ),
    misbehaviour: HttpMisbehaviour,
    /** What the witness asks for. */
    path: z.string().startsWith('/').default('/'),
  }),
  note: z.strictObject({}),
  caps: { seconds: 600, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ server, misbehaviour, path }) => {
    const witness = randomUUID();
    const port = portOf(server);
    let set: RequestListener[] | undefined;
    const misbehave = listenerOf(misbehaviour, witness, (request, response) => {
      for (const listener of set ?? []) listener.call(server, request, response);
    });
    return {
      note: {},
      isPresent: (signal) => shows({ port, path, witness }, misbehaviour, signal),
      apply: async () => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens to requests is a RequestListener
        set = server.listeners('request') as RequestListener[];
        server.removeAllListeners('request');
        server.on('request', misbehave);
      },
      revert: async () => {
        if (!set) return;
        server.off('request', misbehave);
        for (const listener of set) server.on('request', listener);
        set = undefined;
        server.closeAllConnections(); // those that wait for what never comes
      },
    };
  },
  recover: async () => undefined, // it lived in the process
});

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address) return address.port;
  throw new FaultUnavailableError('http', 'the server does not listen at a port');
}

function listenerOf(
  how: HttpMisbehaviour,
  witness: string,
  passOn: RequestListener,
): RequestListener {
  let failed = 0;
  return (request: IncomingMessage, response: ServerResponse): void => {
    switch (how.is) {
      case 'status':
        response.writeHead(how.status).end();
        return;
      case 'retryAfter':
        response.writeHead(how.status, { 'retry-after': String(how.seconds) }).end();
        return;
      case 'failFirst':
        if (failed >= how.times) {
          passOn(request, response);
          return;
        }
        if (request.headers[WITNESS] !== witness) failed += 1;
        response.writeHead(how.status).end();
        return;
      case 'stallBody':
        response.writeHead(200, { 'content-length': '1000' }).write('{');
        return;
      case 'stallHead':
    }
  };
}

interface Ask {
  port: number;
  path: string;
  witness: string;
}

async function shows(ask: Ask, wanted: HttpMisbehaviour, signal: AbortSignal): Promise<boolean> {
  const seen = await look(ask, signal);
  switch (wanted.is) {
    case 'status':
    case 'failFirst':
      return seen.status === wanted.status;
    case 'retryAfter':
      return seen.status === wanted.status && seen.retryAfter === String(wanted.seconds);
    case 'stallBody':
      return seen.status === 200 && !seen.isWhole;
    case 'stallHead':
      return seen.status === undefined && !seen.isWhole;
  }
}

interface Seen {
  status: number | undefined;
  retryAfter: string | undefined;
  isWhole: boolean;
}

function look({ port, path, witness }: Ask, signal: AbortSignal): Promise<Seen> {
  return new Promise((resolve, reject) => {
    let seen: Seen = { status: undefined, retryAfter: undefined, isWhole: false };
    const headers = { [WITNESS]: witness };
    const request = get({ host: '127.0.0.1', port, path, headers, agent: false, signal });
    const timer = setTimeout(() => request.destroy(), SILENCE_MS);
    const settle = () => {
      clearTimeout(timer);
      resolve(seen);
    };
    request.on('response', (response) => {
      const { statusCode: status } = response;
      seen = { status, retryAfter: response.headers['retry-after'], isWhole: false };
      response.on('end', () => {
        seen = { ...seen, isWhole: response.complete };
      });
      response.on('error', () => undefined); // cut: it is not whole
      response.resume();
    });
    request.on('error', () => undefined); // silent, or given up; `close` comes all the same
    request.on('close', () => {
      if (signal.aborted) reject(signal.reason);
      else settle();
    });
  });
}
