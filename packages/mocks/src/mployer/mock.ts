import { type Clock, parseOrThrow, systemClock, systemRandom } from '@buddy/core';
import { createWireExchange, type Mock } from '../wire/exchange.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import type { MployerClient } from './client.ts';
import { type MployerMockInput, MployerMockOptions } from './options.ts';
import { MployerProvider } from './provider.ts';
import { createWireClient } from './wire-client.ts';

/** Mployer in memory: `fetch` answers as our contract says, `client` calls it without a socket. */
export interface MployerMock extends Mock {
  /** The real client, on a way in that needs no socket. It tries once. A reset logs it out. */
  readonly client: MployerClient;
  /** How many sessions have neither ended nor expired. */
  readonly openSessions: () => number;
}

/**
 * Mployer in memory, after a contract of our own: there is no public API.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const { client } = createMployerMock({ latency: 'none' });
 * await client.login('ada@example.com', 'secret');
 * const { results } = await client.searchContacts({ state: 'CA' }); // 9 people, all in California
 */
export function createMployerMock(
  input: MployerMockInput = {},
  { clock = systemClock }: { clock?: Clock } = {},
): MployerMock {
  const options = parseOrThrow(MployerMockOptions, input, 'options of createMployerMock');
  const provider = new MployerProvider(options);
  const { transport, ...mock } = createWireExchange(provider, options, clock);
  const { forget, ...client } = createWireClient({
    transport,
    baseUrl: VENDOR_ORIGINS.mployer,
    clock,
    random: systemRandom,
    retries: 'none',
  });
  return {
    ...mock,
    client,
    openSessions: () => provider.openSessions(clock.now()),
    reset: () => {
      forget();
      mock.reset();
    },
  };
}
