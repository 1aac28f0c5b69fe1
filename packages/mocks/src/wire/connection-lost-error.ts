import { BuddyError } from '@buddy/core';

/**
 * No whole answer came. Internal to the package: a client makes a `NetworkError` of it, for only the client knows which
 * operation it was and whether a repeat is safe.
 */
export class ConnectionLostError extends BuddyError {
  readonly code = 'MOCKS_CONNECTION_LOST';
  /** Whether the request may have reached the provider; false when no connection was made at all. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, mayHaveArrived: boolean, options?: ErrorOptions) {
    super(message, options);
    this.mayHaveArrived = mayHaveArrived;
  }
}
