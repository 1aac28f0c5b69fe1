import { BuddyError } from '@buddy/core';
import type { BotStatus } from '../bot/status.ts';

/** Bots wait for each other in a circle. */
export class DependencyCycleError extends BuddyError {
  readonly code = 'BOTS_DEPENDENCY_CYCLE';
  /** From a bot back to itself. */
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    super(`Bots depend on each other in a circle: ${path.join(' -> ')}`);
    this.path = path;
  }
}

/** A bot depends on one that there is not. */
export class UnknownDependencyError extends BuddyError {
  readonly code = 'BOTS_UNKNOWN_DEPENDENCY';
  /** From the bot that was to start to the one that is missing. */
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    super(`${path.at(-1)} is not registered: ${path.join(' -> ')}`);
    this.path = path;
  }
}

/** A bot did not get ready, and will not be started again by itself; what it wrote is in its logs. */
export class BotNotStartedError extends BuddyError {
  readonly code = 'BOTS_NOT_STARTED';
  readonly botId: string;
  /** What it is now. */
  readonly status: BotStatus;

  constructor(botId: string, status: BotStatus, reason: string, options?: ErrorOptions) {
    super(`${botId} was not started and is ${status}: ${reason}`, options);
    this.botId = botId;
    this.status = status;
  }
}

/** The supervisor is closed: it starts and stops nothing any more. */
export class SupervisorClosedError extends BuddyError {
  readonly code = 'BOTS_SUPERVISOR_CLOSED';

  constructor() {
    super('The supervisor is closed.');
  }
}
