import { type Clock, systemClock } from '@buddy/core';
import { createDnsResolvers } from '@buddy/guardian';
import { openDnsServer } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { serveHttp } from './http-server.ts';

const { signal } = new AbortController();
export const NAME = 'billing.test';
const RECORDS = { records: { [NAME]: ['127.0.0.1'] } };

/** Two name servers that know the name of a real HTTP server, and resolvers over both. */
export async function openNames(
  options: { staleMs?: number; expected?: string[]; clock?: Clock } = {},
) {
  const http = await serveHttp((_request, response) => response.end('ok'));
  const [first, second] = [await openDnsServer(RECORDS), await openDnsServer(RECORDS)];
  const { clock = systemClock } = options;
  const input = {
    servers: [first.address, second.address],
    names: { [NAME]: options.expected ?? [] },
    ports: { [NAME]: http.port },
    timeoutMs: 200,
    slowMs: 400, // of a busy machine, still not slow
    ...(options.staleMs !== undefined && { staleMs: options.staleMs }),
  };
  const dns = createDnsResolvers(input, { clock });
  const close = async () => {
    await http.close();
    await first.close();
    await second.close();
  };
  return { dns, first, second, http, close };
}

export async function openServfailWorld(): Promise<PlaybookWorld> {
  const { dns, first, second, close } = await openNames();
  const servers = [first.address, second.address];
  return {
    resources: [{ id: 'names', adapter: dns }],
    subject: 'names',
    fault: {
      name: 'the name server in use says SERVFAIL',
      apply: async () => {
        await dns.useResolvers(servers, signal);
        first.misbehave({ is: 'servfail' });
      },
      // As whoever resolves by what is in use sees it.
      isPresent: async () => {
        const [inUse = ''] = dns.current();
        return dns.lookUp(NAME, inUse, signal).then(
          () => false,
          () => true,
        );
      },
      revert: async () => first.misbehave(undefined),
    },
    symptom: async () => ({ signal: 'dns.servfail' }),
    state: async () => ({ current: dns.current(), pinned: dns.pinned(NAME) ?? null }),
    close,
  };
}
