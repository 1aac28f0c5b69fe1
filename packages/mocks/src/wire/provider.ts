import type { CallIdentity, Provider } from '../errors.ts';
import type { LatencyDistribution } from '../exchange/latency.ts';
import type { Json, WireRequest, WireResponse } from './message.ts';

/** What has to be known of an operation to let its calls take time and go wrong. */
export interface OperationTraits {
  /** Whether it changes anything at the provider: then a lost answer leaves its effect unknown. */
  readonly isWrite: boolean;
  readonly latency: LatencyDistribution;
}

/** A call at the moment it reaches the provider's state. */
export interface WireCall extends CallIdentity {
  /** The how many-th call of its operation it is, from 1. */
  readonly n: number;
  /** Ms since the epoch, on the mock's clock. */
  readonly at: number;
  /** How many calls are between their arrival and their answer at this provider, this one included. */
  readonly inFlight: number;
  /** A read that is to miss the latest write, as a replica that lags would. */
  readonly isStale: boolean;
  /** Whether calls beyond the provider's own rate limits are refused; they are counted in any case. */
  readonly areLimitsEnforced: boolean;
}

/** One thing that a call did to a provider's state. */
export interface StateChange {
  readonly kind: 'created' | 'updated' | 'deleted';
  /** Such as `contact`. */
  readonly what: string;
  readonly id: string;
}

/** What a provider answers, and what it did, for the journal. */
export interface WireAnswer extends WireResponse {
  readonly changes?: readonly StateChange[];
}

/** What a provider is told to answer in place of what it would have. */
export interface Refusal {
  readonly status: number;
  /** For a 429 and a 503. */
  readonly retryAfterMs?: number;
}

/**
 * A provider's state and rules, and nothing else: no clock, no chance, no waiting, no socket. Everything that speaks for a
 * mock goes through one of these, so there is one truth about what the provider answers.
 */
export interface WireProvider {
  readonly name: Provider;
  /** By name: `contacts.create`. */
  readonly operations: Readonly<Record<string, OperationTraits>>;
  /** Which operation a request asks for; undefined when the provider has no such route, which `handle` then says. */
  operationOf(request: WireRequest): string | undefined;
  /** Answers, for better or worse. It never throws because of what was sent. */
  handle(request: WireRequest, call: WireCall): WireAnswer;
  /** An error the provider would word itself, for a fault that is put in place of the answer. */
  refuse(refusal: Refusal, request: WireRequest, call: WireCall): WireResponse;
  /** All state, as data that `restore` takes back. */
  snapshot(): Json;
  /** @throws {InvalidInputError} When the snapshot is not one of this provider's; the state is as it was. */
  restore(snapshot: unknown): void;
  /** Back to the state at the beginning. */
  reset(): void;
}
