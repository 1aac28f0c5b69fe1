import type { ActivityResult } from '../durable/durable-context.ts';

/** All that reaches a workflow comes by one topic, in one order, so that a wait can be for any of it. */
export const MAIL_TOPIC = 'buddy';

/** JSON. */
export type Mail =
  | { kind: 'signal'; topic: string; key: string; value: unknown }
  | { kind: 'cancel'; reason: string }
  /** A call that was made elsewhere has an answer. */
  | { kind: 'answer'; key: string; result: ActivityResult<unknown> }
  /** A provider's rate limit lets a call begin. */
  | { kind: 'permit'; key: string };
