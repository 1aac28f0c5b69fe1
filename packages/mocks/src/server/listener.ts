import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ThrowawayCertificate } from '../tls/throwaway-certificate.ts';
import { MockServerError } from './errors.ts';

/** Nobody else's machine can reach it. */
const LOOPBACK = '127.0.0.1';

/** A port that is listened on. */
export interface Listener {
  readonly port: number;
  /** Idle connections are closed at once, those that carry a request when `graceMs` have passed. */
  close(graceMs: number): Promise<void>;
}

/**
 * @param certificate With one, it speaks HTTPS.
 * @throws {MockServerError} When the port is taken, or there is none of this number.
 */
export async function listen(
  port: number,
  onRequest: RequestListener,
  certificate?: ThrowawayCertificate,
): Promise<Listener> {
  const server: Server = certificate
    ? createHttpsServer({ key: certificate.key, cert: certificate.cert }, onRequest)
    : createHttpServer(onRequest);
  server.on('clientError', answerWhatIsNoRequest);
  try {
    server.listen(port, LOOPBACK); // throws when there is no such port
    await once(server, 'listening');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    const message = `Port ${port} cannot be listened on; take another, or 0 for any that is free${why}`;
    throw new MockServerError(message, { cause });
  }
  const address = server.address();
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async (graceMs) => {
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Bytes that are not HTTP, or too many of them, get an answer too. */
function answerWhatIsNoRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = WORDS.get(error.code ?? '') ?? ['400 Bad Request', 'This is not HTTP'];
  const body = `${JSON.stringify({ error: { code: 'BuddyMocks', message } })}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const WORDS = new Map<string, readonly [status: string, message: string]>([
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'The headers are too long']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'The request did not arrive in time']],
]);
