import { BuddyError, type FailureDescription } from '@buddy/core';

/** A workflow name, id or registration that the engine does not know or already has. */
export class EngineMisuseError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_MISUSE';
}

/** A run, or a part of its machinery, ended by an error of its own (not of a task). */
export class RunFailedError extends BuddyError {
  readonly code = 'AGENTS_RUN_FAILED';
  readonly failure: FailureDescription;

  constructor(failure: FailureDescription, options?: ErrorOptions) {
    // It passes through each workflow above the one that failed: say it once.
    const isSaid = failure.code === 'AGENTS_RUN_FAILED';
    super(isSaid ? failure.message : `The run failed: ${failure.message}`, options);
    this.failure = failure;
  }
}

/** Tools that a runner will not call: tier 4 ones, and ungoverned ones of tier 3. */
export class ToolRefusedError extends BuddyError {
  readonly code = 'AGENTS_TOOL_REFUSED';
  readonly tools: readonly string[];

  constructor(tools: readonly string[], message: string) {
    super(message);
    this.tools = tools;
  }
}

/** A predictions folder or stream that cannot be used at all. */
export class PredictionsUnreadableError extends BuddyError {
  readonly code = 'AGENTS_PREDICTIONS_UNREADABLE';
}

/** Something was asked of a harness, manager or executor that it cannot do now. */
export class HarnessMisuseError extends BuddyError {
  readonly code = 'AGENTS_HARNESS_MISUSE';
}
