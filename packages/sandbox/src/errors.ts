import { BuddyError, describeFailure, type FailureEffect } from '@buddy/core';
import type { GuestError, LimitReached, RunResult } from './run/result.ts';
import type { Violation } from './violations/violation.ts';

/** A child did not start, or could not be kept within its limits while starting. */
export class SandboxStartError extends BuddyError {
  readonly code = 'SANDBOX_START_FAILED';
}

/** The sandbox was disposed of; make a new one. */
export class SandboxClosedError extends BuddyError {
  readonly code = 'SANDBOX_CLOSED';
}

/** A tool that must not be handed to code as it is: tier 4 or none, tier 3 without a gate in front of it, or no whole tool. */
export class ToolRefusedError extends BuddyError {
  readonly code = 'SANDBOX_TOOL_REFUSED';
  readonly tools: readonly string[];

  constructor(message: string, tools: readonly string[]) {
    super(message);
    this.tools = tools;
  }
}

/** `osIsolation: 'require'` was asked for, and this host cannot give it. */
export class IsolationUnavailableError extends BuddyError {
  readonly code = 'SANDBOX_ISOLATION_UNAVAILABLE';
}

/** A token of a paused run was changed, cut, made by another version, or saw other tools or modules than there are here. */
export class ResumeTokenError extends BuddyError {
  readonly code = 'SANDBOX_RESUME_TOKEN_INVALID';
}

/** What the host handed in is not plain data. */
export class NotPlainDataError extends BuddyError {
  readonly code = 'SANDBOX_NOT_PLAIN_DATA';
}

/** The log of violations could not be written. What the run did, it did: its result is kept here. */
export class ViolationLogError extends BuddyError {
  readonly code = 'SANDBOX_VIOLATION_LOG_FAILED';
  readonly executionId: string;
  /** Undefined when the run was aborted. */
  readonly result: RunResult | undefined;

  constructor(executionId: string, result: RunResult | undefined, cause: unknown) {
    const why = describeFailure(cause).message;
    super(`Violations of run ${executionId} could not be logged: ${why}`, {
      cause,
      effect: 'unknown',
    });
    this.executionId = executionId;
    this.result = result;
  }
}

/** A module on the allow-list that is unknown, or whose source cannot be used. */
export class InvalidModuleError extends BuddyError {
  readonly code = 'SANDBOX_MODULE_INVALID';
}

/** A program threw, or its value is none that can be handed out. From the tool that runs programs; `run` returns it. */
export class ProgramFailedError extends BuddyError {
  readonly code = 'SANDBOX_PROGRAM_FAILED';
  readonly error: GuestError;

  constructor(error: GuestError, effect: FailureEffect) {
    const { name, message, line, hint } = error;
    const place = line === null ? '' : ` (line ${line})`;
    super(`${name}: ${message}${place}${hint === '' ? '' : ` ${hint}`}`, { effect });
    this.error = error;
  }
}

/** A program was stopped for what it tried. From the tool that runs programs; `run` returns it. */
export class ProgramViolationError extends BuddyError {
  readonly code = 'SANDBOX_PROGRAM_VIOLATION';
  readonly violation: Violation;

  constructor(violation: Violation, effect: FailureEffect) {
    const { type, details, line } = violation;
    super(`${type}: ${details}${line === null ? '' : ` (line ${line})`}`, { effect });
    this.violation = violation;
  }
}

/** A program was stopped at a limit. From the tool that runs programs; `run` returns it. */
export class ProgramLimitError extends BuddyError {
  readonly code = 'SANDBOX_PROGRAM_LIMIT';
  readonly limit: LimitReached;

  constructor(limit: LimitReached, message: string, effect: FailureEffect) {
    super(message, { effect });
    this.limit = limit;
  }
}
