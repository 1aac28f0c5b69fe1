import process from 'node:process';
import { silentLogger, systemClock } from '@buddy/core';
import { EnvironmentError } from '../errors.ts';
import type { MployerClient } from '../mployer/client.ts';
import { createMployerClient } from '../mployer/create-client.ts';
import { createMployerMock } from '../mployer/mock.ts';
import type { MployerMockInput } from '../mployer/options.ts';
import { announceMock, announceReal, type ClientDependencies } from './client-dependencies.ts';
import { type Environment, isDryRun } from './dry-run.ts';
import { readRequired } from './environment.ts';

/**
 * As `getGoHighLevelClient`, for Mployer. The real one needs `MPLOYER_BASE_URL`: a service that speaks our contract, for
 * Mployer has no public API. Who logs in is told to `login`.
 * @throws {NotConfiguredError} {EnvironmentError}
 * @example
 * const mployer = getMployerClient({ DRY_RUN: 'true' });
 */
export function getMployerClient(
  environment: Environment = process.env,
  {
    mock,
    clock = systemClock,
    logger = silentLogger,
    fetch,
    retries = 'none',
  }: ClientDependencies<MployerMockInput> = {},
): MployerClient {
  if (isDryRun(environment)) {
    announceMock('mployer', logger);
    return createMployerMock({ faults: 'seed', ...mock }, { clock }).client;
  }
  const baseUrl = readRequired(environment, 'MPLOYER_BASE_URL', {
    provider: 'mployer',
    what: 'the URL of a service that speaks the contract of @buddy/mocks, for Mployer has no public API',
  });
  if (!/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) {
    throw new EnvironmentError(
      'MPLOYER_BASE_URL',
      `MPLOYER_BASE_URL is "${baseUrl}"; set it to a URL that begins with https://`,
    );
  }
  const client = createMployerClient({ baseUrl, retries }, { clock, ...(fetch && { fetch }) });
  announceReal('mployer', new URL(baseUrl).origin, logger);
  return client;
}
