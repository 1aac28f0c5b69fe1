import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';

/** Serves a fetch handler on loopback, as any server would that mounts it. */
export async function serve(
  makeHandler: (origin: string) => (request: Request) => Promise<Response>,
) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Of a server that listens on TCP it is one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const handler = makeHandler(origin);
  server.on('request', async (incoming, outgoing) => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
    const body = incoming.method === 'POST' ? Buffer.concat(await incoming.toArray()) : null;
    const response = await handler(
      new Request(`${origin}${incoming.url ?? '/'}`, {
        method: incoming.method ?? 'GET',
        headers,
        body,
      }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Where a browser is on this machine; undefined when nowhere. Nothing is downloaded. */
export function findBrowser(): string | undefined {
  const places = [
    process.env['BUDDY_CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  return places.find((place) => place !== undefined && existsSync(place));
}
