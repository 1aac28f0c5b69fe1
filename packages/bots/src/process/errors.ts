import { BuddyError } from '@buddy/core';

/** A process could not be started; `cause` is the error of the system. */
export class LaunchError extends BuddyError {
  readonly code = 'BOTS_LAUNCH_FAILED';
  readonly command: string;
  /** Whether only somebody who changes the configuration can help: no such file, not executable, no such folder. */
  readonly isConfiguration: boolean;

  constructor(command: string, reason: string, isConfiguration: boolean, cause: unknown) {
    super(`Cannot start ${command}: ${reason}`, { cause, retryable: !isConfiguration });
    this.command = command;
    this.isConfiguration = isConfiguration;
  }
}

/** This system has no process groups, no SIGTERM and no way to find a tree: nothing would be left behind by chance only. */
export class UnsupportedPlatformError extends BuddyError {
  readonly code = 'BOTS_UNSUPPORTED_PLATFORM';
  readonly platform: string;

  constructor(platform: string) {
    super(`Bots cannot be supervised on ${platform}: use Linux, macOS, or WSL on Windows.`);
    this.platform = platform;
  }
}

/** A supervisor cannot watch over its bots' end, for its helper does not start. */
export class ReaperError extends BuddyError {
  readonly code = 'BOTS_REAPER_FAILED';
}
