import process from 'node:process';
import { type Clock, type Logger, silentLogger, systemClock } from '@buddy/core';
import { NotConfiguredError, type Provider } from '../errors.ts';
import type { GoHighLevelClient } from '../gohighlevel/client.ts';
import { createGoHighLevelMock } from '../gohighlevel/mock.ts';
import type { GoHighLevelMockInput } from '../gohighlevel/options.ts';
import type { GraphMailClient } from '../graph-mail/client.ts';
import { createGraphMailMock } from '../graph-mail/mock.ts';
import type { GraphMailMockInput } from '../graph-mail/options.ts';
import type { MployerClient } from '../mployer/client.ts';
import { createMployerMock } from '../mployer/mock.ts';
import type { MployerMockInput } from '../mployer/options.ts';
import { type Environment, isDryRun } from './dry-run.ts';

/** What a client is made with, beside the environment. */
export interface ClientDependencies<MockInput> {
  clock?: Clock;
  /** Told in one line that a mock is at work. Nobody by default. */
  logger?: Logger;
  /** For the mock, when that is what is made; its faults are those of the profile `seed` unless told otherwise. */
  mock?: MockInput;
}

/**
 * The Mployer client that this environment asks for; with `DRY_RUN=true` a mock, a new one at each call.
 * @throws {NotConfiguredError} Without a dry run: there is no real client yet.
 * @throws {EnvironmentError} When `DRY_RUN` is not understood.
 * @example
 * const mployer = getMployerClient({ DRY_RUN: 'true' });
 */
export function getMployerClient(
  environment: Environment = process.env,
  { mock, clock = systemClock, logger = silentLogger }: ClientDependencies<MployerMockInput> = {},
): MployerClient {
  requireDryRun(environment, 'mployer', logger);
  return createMployerMock({ faults: 'seed', ...mock }, { clock }).client;
}

/** As `getMployerClient`, for GoHighLevel. @throws {NotConfiguredError} {EnvironmentError} */
export function getGoHighLevelClient(
  environment: Environment = process.env,
  {
    mock,
    clock = systemClock,
    logger = silentLogger,
  }: ClientDependencies<GoHighLevelMockInput> = {},
): GoHighLevelClient {
  requireDryRun(environment, 'gohighlevel', logger);
  return createGoHighLevelMock({ faults: 'seed', ...mock }, { clock }).client;
}

/** As `getMployerClient`, for Microsoft Graph mail. @throws {NotConfiguredError} {EnvironmentError} */
export function getGraphMailClient(
  environment: Environment = process.env,
  { mock, clock = systemClock, logger = silentLogger }: ClientDependencies<GraphMailMockInput> = {},
): GraphMailClient {
  requireDryRun(environment, 'msgraph', logger);
  return createGraphMailMock({ faults: 'seed', ...mock }, { clock }).client;
}

function requireDryRun(environment: Environment, provider: Provider, logger: Logger): void {
  if (!isDryRun(environment)) {
    throw new NotConfiguredError(
      'DRY_RUN',
      `The real ${provider} client is not built yet; set DRY_RUN=true to work with the mock`,
    );
  }
  logger.info(
    { provider },
    `Dry run: ${provider} is a mock in memory; nothing leaves this process`,
  );
}
