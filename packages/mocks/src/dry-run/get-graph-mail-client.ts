import process from 'node:process';
import { silentLogger, systemClock } from '@buddy/core';
import { EnvironmentError } from '../errors.ts';
import type { GraphMailClient } from '../graph-mail/client.ts';
import { createGraphMailClient, type GraphMailClientInput } from '../graph-mail/create-client.ts';
import { createGraphMailMock } from '../graph-mail/mock.ts';
import type { GraphMailMockInput } from '../graph-mail/options.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import { announceMock, announceReal, type ClientDependencies } from './client-dependencies.ts';
import { type Environment, isDryRun } from './dry-run.ts';
import { read, readRequired } from './environment.ts';

/**
 * As `getGoHighLevelClient`, for Microsoft Graph mail. The real one needs `MSGRAPH_ACCESS_TOKEN`; or
 * `MSGRAPH_TENANT_ID`, `MSGRAPH_CLIENT_ID`, `MSGRAPH_CLIENT_SECRET` and `MSGRAPH_MAILBOX`, the address of the mailbox, for an
 * app has none of its own. `MSGRAPH_BASE_URL` may be set.
 * @throws {NotConfiguredError} Naming the variable that is missing.
 * @throws {EnvironmentError} Naming the variable that is not understood.
 * @example
 * const mail = getGraphMailClient({ DRY_RUN: 'true' });
 */
export function getGraphMailClient(
  environment: Environment = process.env,
  {
    mock,
    clock = systemClock,
    logger = silentLogger,
    fetch,
    retries = 'none',
  }: ClientDependencies<GraphMailMockInput> = {},
): GraphMailClient {
  if (isDryRun(environment)) {
    announceMock('msgraph', logger);
    return createGraphMailMock({ faults: 'seed', ...mock }, { clock }).client;
  }
  const baseUrl = read(environment, 'MSGRAPH_BASE_URL') ?? `${VENDOR_ORIGINS.msgraph}/v1.0`;
  const client = createGraphMailClient(
    { ...mailboxFrom(environment), baseUrl: checkedUrl(baseUrl), retries },
    { clock, ...(fetch && { fetch }) },
  );
  announceReal('msgraph', new URL(baseUrl).origin, logger);
  return client;
}

function mailboxFrom(environment: Environment): Pick<GraphMailClientInput, 'credentials' | 'user'> {
  const clientId = read(environment, 'MSGRAPH_CLIENT_ID');
  if (clientId === undefined) {
    const token = required(environment, 'MSGRAPH_ACCESS_TOKEN', 'an access token');
    return { credentials: { token }, user: read(environment, 'MSGRAPH_MAILBOX') ?? 'me' };
  }
  return {
    credentials: {
      clientId,
      tenantId: required(environment, 'MSGRAPH_TENANT_ID', "the directory's id"),
      clientSecret: required(environment, 'MSGRAPH_CLIENT_SECRET', "the app's secret"),
    },
    user: required(environment, 'MSGRAPH_MAILBOX', 'the address of the mailbox'),
  };
}

function required(environment: Environment, variable: string, what: string): string {
  return readRequired(environment, variable, { provider: 'msgraph', what });
}

function checkedUrl(baseUrl: string): string {
  if (/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) return baseUrl;
  throw new EnvironmentError(
    'MSGRAPH_BASE_URL',
    `MSGRAPH_BASE_URL is "${baseUrl}"; set it to a URL such as ${VENDOR_ORIGINS.msgraph}/v1.0`,
  );
}
