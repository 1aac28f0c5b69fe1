import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeFailure, type Logger } from '@buddy/core';
import { LostConnectionTypeError } from '../wire/fetch.ts';

export type FetchHandler = (request: Request) => Promise<Response>;

/** Reads a request off a socket, lets `fetch` answer it and writes the answer. Never throws. */
export async function serveRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: FetchHandler,
  { maxBodyBytes, logger }: { maxBodyBytes: number; logger: Logger },
): Promise<void> {
  try {
    const body = await readBytes(incoming, maxBodyBytes);
    if (body === 'too long') {
      refuse(outgoing, 413, `The body is longer than ${maxBodyBytes} bytes`);
      return;
    }
    const controller = new AbortController();
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) controller.abort();
    });
    const request = requestOf(incoming, body, controller.signal);
    if (typeof request === 'string') {
      refuse(outgoing, 400, request);
      return;
    }
    await writeResponse(await fetch(request), outgoing);
  } catch (error) {
    fail(error, incoming, outgoing, logger);
  }
}

/** Answers what never reaches a mock. */
function refuse(outgoing: ServerResponse, status: number, message: string): void {
  // What is left of the request is not read, so the connection cannot carry another.
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  outgoing.end(`${JSON.stringify({ error: { code: 'BuddyMocks', message } })}\n`);
}

async function readBytes(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too long'> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return 'too long';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @returns What is wrong with it, when it cannot be a request. */
function requestOf(
  { method = 'GET', url = '/', headers, socket }: IncomingMessage,
  body: Buffer,
  signal: AbortSignal,
): Request | string {
  const { host } = headers;
  if (host === undefined) return 'The header Host is missing';
  const address = `${'encrypted' in socket ? 'https' : 'http'}://${host}${url}`;
  if (!url.startsWith('/') || !URL.canParse(address))
    return `${method} ${url} is no request to an API`;
  const hasBody = body.length > 0 && method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(address, {
      method,
      headers: headersOf(headers),
      signal,
      ...(hasBody && { body: new Uint8Array(body) }),
    });
  } catch (error) {
    return describeFailure(error).message; // a method such as TRACE
  }
}

function headersOf(headers: IncomingMessage['headers']): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string'
      ? [[name, value]]
      : (value ?? []).map((one): [string, string] => [name, one]),
  );
}

async function writeResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(response.headers);
  // Only a body that is meant to come in pieces, or to break off, says beforehand how long it is.
  if (response.body !== null && headers['content-length'] !== undefined) {
    outgoing.writeHead(response.status, headers);
    for await (const piece of response.body) await write(outgoing, piece);
    outgoing.end();
    return;
  }
  const body = response.body === null ? '' : Buffer.from(await response.arrayBuffer());
  const length = response.status === 204 ? {} : { 'content-length': body.length };
  outgoing.writeHead(response.status, { ...headers, ...length });
  outgoing.end(body);
}

/** Resolves when it has left: a connection that is destroyed at once would take it along. */
function write(outgoing: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function fail(
  error: unknown,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  logger: Logger,
): void {
  // Not `incoming.destroyed`: a request is that as soon as it was read whole.
  const isGone = outgoing.destroyed || incoming.socket.destroyed;
  const isMeant = error instanceof LostConnectionTypeError || isGone;
  if (!isMeant) {
    const failure = describeFailure(error);
    logger.error({ method: incoming.method, path: incoming.url, failure }, 'A mock broke down');
    if (!outgoing.headersSent) {
      refuse(outgoing, 500, `The mock broke down: ${failure.message}`);
      return;
    }
  }
  incoming.socket.destroy();
}
