import { BuddyError } from '@buddy/core';

/** Another supervisor has this registry. */
export class SupervisorRunningError extends BuddyError {
  readonly code = 'BOTS_SUPERVISOR_RUNNING';
  readonly registryFile: string;

  constructor(registryFile: string) {
    super(`A supervisor of ${registryFile} is running already; only one at a time may be.`);
    this.registryFile = registryFile;
  }
}

/** Nobody supervises the bots of this registry, so nobody can be asked. */
export class NoSupervisorError extends BuddyError {
  readonly code = 'BOTS_NO_SUPERVISOR';
  readonly registryFile: string;

  constructor(registryFile: string, options?: ErrorOptions) {
    super(`No supervisor of ${registryFile} is running; start one first.`, {
      ...options,
      retryable: true,
    });
    this.registryFile = registryFile;
  }
}

/** The supervisor refused or could not do what it was asked; `remoteCode` is the code of its own error. */
export class ControlFailedError extends BuddyError {
  readonly code = 'BOTS_CONTROL_FAILED';
  readonly remoteCode: string;

  constructor(remoteCode: string, message: string) {
    super(message, { effect: 'unknown' });
    this.remoteCode = remoteCode;
  }
}

/** The supervisor went away before it had answered. */
export class ControlLostError extends BuddyError {
  readonly code = 'BOTS_CONTROL_LOST';

  constructor(reason: string, options?: ErrorOptions) {
    super(`The supervisor did not answer to the end: ${reason}`, { ...options, effect: 'unknown' });
  }
}
