import { type Clock, parseOrThrow, type Random, systemClock, systemRandom } from '@buddy/core';
import { z } from 'zod';
import { createConcurrencyGate } from '../client/concurrency-gate.ts';
import { createFetchTransport, type Fetch } from '../client/fetch-transport.ts';
import { Retries } from '../client/retry.ts';
import type { MployerClient } from './client.ts';
import { createWireClient } from './wire-client.ts';

const MployerClientOptions = z.strictObject({
  /** Of a service that speaks our contract: Mployer itself has no public API to point at. */
  baseUrl: z.url({ protocol: /^https?$/ }),
  /** With one, the client logs in by itself, whenever it has no session. */
  account: z
    .strictObject({ email: z.email(), password: z.string().min(1, 'should not be empty') })
    .optional(),
  retries: Retries.prefault({}),
  /** How long one try may take, in ms. */
  timeoutMs: z.number().positive().default(30_000),
  /** How many calls may be under way at once. */
  concurrency: z.int().positive().default(4),
});
export type MployerClientInput = z.input<typeof MployerClientOptions>;

export interface MployerClientPorts {
  /** Takes a `Request`; the global one by default. */
  fetch?: Fetch;
  clock?: Clock;
  random?: Random;
}

/**
 * A client of a service that speaks our contract for Mployer, which is designed and not verified against the vendor. It
 * tries up to 4 times; all that it does may be repeated.
 * @throws {InvalidInputError} When the options do not fit.
 * @example
 * const mployer = createMployerClient({ baseUrl: 'https://mployer.internal.example' });
 * await mployer.login('ada@example.com', password);
 */
export function createMployerClient(
  input: MployerClientInput,
  { fetch, clock = systemClock, random = systemRandom }: MployerClientPorts = {},
): MployerClient {
  const options = parseOrThrow(MployerClientOptions, input, 'options of createMployerClient');
  const { baseUrl, account, retries, timeoutMs, concurrency } = options;
  const { forget: _forget, ...client } = createWireClient(
    {
      transport: createFetchTransport({ ...(fetch && { fetch }), clock }),
      baseUrl,
      clock,
      random,
      retries,
      timeoutMs,
      gate: createConcurrencyGate(concurrency),
    },
    account,
  );
  return client;
}
