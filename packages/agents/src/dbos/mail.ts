/** All that reaches a workflow comes by one topic, in one order, so that a wait can be for any of it. */
export const MAIL_TOPIC = 'buddy';

/** JSON. */
export type Mail =
  | { kind: 'signal'; topic: string; key: string; value: unknown }
  | { kind: 'cancel'; reason: string }
  /** The wait of this key has taken as long as it was meant to, whatever the clock on the wall says. */
  | { kind: 'due'; key: string }
  /** A provider's rate limit lets a call begin. */
  | { kind: 'permit'; key: string };
