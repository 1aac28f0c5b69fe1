import { once } from 'node:events';
import { createServer } from 'node:http';
import { createHttpEndpoint } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';

const { signal } = new AbortController();

export async function openSlowPathWorld(): Promise<PlaybookWorld> {
  const delayMs = { primary: 0, replica: 0 };
  const serve = async (name: 'primary' | 'replica') => {
    const server = createServer((_request, response) => {
      setTimeout(() => response.end('ok'), delayMs[name]);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return { server, url: `http://127.0.0.1:${port}/` };
  };
  const [primary, replica] = [await serve('primary'), await serve('replica')];
  const endpoint = createHttpEndpoint({
    paths: { primary: primary.url, replica: replica.url },
    // Generous, so that a busy machine is no slow network; the fault is slower by far.
    baselineMs: { primary: 60, replica: 60 },
  });
  const slowBy = 600;
  return {
    resources: [{ id: 'billing', adapter: endpoint }],
    subject: 'billing',
    fault: {
      name: 'latency on the way in use',
      apply: async () => {
        delayMs.primary = slowBy;
        delayMs.replica = 0;
        await endpoint.usePath('primary', signal);
      },
      isPresent: async () => {
        const startedAt = performance.now();
        await (await fetch(endpoint.currentUrl())).text();
        return performance.now() - startedAt > slowBy - 50;
      },
      revert: async () => {
        delayMs.primary = 0;
      },
    },
    symptom: async () => ({ signal: 'network.degraded' }),
    state: async () => ({ path: endpoint.currentPath() }),
    close: async () => {
      for (const { server } of [primary, replica]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}
