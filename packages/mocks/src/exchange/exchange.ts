import type { Clock } from '@buddy/core';
import { type CallIdentity, type Provider, ProviderError } from '../errors.ts';
import { faultError, leavesDoubt } from '../faults/fault-error.ts';
import { planFaults } from '../faults/fault-plan.ts';
import type { FaultRule as AnyFaultRule } from '../faults/fault-rule.ts';

type FaultRule = Extract<AnyFaultRule, { kind: 'status' }>;
import type { CallOptions } from './call-options.ts';
import { BoundedJournal, type Journal, type JournalEntry } from './journal.ts';
import { drawLatencyMs, type LatencyDistribution } from './latency.ts';
import type { MockOptions } from './options.ts';

/** What a mock must know of an operation to let its calls take time and go wrong. */
export interface OperationTraits {
  /** Whether it changes anything at the provider: then a lost answer leaves its effect unknown. */
  isWrite: boolean;
  latency: LatencyDistribution;
}

/** A call at the moment it reaches the provider's state. */
export interface Call extends CallIdentity {
  /** The how many-th call of its operation it is, from 1. */
  n: number;
  /** Ms since the epoch. */
  at: number;
}

/**
 * The way from a caller to a provider's state and back: the only place where time passes, faults strike and the journal
 * is written. Whatever speaks for a mock, its typed client or its wire, goes through here.
 */
export interface Exchange<Operation extends string> {
  readonly journal: Journal;
  /**
   * Lets `act` happen to the provider's state, half of the latency after now, and answers after the other half.
   * @throws {ProviderError} What `act` throws, or a fault in its place.
   */
  call<T>(operation: Operation, options: CallOptions, act: (call: Call) => T): Promise<T>;
  /** Forgets what was called: the next call of each operation is its first again. */
  reset(): void;
}

export function createExchange<Operation extends string>(
  provider: Provider,
  operations: Readonly<Record<Operation, OperationTraits>>,
  { seed, faults, latency, journalSize }: MockOptions,
  clock: Clock,
): Exchange<Operation> {
  const faultPlan = planFaults(provider, Object.keys(operations), seed, faults);
  const journal = new BoundedJournal(journalSize);
  const calls = new Map<Operation, number>();

  const depart = (operation: Operation, { signal, idempotencyKey }: CallOptions): Trip => {
    const n = (calls.get(operation) ?? 0) + 1;
    calls.set(operation, n);
    return {
      operation,
      n,
      requestId: `${provider}-${operation}-${n}`,
      idempotencyKey,
      signal,
      startedAt: clock.now(),
      legMs: Math.round(latencyMs(operation, n) / 2),
      isWrite: operations[operation].isWrite,
      fault: statusFault(faultPlan.draw(operation, n, 0)),
      isCarriedOut: false,
    };
  };

  const latencyMs = (operation: Operation, n: number) => {
    if (latency === 'none') return 0;
    const distribution = latency === 'typical' ? operations[operation].latency : latency;
    return drawLatencyMs(distribution, [seed, provider, operation, n]);
  };

  const travel = async ({ legMs, signal }: Trip) => {
    if (legMs > 0) await clock.sleep(legMs, signal);
  };

  const visit = async <T>(trip: Trip, act: (call: Call) => T): Promise<T> => {
    const { operation, n, requestId, fault, isWrite } = trip;
    await travel(trip);
    const call: Call = { provider, operation, n, requestId, at: clock.now() };
    if (fault) {
      const isCommitted = leavesDoubt(fault) && faultPlan.isCommitted(operation, n);
      trip.isCarriedOut = isCommitted && attempt(act, call).ok;
      await travel(trip);
      throw faultError(fault, call, isWrite);
    }
    const result = attempt(act, call);
    trip.isCarriedOut = result.ok;
    await travel(trip);
    if (!result.ok) throw result.error;
    return result.value;
  };

  return {
    journal,
    reset: () => {
      calls.clear();
      journal.clear();
    },
    call: async (operation, options, act) => {
      options.signal?.throwIfAborted();
      const trip = depart(operation, options);
      try {
        const value = await visit(trip, act);
        journal.add(entryOf(trip, clock.now(), { outcome: 'answered' }));
        return value;
      } catch (error) {
        journal.add(entryOf(trip, clock.now(), outcomeOf(error, options.signal)));
        throw error;
      }
    },
  };
}

/** One call on its way to the provider's state and back. */
interface Trip {
  readonly operation: string;
  readonly n: number;
  readonly requestId: string;
  readonly idempotencyKey: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly startedAt: number;
  readonly legMs: number;
  readonly isWrite: boolean;
  readonly fault: FaultRule | undefined;
  isCarriedOut: boolean;
}

/** All that this exchange, which is about to go, can do. */
function statusFault(rule: AnyFaultRule | undefined): FaultRule | undefined {
  return rule?.kind === 'status' ? rule : undefined;
}

type Result<T> = { ok: true; value: T } | { ok: false; error: unknown };

/** Keeps what `act` throws: it is known at the provider now, and to the caller only when the answer arrives. */
function attempt<T>(act: (call: Call) => T, call: Call): Result<T> {
  try {
    return { ok: true, value: act(call) };
  } catch (error) {
    return { ok: false, error };
  }
}

type Ending = Pick<JournalEntry, 'outcome' | 'errorCode'>;

function outcomeOf(error: unknown, signal: AbortSignal | undefined): Ending {
  if (error instanceof ProviderError) return { outcome: 'refused', errorCode: error.code };
  return { outcome: signal?.aborted ? 'aborted' : 'crashed' };
}

function entryOf(trip: Trip, endedAt: number, ending: Ending): JournalEntry {
  const { operation, n, requestId, idempotencyKey, startedAt, isCarriedOut, fault } = trip;
  return {
    operation,
    n,
    requestId,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    startedAt,
    endedAt,
    ...ending,
    isCarriedOut,
    ...(fault && { fault: { kind: fault.kind, status: fault.status } }),
  };
}
