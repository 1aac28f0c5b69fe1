import type { Fault, FaultRule } from '../faults/fault-rule.ts';
import type { CallRecord } from '../journal/entry.ts';
import type { Answer, Delivery } from './delivery.ts';
import type { Sent } from './exchange.ts';
import type { WireResponse } from './message.ts';
import type { StateChange } from './provider.ts';

/** One call on its way to the provider's state and back. */
export interface Trip {
  readonly sent: Sent;
  readonly operation: string;
  readonly n: number;
  readonly requestId: string;
  readonly signal: AbortSignal | undefined;
  readonly startedAt: number;
  readonly legMs: number;
  readonly fault: Fault | undefined;
  readonly isEarlyRetry: boolean;
  /** How often the mock had been reset when the call began. */
  readonly resets: number;
  /** How often its state had been replaced, by a reset or by a snapshot. */
  readonly states: number;
  hasArrived: boolean;
  isCarriedOut: boolean;
  /** What it did to the provider's state. */
  changes: readonly StateChange[];
  /** The latest that was given; of two, the one that is sent. */
  answer: Answer | undefined;
}

const SLOW_BODY_MS = 5_000;
const DEFAULT_RETRY_AFTER_MS = 1_000;

/** Written at once: what the provider does to its state afterwards cannot change what it has answered. */
export function writtenOut({ status, headers, body }: WireResponse): Answer {
  if (body === undefined) return { status, headers, text: undefined };
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    text: JSON.stringify(body),
  };
}

export function deliveryOf(answer: Answer | undefined, fault: Fault | undefined): Delivery {
  if (answer === undefined) return { kind: 'lost' };
  const { text } = answer;
  if (fault?.kind === 'truncate') {
    // Without a body there is nothing to break off but the connection.
    return text === undefined
      ? { kind: 'lost' }
      : { kind: 'truncated', answer: { ...answer, text } };
  }
  const overMs = fault?.kind === 'slowBody' ? (fault.overMs ?? SLOW_BODY_MS) : 0;
  return { kind: 'whole', answer, overMs: text === undefined ? 0 : overMs };
}

export function outcomeOf(delivery: Delivery): CallRecord['outcome'] {
  if (delivery.kind !== 'whole') return 'lost';
  return delivery.answer.status < 400 ? 'answered' : 'refused';
}

/** Whether the caller cannot tell, from the answer, if the call was carried out. */
export function leavesDoubt(status: number): boolean {
  return status === 408 || status >= 500;
}

export function retryAfterMsOf({ status, retryAfterMs }: Extract<Fault, { kind: 'status' }>) {
  return retryAfterMs ?? (status === 429 ? DEFAULT_RETRY_AFTER_MS : undefined);
}

export function faultOf({ match: _match, when: _when, ...fault }: FaultRule): Fault {
  return fault;
}
