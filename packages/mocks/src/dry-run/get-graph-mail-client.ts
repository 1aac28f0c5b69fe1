import process from 'node:process';
import { silentLogger, systemClock } from '@buddy/core';
import { NotConfiguredError } from '../errors.ts';
import type { GraphMailClient } from '../graph-mail/client.ts';
import { createGraphMailMock } from '../graph-mail/mock.ts';
import type { GraphMailMockInput } from '../graph-mail/options.ts';
import { announceMock, type ClientDependencies } from './client-dependencies.ts';
import { type Environment, isDryRun } from './dry-run.ts';

/** As `getGoHighLevelClient`, for Microsoft Graph mail. @throws {NotConfiguredError} {EnvironmentError} */
export function getGraphMailClient(
  environment: Environment = process.env,
  { mock, clock = systemClock, logger = silentLogger }: ClientDependencies<GraphMailMockInput> = {},
): GraphMailClient {
  if (!isDryRun(environment)) {
    throw new NotConfiguredError(
      'DRY_RUN',
      'The real msgraph client is not built yet; set DRY_RUN=true to work with the mock',
    );
  }
  announceMock('msgraph', logger);
  return createGraphMailMock({ faults: 'seed', ...mock }, { clock }).client;
}
