import { get } from 'node:http';
import { connect } from 'node:net';

export type ProbeTarget =
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  | { readonly kind: 'tcp'; readonly port: number };

/** Looks once whether something on the loopback works. @returns What is wrong; undefined when nothing is. Never rejects. */
export type Probe = (target: ProbeTarget, timeoutMs: number) => Promise<string | undefined>;

/** Over a real socket, in real time. `localhost`: a bot may listen on IPv4 or IPv6 only. */
export const systemProbe: Probe = (target, timeoutMs) => {
  switch (target.kind) {
    case 'http':
      return probeHttp(target.port, target.path, timeoutMs);
    case 'tcp':
      return probeTcp(target.port, timeoutMs);
  }
};

function probeHttp(port: number, path: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(
      { host: 'localhost', port, path, agent: false, headers: { connection: 'close' } },
      ({ statusCode = 0 }) => {
        const isFine = statusCode >= 200 && statusCode < 300;
        finish(isFine ? undefined : `port ${port} answers ${statusCode} to GET ${path}`);
      },
    );
    const finish = (problem: string | undefined) => {
      clearTimeout(timer);
      request.destroy();
      resolve(problem);
    };
    // Of the whole, not of a silence: a server that drips one byte a second is no answer.
    const timer = setTimeout(
      () => finish(`port ${port} did not answer GET ${path} within ${timeoutMs} ms`),
      timeoutMs,
    );
    request.on('error', (error) => finish(`port ${port}: ${reasonOf(error)}`));
  });
}

function probeTcp(port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: 'localhost', port }, () => finish(undefined));
    const finish = (problem: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(
      () => finish(`port ${port} took no connection within ${timeoutMs} ms`),
      timeoutMs,
    );
    socket.on('error', (error) => finish(`port ${port}: ${reasonOf(error)}`));
  });
}

/** An error of several attempts (IPv4, IPv6) has a code, and no message. */
function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return code === 'ECONNREFUSED' ? 'nobody listens' : error.message || code;
}
