import { Resolver } from 'node:dns/promises';
import { z } from 'zod';
import { systemClock } from '@buddy/core';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';
import { DnsMisbehaviour, type DnsServer } from './dns-server.ts';

/** So long who is silent says nothing, in ms. */
const SILENCE_MS = 250;

/**
 * A name server is silent, slow, says SERVFAIL or NXDOMAIN, or makes its answers up.
 * @example
 * const server = await openDnsServer({ records: { 'billing.test': ['127.0.0.1'] } });
 * await using fault = await kit.inject(dns, { server, misbehaviour: { is: 'servfail' } });
 */
export const dns = defineFault({
  kind: 'dns',
  description: 'A name server is silent, slow, fails, knows no name, or lies.',
  options: z.strictObject({
    server: z.custom<DnsServer>((value) => isDnsServer(value), 'must be made by openDnsServer'),
    misbehaviour: DnsMisbehaviour,
  }),
  note: z.strictObject({}),
  caps: { seconds: 600, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ server, misbehaviour }) => ({
    note: {},
    isPresent: (signal) => shows(server, misbehaviour, signal),
    apply: async () => server.misbehave(misbehaviour),
    revert: async () => server.misbehave(undefined),
  }),
  recover: async () => undefined, // it lived in the process
});

function isDnsServer(value: unknown): value is DnsServer {
  return typeof value === 'object' && value !== null && 'misbehave' in value && 'names' in value;
}

async function shows(
  server: DnsServer,
  wanted: DnsMisbehaviour,
  signal: AbortSignal,
): Promise<boolean> {
  const [name = ''] = server.names;
  const waitMs = wanted.is === 'slow' ? wanted.delayMs + 1_000 : SILENCE_MS;
  const resolver = new Resolver({ timeout: waitMs, tries: 1 });
  resolver.setServers([server.address]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const startedAt = systemClock.monotonic();
  try {
    const answer = await resolver.resolve4(name).catch((error: unknown) => codeOf(error));
    signal.throwIfAborted();
    switch (wanted.is) {
      case 'timeout':
        return answer === 'ETIMEOUT';
      case 'servfail':
        return answer === 'ESERVFAIL';
      case 'nxdomain':
        return answer === 'ENOTFOUND';
      case 'slow':
        return Array.isArray(answer) && systemClock.monotonic() - startedAt >= wanted.delayMs * 0.9;
      case 'lie':
        return Array.isArray(answer) && answer.join() === wanted.address;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}
