import { BuddyError } from '@buddy/core';

/** The server of the mocks could not be started; the message says why and what to do. */
export class MockServerError extends BuddyError {
  readonly code = 'MOCKS_SERVER_FAILED';
}
