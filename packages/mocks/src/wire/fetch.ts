import type { Clock } from '@buddy/core';
import { readBody } from './body.ts';
import type { Answer } from './delivery.ts';
import type { Deliver, Sent } from './exchange.ts';

/** How `fetch` says that a connection was lost. Its own class, to tell it from a bug. */
export class LostConnectionTypeError extends TypeError {
  constructor(message: string, reason: string) {
    super(message, { cause: Object.assign(new Error(reason), { code: 'ECONNRESET' }) });
  }
}

/** Answers requests as a server would: from bytes, and in bytes. */
export function createMockFetch(
  deliver: Deliver,
  clock: Clock,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const delivery = await deliver(await sentOf(request), request.signal);
    switch (delivery.kind) {
      case 'whole':
        return delivery.overMs > 0
          ? streamed(delivery.answer, inPieces(delivery, clock, request.signal))
          : new Response(delivery.answer.text ?? null, delivery.answer);
      case 'truncated':
        return streamed(delivery.answer, brokenOff(delivery.answer.text));
      case 'lost':
        throw new LostConnectionTypeError('fetch failed', 'read ECONNRESET');
    }
  };
}

async function sentOf(request: Request): Promise<Sent> {
  const { origin, pathname, searchParams } = new URL(request.url);
  const text = request.body === null ? '' : await request.text();
  const headers = Object.fromEntries(request.headers);
  return {
    request: {
      method: request.method.toUpperCase(),
      origin,
      path: pathname,
      query: searchParams,
      headers,
      body: readBody(text, headers['content-type']),
    },
    text: text === '' ? undefined : text,
  };
}

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;

/** Says how long the body is, as servers do, so that one that breaks off can be told from one that ends. */
function streamed({ status, headers, text = '' }: Answer, pieces: Pieces): Response {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const { value, done } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      await pieces.return();
    },
  });
  const length = String(Buffer.byteLength(text));
  return new Response(body, { status, headers: { ...headers, 'content-length': length } });
}

const PIECES = 5;

async function* inPieces(
  { answer, overMs }: { answer: Answer; overMs: number },
  clock: Clock,
  signal: AbortSignal,
): Pieces {
  const bytes = new TextEncoder().encode(answer.text);
  const size = Math.ceil(bytes.length / PIECES);
  const pieces = Math.ceil(bytes.length / size);
  for (let at = 0; at < pieces; at += 1) {
    // In whole ms, so that the sum is `overMs` however many pieces there are.
    const untilMs = (part: number) => Math.round((overMs * part) / pieces);
    await clock.sleep(untilMs(at + 1) - untilMs(at), signal);
    yield bytes.slice(at * size, (at + 1) * size);
  }
}

async function* brokenOff(text: string): Pieces {
  const bytes = new TextEncoder().encode(text);
  yield bytes.slice(0, Math.floor(bytes.length / 2));
  throw new LostConnectionTypeError('terminated', 'other side closed');
}
