import { type Clock, parseOrThrow, type Random, systemClock, systemRandom } from '@buddy/core';
import { z } from 'zod';
import { createWireCaller } from '../client/caller.ts';
import { createConcurrencyGate } from '../client/concurrency-gate.ts';
import { type Credentials, fixedToken, forgetAllBut, renewedToken } from '../client/credentials.ts';
import { createFetchTransport, type Fetch } from '../client/fetch-transport.ts';
import { Retries } from '../client/retry.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import { errorOf, requestIdOf } from './answer-errors.ts';
import { TokenAnswer } from './answers.ts';
import type { GoHighLevelClient } from './client.ts';
import { createWireClient } from './wire-client.ts';

const Secret = z.string().min(1, 'should not be empty');

const OAuth = z.strictObject({
  clientId: Secret,
  clientSecret: Secret,
  /** Serves once; `onTokens` is told the next. */
  refreshToken: Secret,
  /** Used until it ends; without one the first call gets one. */
  accessToken: Secret.optional(),
  /** When the access token ends, in ms since the epoch. */
  expiresAt: z.number().optional(),
});

const GoHighLevelClientOptions = z.strictObject({
  /** Whose contacts: the sub-account's id. */
  locationId: z.string().min(1, 'should not be empty'),
  /** A private integration token; or tokens of an app, which end and are renewed. */
  credentials: z.union([z.strictObject({ token: Secret }), OAuth], {
    error: 'must be { token } or { clientId, clientSecret, refreshToken }',
  }),
  baseUrl: z.url({ protocol: /^https?$/ }).default(VENDOR_ORIGINS.gohighlevel),
  version: z.enum(['2021-07-28', 'v3']).default('2021-07-28'),
  retries: Retries.prefault({}),
  /** How long one try may take, in ms. */
  timeoutMs: z.number().positive().default(30_000),
  /** How many calls may be under way at once; the provider allows 100 in 10 s. */
  concurrency: z.int().positive().default(10),
});
export type GoHighLevelClientInput = z.input<typeof GoHighLevelClientOptions>;

/** New tokens, to be kept for the next start: the refresh token before is used up. */
export interface GoHighLevelTokens {
  accessToken: string;
  refreshToken: string;
  /** Ms since the epoch. */
  expiresAt: number;
}

export interface GoHighLevelClientPorts {
  /** Takes a `Request`; the global one by default. */
  fetch?: Fetch;
  clock?: Clock;
  random?: Random;
  /** Told whenever tokens were renewed. */
  onTokens?: (tokens: GoHighLevelTokens) => void;
}

/**
 * A client of the real GoHighLevel API. It tries up to 4 times what may be repeated: a 429 after the time that the
 * provider's own header names, never when the day's calls are used up; timeouts, failures and lost connections only where
 * a repeat changes nothing more, so never a creation. It renews its token once when it is refused. With `retries: 'none'`
 * it tries once, for a runner that keeps the account of tries.
 * @throws {InvalidInputError} When the options do not fit.
 * @example
 * const crm = createGoHighLevelClient({ locationId: 've9E...', credentials: { token: process.env.GOHIGHLEVEL_TOKEN } });
 * await crm.upsertContact({ email: 'ada@example.com', firstName: 'Ada' });
 */
export function createGoHighLevelClient(
  input: GoHighLevelClientInput,
  { fetch, clock = systemClock, random = systemRandom, onTokens }: GoHighLevelClientPorts = {},
): GoHighLevelClient {
  const options = parseOrThrow(
    GoHighLevelClientOptions,
    input,
    'options of createGoHighLevelClient',
  );
  const { locationId, version, baseUrl, retries, timeoutMs, concurrency } = options;
  const parts = {
    transport: createFetchTransport({ ...(fetch && { fetch }), clock }),
    baseUrl,
    clock,
    random,
    retries,
    timeoutMs,
    gate: createConcurrencyGate(concurrency),
  };
  const credentials: Credentials =
    'token' in options.credentials
      ? fixedToken(options.credentials.token)
      : appTokens(options.credentials, parts, version, onTokens);
  return createWireClient({ ...parts, credentials }, { locationId, version });
}

type CallerParts = Pick<
  Parameters<typeof createWireCaller>[0],
  'transport' | 'baseUrl' | 'clock' | 'random' | 'retries' | 'timeoutMs'
>;

/** Tokens of either kind that an error might still repeat. */
const SECRETS_REMEMBERED = 16;

function appTokens(
  { clientId, clientSecret, accessToken, expiresAt, ...first }: z.output<typeof OAuth>,
  { transport, baseUrl, clock, random, timeoutMs }: CallerParts,
  version: string,
  onTokens: GoHighLevelClientPorts['onTokens'],
): Credentials {
  let { refreshToken } = first;
  const lately = new Set([refreshToken, ...(accessToken === undefined ? [] : [accessToken])]);
  const secrets = () => [clientSecret, ...lately];
  const caller = createWireCaller({
    provider: 'gohighlevel',
    transport,
    baseUrl,
    clock,
    random,
    retries: 'none', // a refresh token whose answer was lost may be used up
    headers: { version },
    secrets,
    errorOf,
    requestIdOf,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const fetchToken = async () => {
    const form = new URLSearchParams({
      [version === 'v3' ? 'clientId' : 'client_id']: clientId,
      [version === 'v3' ? 'clientSecret' : 'client_secret']: clientSecret,
      [version === 'v3' ? 'grantType' : 'grant_type']: 'refresh_token',
      [version === 'v3' ? 'refreshToken' : 'refresh_token']: refreshToken,
      [version === 'v3' ? 'userType' : 'user_type']: 'Location',
    });
    const answer = await caller.call({
      operation: 'token.create',
      method: 'POST',
      path: '/oauth/token',
      form,
      isWrite: false,
      isAnonymous: true,
      answer: TokenAnswer,
    });
    refreshToken = answer.refresh_token;
    lately.add(refreshToken).add(answer.access_token);
    forgetAllBut(SECRETS_REMEMBERED, lately);
    const tokens = {
      accessToken: answer.access_token,
      refreshToken,
      expiresAt: clock.now() + answer.expires_in * 1_000,
    };
    onTokens?.(tokens);
    return tokens;
  };
  return renewedToken(fetchToken, {
    clock,
    secrets,
    ...(accessToken !== undefined && { first: { accessToken, expiresAt } }),
  });
}
