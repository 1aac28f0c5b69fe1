import { parseOrThrow, systemClock, systemRandom } from '@buddy/core';
import { fixedToken } from '../client/credentials.ts';
import type { MockPorts } from '../exchange/is-admitted.ts';
import { createWireExchange, type Mock } from '../wire/exchange.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import type { GoHighLevelClient, GoHighLevelContact } from './client.ts';
import { type GoHighLevelMockInput, GoHighLevelMockOptions } from './options.ts';
import { GoHighLevelProvider } from './provider.ts';
import { createWireClient } from './wire-client.ts';

/** A location in memory: `fetch` answers as its API does, `client` calls it without a socket. */
export interface GoHighLevelMock extends Mock {
  /** The real client, on a way in that needs no socket. It tries once. */
  readonly client: GoHighLevelClient;
  /** What it holds, oldest first, without a call being made. */
  readonly contacts: () => readonly GoHighLevelContact[];
}

/** The version of the API that the client speaks unless told otherwise. */
const DEFAULT_VERSION = '2021-07-28';

/**
 * A GoHighLevel location in memory.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const crm = createGoHighLevelMock({ latency: 'none' });
 * const { id } = await crm.client.createContact({ email: 'ada@example.com' });
 */
export function createGoHighLevelMock(
  input: GoHighLevelMockInput = {},
  { clock = systemClock, isAdmitted }: MockPorts = {},
): GoHighLevelMock {
  const options = parseOrThrow(GoHighLevelMockOptions, input, 'options of createGoHighLevelMock');
  const provider = new GoHighLevelProvider(options, isAdmitted);
  const { transport, ...mock } = createWireExchange(provider, options, clock);
  const [token = 'pit-buddy-mocks'] = Object.keys(options.tokens ?? {});
  const client = createWireClient(
    {
      transport,
      baseUrl: VENDOR_ORIGINS.gohighlevel,
      clock,
      random: systemRandom,
      retries: 'none',
      credentials: fixedToken(token),
    },
    { locationId: options.locationId, version: DEFAULT_VERSION },
  );
  return { ...mock, client, contacts: () => provider.contacts() };
}
