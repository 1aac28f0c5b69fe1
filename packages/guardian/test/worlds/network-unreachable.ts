import type { LookupFunction } from 'node:net';
import { createHttpEndpoint, type HttpEndpointInput } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { serveHttp } from './http-server.ts';

const { signal } = new AbortController();

/** The kernel itself has no way there for TCP (ENETUNREACH), on any machine and for any user. */
const NO_WAY = '255.255.255.255';

/** A server with two names; the first can be moved to where there is no way. */
export async function openMovedEndpoint(options: Partial<HttpEndpointInput> = {}) {
  const delivered: string[] = [];
  const http = await serveHttp((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'POST') delivered.push(body);
      response.writeHead(body === 'poison' ? 422 : 200).end('ok');
    });
  });
  const unreachable = new Set<string>();
  const lookup: LookupFunction = (name, { all }, callback) => {
    const address = unreachable.has(name) ? NO_WAY : '127.0.0.1';
    if (all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  const paths = {
    primary: `http://primary.test:${http.port}/`,
    replica: `http://replica.test:${http.port}/`,
  };
  const endpoint = createHttpEndpoint(
    { paths, timeoutMs: 500, baselineMs: { primary: 60, replica: 60 }, ...options },
    { lookup },
  );
  const close = async () => {
    await endpoint.close();
    await http.close();
  };
  return { endpoint, unreachable, delivered, close };
}

export async function openUnreachableWorld(): Promise<PlaybookWorld> {
  const { endpoint, unreachable, close } = await openMovedEndpoint();
  return {
    resources: [{ id: 'billing', adapter: endpoint }],
    subject: 'billing',
    fault: {
      name: 'no route to the path in use',
      apply: async () => {
        await endpoint.usePath('primary', signal);
        unreachable.add('primary.test');
        await endpoint.resetConnections(signal); // they went over what is gone
      },
      isPresent: () =>
        endpoint.send({ method: 'POST' }).then(
          () => false,
          () => true,
        ),
      revert: async () => unreachable.clear(),
    },
    symptom: async () => ({ signal: 'network.unreachable' }),
    state: async () => ({
      path: endpoint.currentPath(),
      isHolding: endpoint.isHolding(),
      held: endpoint.heldRequests(),
    }),
    close,
  };
}
