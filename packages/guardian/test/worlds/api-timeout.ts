import { createHttpEndpoint, type HttpEndpointInput } from '@buddy/guardian';
import { openRelay, type Relay } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { serveHttp } from './http-server.ts';

const { signal } = new AbortController();

/** An endpoint with so many paths, each to a server of its own by a relay. */
export async function openRelayedEndpoint(
  names: string[],
  options: Partial<HttpEndpointInput> = {},
) {
  const closers: (() => Promise<unknown>)[] = [];
  const relays = new Map<string, Relay>();
  const asked: string[] = [];
  const paths: Record<string, string> = {};
  for (const name of names) {
    const { port, close } = await serveHttp((_request, response) => {
      asked.push(name);
      response.end(name);
    });
    const relay = await openRelay({ target: { host: '127.0.0.1', port } });
    relays.set(name, relay);
    paths[name] = `http://127.0.0.1:${relay.port}/`;
    closers.push(close, () => relay.close());
  }
  const baselineMs = Object.fromEntries(names.map((name) => [name, 60]));
  const endpoint = createHttpEndpoint({ paths, timeoutMs: 300, baselineMs, ...options });
  closers.push(() => endpoint.close());
  const relayOf = (name: string): Relay => {
    const relay = relays.get(name);
    if (!relay) throw new Error(`no relay ${name}`);
    return relay;
  };
  const close = async () => {
    for (const closeOne of closers.toReversed()) await closeOne();
  };
  return { endpoint, relayOf, asked, close };
}

export async function openBlackHoleWorld(): Promise<PlaybookWorld> {
  const { endpoint, relayOf, close } = await openRelayedEndpoint(['primary', 'replica']);
  const answers = () =>
    fetch(endpoint.currentUrl(), { signal: AbortSignal.timeout(250) }).then(
      ({ ok }) => ok,
      () => false,
    );
  return {
    resources: [{ id: 'billing', adapter: endpoint }],
    subject: 'billing',
    fault: {
      name: 'the primary accepts and never answers',
      apply: async () => {
        await endpoint.usePath('primary', signal);
        await endpoint.closeBreaker('primary', signal);
        relayOf('primary').impair({ is: 'stall' });
      },
      isPresent: async () => !(await answers()),
      revert: async () => relayOf('primary').impair(undefined),
    },
    symptom: async () => ({ signal: 'api.timeout' }),
    state: async () => ({
      path: endpoint.currentPath(),
      primary: endpoint.breakerOf('primary'),
      hedge: endpoint.hedgeAfterMs() ?? null,
    }),
    close,
  };
}
