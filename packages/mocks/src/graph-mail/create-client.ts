import { createHash } from 'node:crypto';
import { type Clock, parseOrThrow, type Random, systemClock, systemRandom } from '@buddy/core';
import { z } from 'zod';
import { createWireCaller } from '../client/caller.ts';
import { type ConcurrencyGate, createConcurrencyGate } from '../client/concurrency-gate.ts';
import {
  type AccessToken,
  type Credentials,
  fixedToken,
  renewedToken,
} from '../client/credentials.ts';
import { createFetchTransport, type Fetch } from '../client/fetch-transport.ts';
import { Retries } from '../client/retry.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import type { GraphMailClient } from './client.ts';
import { errorOfAnswer, requestIdOf } from './errors-of-answers.ts';
import { type MailboxGates, processGates } from './mailbox-gates.ts';
import { graphMailClientOver } from './wire-client.ts';

const Secret = z.string().min(1, 'should not be empty');

const App = z.strictObject({
  /** The directory's id or domain. */
  tenantId: z.string().min(1, 'should not be empty'),
  clientId: z.string().min(1, 'should not be empty'),
  clientSecret: Secret,
  /** Where tokens are given out. */
  loginUrl: z.url({ protocol: /^https?$/ }).default('https://login.microsoftonline.com'),
});

const GivenCredentials = z.union([z.strictObject({ token: Secret }), App], {
  error: 'must be { token } or { tenantId, clientId, clientSecret }; or hand in getToken',
});

const GraphMailClientOptions = z.strictObject({
  /** An access token; or an app of the directory, which gets its own. Left out when `getToken` gives them. */
  credentials: GivenCredentials.optional(),
  /** Whose mailbox: `me`, or an address or id. An app of the directory has no `me`. */
  user: z.string().min(1, 'should not be empty').default('me'),
  baseUrl: z.url({ protocol: /^https?$/ }).default(`${VENDOR_ORIGINS.msgraph}/v1.0`),
  retries: Retries.prefault({}),
  /** How long one try may take, in ms. */
  timeoutMs: z.number().positive().default(30_000),
  /** How many calls of this client may be under way at once; those of all clients of a mailbox, `gates` limit. */
  concurrency: z.int().positive().default(4),
});
export type GraphMailClientInput = z.input<typeof GraphMailClientOptions>;

export interface GraphMailClientPorts {
  /** Takes a `Request`; the global one by default. */
  fetch?: Fetch;
  clock?: Clock;
  random?: Random;
  /** Gives an access token, whenever there is none or the last one was refused or ends. Never called twice at a time. */
  getToken?: () => Promise<AccessToken>;
  /**
   * What the clients of one mailbox share, so that together they keep within Graph's limit; one for the whole process by
   * default. The same mailbox is the same origin and the same `user`; for `me`, the same token. Whose `me` a `getToken`
   * means is not known: such a client keeps to its own `concurrency`, and shares when `user` is an address.
   */
  gates?: MailboxGates;
}

/**
 * A client of the real Microsoft Graph. It tries up to 4 times what may be repeated: a 429 after the time that
 * `Retry-After` names, in seconds or as a date; 503, 504, 408 and lost connections only where a repeat changes nothing
 * more, so never a sending, a move or a deletion. It renews its token once when it is refused. With `retries: 'none'` it
 * tries once, for a runner that keeps the account of tries.
 * @throws {InvalidInputError} When the options do not fit.
 * @example
 * const mail = createGraphMailClient({ credentials: { tenantId, clientId, clientSecret }, user: 'sales@example.com' });
 * const { id } = await mail.sendEmailAsDraft({ toRecipients, subject, body });
 */
export function createGraphMailClient(
  input: GraphMailClientInput,
  ports: GraphMailClientPorts = {},
): GraphMailClient {
  const { fetch, clock = systemClock, random = systemRandom, getToken, gates } = ports;
  const schema = GraphMailClientOptions.refine(
    ({ credentials }) => credentials === undefined || getToken === undefined,
    'credentials and getToken exclude each other',
  );
  const options = parseOrThrow(schema, input, 'options of createGraphMailClient');
  const { user, baseUrl, retries, timeoutMs, concurrency } = options;
  const parts = {
    provider: 'msgraph' as const,
    transport: createFetchTransport({ ...(fetch && { fetch }), clock }),
    clock,
    random,
    timeoutMs,
    requestIdOf,
    errorOf: (...[answer, call, isWrite]: Parameters<CallerParts['errorOf']>) =>
      errorOfAnswer(answer, call, { isWrite, now: clock.now() }),
  };
  const caller = createWireCaller({
    ...parts,
    baseUrl,
    retries,
    gate: gateOf(concurrency, mailboxOf(options), gates),
    credentials: credentialsFrom(options.credentials, getToken, parts),
  });
  const path = user === 'me' ? '/me' : `/users/${encodeURIComponent(user)}`;
  return graphMailClientOver(caller, path);
}

/** What is the same text for the same mailbox; undefined when whose it is cannot be known. */
function mailboxOf({
  baseUrl,
  user,
  credentials,
}: z.output<typeof GraphMailClientOptions>): string | undefined {
  const { origin } = new URL(baseUrl);
  if (user !== 'me') return `${origin} ${user.toLowerCase()}`;
  if (!credentials || !('token' in credentials)) return undefined;
  return `${origin} me ${createHash('sha256').update(credentials.token).digest('hex')}`;
}

/** The client's own gate, and behind it that of the mailbox: always in this order, so that nobody waits for each other. */
function gateOf(
  concurrency: number,
  mailbox: string | undefined,
  gates: MailboxGates = processGates,
): ConcurrencyGate {
  const own = createConcurrencyGate(concurrency);
  if (mailbox === undefined) return own;
  return {
    pass: (work, signal) => own.pass(() => gates.pass(mailbox, work, signal), signal),
  };
}

type CallerParts = Parameters<typeof createWireCaller>[0];
type CommonParts = Omit<CallerParts, 'baseUrl' | 'retries' | 'gate' | 'credentials'>;

function credentialsFrom(
  given: unknown,
  getToken: (() => Promise<AccessToken>) | undefined,
  parts: CommonParts,
): Credentials {
  const { clock } = parts;
  if (getToken) return renewedToken(getToken, { clock });
  const source = parseOrThrow(GivenCredentials, given, 'credentials of createGraphMailClient');
  if ('token' in source) return fixedToken(source.token);
  return renewedToken(appToken(source, parts), { clock, secrets: () => [source.clientSecret] });
}

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number() });

/** The client credentials grant (RFC 6749, 4.4), as Microsoft's identity platform takes it. */
function appToken(
  { tenantId, clientId, clientSecret, loginUrl }: z.output<typeof App>,
  parts: CommonParts,
): () => Promise<AccessToken> {
  const caller = createWireCaller({
    ...parts,
    baseUrl: loginUrl,
    retries: { attempts: 3, baseDelayMs: 500, maxDelayMs: 5_000, totalMs: 30_000 },
    secrets: () => [clientSecret],
  });
  return async () => {
    const answer = await caller.call({
      operation: 'token.create',
      method: 'POST',
      path: `/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
      form: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        scope: `${VENDOR_ORIGINS.msgraph}/.default`,
      }),
      isWrite: false,
      isAnonymous: true,
      answer: TokenAnswer,
    });
    return {
      accessToken: answer.access_token,
      expiresAt: parts.clock.now() + answer.expires_in * 1_000,
    };
  };
}
