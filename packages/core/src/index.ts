export type { Clock } from './clock/clock.ts';
export { ManualClock } from './clock/manual-clock.ts';
export { systemClock } from './clock/system-clock.ts';
export {
  BuddyError,
  type BuddyErrorOptions,
  describeFailure,
  type FailureDescription,
  type FailureEffect,
} from './errors.ts';
export { countingId, type NewId, randomId } from './ids.ts';
export { InvalidInputError, parseOrThrow } from './parse.ts';
export { keyedDraw, type Random, seededRandom, systemRandom } from './random/random.ts';
export type { Action, Actor, Decision, Tier } from './tool/action.ts';
export {
  ApprovalRequiredError,
  ToolDeniedError,
  ToolInputError,
  ToolOutputError,
} from './tool/errors.ts';
export { isGoverned, markGoverned } from './tool/governance-mark.ts';
export {
  defineTool,
  type Reconciliation,
  type Tool,
  type ToolContext,
  type ToolDefinition,
  type ToolEffect,
  toolContext,
} from './tool/tool.ts';
