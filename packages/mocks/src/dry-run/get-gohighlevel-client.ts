import process from 'node:process';
import { silentLogger, systemClock } from '@buddy/core';
import { EnvironmentError } from '../errors.ts';
import type { GoHighLevelClient } from '../gohighlevel/client.ts';
import {
  createGoHighLevelClient,
  type GoHighLevelClientInput,
} from '../gohighlevel/create-client.ts';
import { createGoHighLevelMock } from '../gohighlevel/mock.ts';
import type { GoHighLevelMockInput } from '../gohighlevel/options.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import { announceMock, announceReal, type ClientDependencies } from './client-dependencies.ts';
import { type Environment, isDryRun } from './dry-run.ts';
import { read, readRequired } from './environment.ts';

/**
 * The GoHighLevel client that this environment asks for; with `DRY_RUN=true` that of a mock, a new one at each call. Else
 * the real one, which needs `GOHIGHLEVEL_LOCATION_ID` and either `GOHIGHLEVEL_TOKEN` or `GOHIGHLEVEL_CLIENT_ID`,
 * `GOHIGHLEVEL_CLIENT_SECRET` and `GOHIGHLEVEL_REFRESH_TOKEN`; `GOHIGHLEVEL_BASE_URL` and `GOHIGHLEVEL_VERSION` may be set.
 * @throws {NotConfiguredError} Naming the variable that is missing.
 * @throws {EnvironmentError} Naming the variable that is not understood.
 * @example
 * const crm = getGoHighLevelClient({ DRY_RUN: 'true' });
 */
export function getGoHighLevelClient(
  environment: Environment = process.env,
  {
    mock,
    clock = systemClock,
    logger = silentLogger,
    fetch,
    retries = 'none',
  }: ClientDependencies<GoHighLevelMockInput> = {},
): GoHighLevelClient {
  if (isDryRun(environment)) {
    announceMock('gohighlevel', logger);
    return createGoHighLevelMock({ faults: 'seed', ...mock }, { clock }).client;
  }
  const baseUrl = read(environment, 'GOHIGHLEVEL_BASE_URL') ?? VENDOR_ORIGINS.gohighlevel;
  const client = createGoHighLevelClient(
    {
      locationId: required(environment, 'GOHIGHLEVEL_LOCATION_ID', 'the id of the sub-account'),
      credentials: credentialsFrom(environment),
      baseUrl: checkedUrl(baseUrl),
      version: versionFrom(environment),
      retries,
    },
    { clock, ...(fetch && { fetch }) },
  );
  announceReal('gohighlevel', new URL(baseUrl).origin, logger);
  return client;
}

function credentialsFrom(environment: Environment): GoHighLevelClientInput['credentials'] {
  const clientId = read(environment, 'GOHIGHLEVEL_CLIENT_ID');
  if (clientId === undefined) {
    return { token: required(environment, 'GOHIGHLEVEL_TOKEN', 'a private integration token') };
  }
  return {
    clientId,
    clientSecret: required(environment, 'GOHIGHLEVEL_CLIENT_SECRET', "the app's secret"),
    refreshToken: required(environment, 'GOHIGHLEVEL_REFRESH_TOKEN', 'a refresh token'),
  };
}

function required(environment: Environment, variable: string, what: string): string {
  return readRequired(environment, variable, { provider: 'gohighlevel', what });
}

function checkedUrl(baseUrl: string): string {
  if (/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) return baseUrl;
  throw new EnvironmentError(
    'GOHIGHLEVEL_BASE_URL',
    `GOHIGHLEVEL_BASE_URL is "${baseUrl}"; set it to a URL such as ${VENDOR_ORIGINS.gohighlevel}`,
  );
}

function versionFrom(environment: Environment): '2021-07-28' | 'v3' {
  const version = read(environment, 'GOHIGHLEVEL_VERSION') ?? '2021-07-28';
  if (version === '2021-07-28' || version === 'v3') return version;
  throw new EnvironmentError(
    'GOHIGHLEVEL_VERSION',
    `GOHIGHLEVEL_VERSION is "${version}"; set it to 2021-07-28 or v3`,
  );
}
