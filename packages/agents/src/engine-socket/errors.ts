import { BuddyError, type BuddyErrorOptions } from '@buddy/core';

/** Another engine has opened a socket for this run folder. */
export class EngineSocketTakenError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_SOCKET_TAKEN';
}

/** No engine can be asked: none works on the run, or it is another user's. The message says which. */
export class EngineUnreachableError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_UNREACHABLE';
}

/** The engine refused what it was asked; `remoteCode` is the code of its own error. */
export class EngineRefusedError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_REFUSED';
  readonly remoteCode: string;

  constructor(remoteCode: string, message: string, options: BuddyErrorOptions) {
    super(message, options);
    this.remoteCode = remoteCode;
  }
}

/** The engine went away, or stood still, before it had answered. What was asked may be asked again: it counts once. */
export class EngineLostError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_LOST';

  constructor(reason: string, options?: ErrorOptions) {
    super(`The engine did not answer to the end: ${reason}`, {
      ...options,
      retryable: true,
      effect: 'unknown',
    });
  }
}
