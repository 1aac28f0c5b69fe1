import { BuddyError, describeFailure } from '@buddy/core';

/** An output was asked for something that it never does: a bad path, two ways of writing one file, a use after `close`. */
export class OutputMisuseError extends BuddyError {
  readonly code = 'AGENTS_OUTPUT_MISUSE';
}

/** Something could not be written: the disk is full, the folder is gone, permission is missing. `cause` is the system's error. */
export class OutputFailedError extends BuddyError {
  readonly code = 'AGENTS_OUTPUT_FAILED';
  /** As the caller named it, or the folder itself. */
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`Cannot write ${path}: ${describeFailure(cause).message}`, { cause, effect: 'unknown' });
    this.path = path;
  }
}

/** A folder that was to be a run's output holds something else already. */
export class OutputFolderTakenError extends BuddyError {
  readonly code = 'AGENTS_OUTPUT_FOLDER_TAKEN';
  readonly folder: string;

  constructor(folder: string, message: string) {
    super(message);
    this.folder = folder;
  }
}
