import type { Clock, Logger } from '@buddy/core';
import type { Fetch } from '../client/fetch-transport.ts';
import type { RetriesInput } from '../client/retry.ts';
import type { Provider } from '../errors.ts';

/** What a client is made with, beside the environment. */
export interface ClientDependencies<MockInput> {
  clock?: Clock;
  /** Told in one line which system it is. Nobody by default. */
  logger?: Logger;
  /** For the mock, when that is what is made; its faults are those of the profile `seed` unless told otherwise. */
  mock?: MockInput;
  /** For the real client: the global one by default. */
  fetch?: Fetch;
  /** For the real client: `none` by default, for the mock tries once too, and a dry run should be as the real one. */
  retries?: RetriesInput;
}

export function announceMock(provider: Provider, logger: Logger): void {
  logger.info(
    { provider },
    `Dry run: ${provider} is a mock in memory; nothing leaves this process`,
  );
}

export function announceReal(provider: Provider, origin: string, logger: Logger): void {
  logger.info({ provider, origin }, `No dry run: ${provider} is the real system`);
}
