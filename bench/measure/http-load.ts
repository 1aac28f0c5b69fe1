import { connect } from 'node:net';

/**
 * Asks a server for the same thing over and over, on connections that are kept, each waiting for one answer before it
 * asks again. Bytes in, bytes out: a client that reads HTTP properly would take more time than the servers do.
 * @returns Answers per second.
 */
export async function httpLoad(
  port: number,
  request: string,
  { connections, ms }: { connections: number; ms: number },
): Promise<number> {
  const until = performance.now() + ms;
  const startedAt = performance.now();
  const counts = await Promise.all(
    Array.from({ length: connections }, () => oneConnection(port, request, until)),
  );
  const answers = counts.reduce((sum, count) => sum + count, 0);
  return (answers * 1000) / (performance.now() - startedAt);
}

function oneConnection(port: number, request: string, until: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let answers = 0;
  let received = '';
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
  socket.setEncoding('latin1');
  socket.on('error', reject);
  socket.on('close', () => resolve(answers));
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (!isWhole(received)) return;
    if (!received.startsWith('HTTP/1.1 200 ')) {
      socket.destroy(new Error(`Answered ${received.slice(0, 300)}`));
      return;
    }
    received = '';
    answers += 1;
    if (performance.now() < until) socket.write(request);
    else socket.end();
  });
  return promise;
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  if (length === undefined) return answer.endsWith('\r\n0\r\n\r\n');
  return answer.length >= headEnd + 4 + Number(length);
}
