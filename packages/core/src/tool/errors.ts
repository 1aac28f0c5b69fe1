import { z } from 'zod';
import { BuddyError } from '../errors.ts';
import type { Decision } from './action.ts';

/** The input of a call does not fit the tool's schema; nothing was done. */
export class ToolInputError extends BuddyError {
  readonly code = 'CORE_TOOL_INPUT_INVALID';
  readonly tool: string;
  readonly issues: readonly z.core.$ZodIssue[];

  constructor(tool: string, error: z.ZodError) {
    super(`Input of ${tool} does not fit its schema:\n${z.prettifyError(error)}`, { cause: error });
    this.tool = tool;
    this.issues = error.issues;
  }
}

/** A tool did its work and answered something that does not fit its own schema. */
export class ToolOutputError extends BuddyError {
  readonly code = 'CORE_TOOL_OUTPUT_INVALID';
  readonly tool: string;
  readonly issues: readonly z.core.$ZodIssue[];

  constructor(tool: string, error: z.ZodError) {
    super(`${tool} was done, but its output does not fit its schema:\n${z.prettifyError(error)}`, {
      cause: error,
      effect: 'unknown',
    });
    this.tool = tool;
    this.issues = error.issues;
  }
}

/** The gate said no; nothing was done, and asking again changes nothing. */
export class ToolDeniedError extends BuddyError {
  readonly code = 'CORE_TOOL_DENIED';
  readonly tool: string;
  readonly decision: Decision;

  constructor(tool: string, decision: Decision, options?: ErrorOptions) {
    super(`${tool} is denied by ${decision.rule}: ${decision.explanation}`, options);
    this.tool = tool;
    this.decision = decision;
  }
}

/** A person has to agree first; the request is filed, nothing was done. Call again with the same idempotency key then. */
export class ApprovalRequiredError extends BuddyError {
  readonly code = 'CORE_APPROVAL_REQUIRED';
  readonly tool: string;
  readonly approvalId: string;

  constructor(tool: string, approvalId: string, options?: ErrorOptions) {
    super(`${tool} needs approval ${approvalId}`, options);
    this.tool = tool;
    this.approvalId = approvalId;
  }
}
