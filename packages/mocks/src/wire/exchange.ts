import { type Clock, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { Provider } from '../errors.ts';
import { drawLatencyMs } from '../exchange/latency.ts';
import type { MockOptions } from '../exchange/options.ts';
import { type Fault, Faults } from '../faults/fault-rule.ts';
import { type FaultControl, FaultsInForce } from '../faults/faults-in-force.ts';
import type { CallRecord } from '../journal/entry.ts';
import { BoundedJournal, type Journal } from '../journal/journal.ts';
import { tellAnswer } from './answer-channel.ts';
import type { Answer, Delivery } from './delivery.ts';
import { EarlyRetries } from './early-retries.ts';
import { createMockFetch } from './fetch.ts';
import { createInProcessTransport } from './in-process-transport.ts';
import type { Json, WireRequest, WireResponse } from './message.ts';
import type { WireCall, WireProvider } from './provider.ts';
import type { Transport } from './transport.ts';
import {
  deliveryOf,
  faultOf,
  leavesDoubt,
  outcomeOf,
  retryAfterMsOf,
  type Trip,
  writtenOut,
} from './trip.ts';

/** What all mocks have in common, and what a server or MSW serves. */
export interface Mock {
  readonly provider: Provider;
  /**
   * Answers as the provider would, on the mock's clock.
   * @returns Rejects with a `TypeError` when the connection is lost, as `fetch` does, and with the reason of the request's signal.
   */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly journal: Journal;
  readonly faults: FaultControl;
  /**
   * Back to the beginning: no call made, faults drawn anew from the first, the rules that it was made with. Calls on their
   * way there are lost.
   */
  readonly reset: () => void;
  /** State, counts of calls, fault rules and the age of the mock, as plain data. Not in it: the journal, and who was told to wait. */
  readonly snapshot: () => Json;
  /** @throws {InvalidInputError} When it is no snapshot of such a mock; everything is then as it was. Otherwise calls on their way there are lost. */
  readonly restore: (snapshot: unknown) => void;
}

/** A mock before it has a client. */
export interface WireExchange extends Mock {
  /** For a client in this process. */
  readonly transport: Transport;
}

/**
 * The way from a caller to a provider's state and back: the only place where time passes, faults strike, calls are
 * counted and the journal is written.
 * @throws {FaultRulesError} When the fault rules do not fit the provider.
 */
export function createWireExchange(
  provider: WireProvider,
  options: MockOptions,
  clock: Clock,
): WireExchange {
  const exchange = new Exchange(provider, options, clock);
  const deliver: Deliver = (sent, signal) => exchange.deliver(sent, signal);
  return {
    provider: provider.name,
    transport: createInProcessTransport(deliver, clock),
    fetch: createMockFetch(deliver, clock),
    journal: exchange.journal,
    faults: exchange.faults,
    reset: () => exchange.reset(),
    snapshot: () => exchange.snapshot(),
    restore: (snapshot) => exchange.restore(snapshot),
  };
}

/** A request, and its body as it came over the wire. */
export interface Sent {
  readonly request: WireRequest;
  readonly text: string | undefined;
}

/** Brings a request to the provider and its answer back; rejects with the reason of the signal. */
export type Deliver = (sent: Sent, signal: AbortSignal | undefined) => Promise<Delivery>;

const UNKNOWN_OPERATION = 'unknown';
const HANG_CAP_MS = 60_000;

const Snapshot = z.strictObject({
  provider: z.string(),
  calls: z.record(z.string(), z.int().nonnegative()),
  faults: Faults,
  /** How long ago the mock began, for windows of faults. */
  sinceMs: z.number(),
  state: z.unknown(),
});

class Exchange {
  readonly #provider: WireProvider;
  readonly #options: MockOptions;
  readonly #clock: Clock;
  readonly journal: BoundedJournal;
  readonly faults: FaultsInForce;
  readonly #calls = new Map<string, number>();
  readonly #earlyRetries = new EarlyRetries();
  #startedAt: number;
  #resets = 0;
  /** How often the state was replaced, by a reset or by a snapshot. */
  #states = 0;
  #inFlight = 0;

  constructor(provider: WireProvider, options: MockOptions, clock: Clock) {
    this.#provider = provider;
    this.#options = options;
    this.#clock = clock;
    this.journal = new BoundedJournal(options.journalSize, [
      ...Object.keys(provider.operations),
      UNKNOWN_OPERATION,
    ]);
    this.faults = new FaultsInForce(provider, options.seed, options.faults);
    this.#startedAt = clock.now();
  }

  reset(): void {
    this.#provider.reset();
    this.#forgetCalls();
    this.journal.clear();
    this.faults.use(this.#options.faults);
    this.#startedAt = this.#clock.now();
    this.#resets += 1;
  }

  snapshot(): Json {
    const { inForce } = this.faults;
    const faults: unknown = typeof inForce === 'string' ? inForce : [...inForce];
    return {
      provider: this.#provider.name,
      calls: Object.fromEntries(this.#calls),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked to be JSON when it came in
      faults: faults as Json,
      sinceMs: this.#clock.now() - this.#startedAt,
      state: this.#provider.snapshot(),
    };
  }

  restore(snapshot: unknown): void {
    const ours = Snapshot.extend({ provider: z.literal(this.#provider.name) });
    const { calls, faults, sinceMs, state } = parseOrThrow(
      ours,
      snapshot,
      `snapshot of a ${this.#provider.name} mock`,
    );
    const before = this.faults.inForce;
    this.faults.use(faults);
    try {
      this.#provider.restore(state);
    } catch (error) {
      this.faults.use(before);
      throw error;
    }
    this.#forgetCalls();
    for (const [operation, n] of Object.entries(calls)) this.#calls.set(operation, n);
    this.#startedAt = this.#clock.now() - sinceMs;
  }

  async deliver(sent: Sent, signal: AbortSignal | undefined): Promise<Delivery> {
    signal?.throwIfAborted();
    const trip = this.#depart(sent, signal);
    try {
      const delivery = await this.#travel(trip);
      this.#note(trip, outcomeOf(delivery));
      return delivery;
    } catch (error) {
      this.#note(trip, signal?.aborted ? 'aborted' : 'crashed');
      throw error;
    } finally {
      if (trip.hasArrived && this.#isOfThisState(trip)) this.#inFlight -= 1;
    }
  }

  #depart(sent: Sent, signal: AbortSignal | undefined): Trip {
    const operation = this.#provider.operationOf(sent.request) ?? UNKNOWN_OPERATION;
    const n = (this.#calls.get(operation) ?? 0) + 1;
    this.#calls.set(operation, n);
    const startedAt = this.#clock.now();
    const drawn = this.faults.plan.draw(operation, n, startedAt - this.#startedAt);
    const earlyMs = this.#earlyRetries.waitOf(operation, sent, startedAt);
    const fault: Fault | undefined =
      earlyMs > 0
        ? { kind: 'status', status: 429, retryAfterMs: earlyMs }
        : drawn && faultOf(drawn);
    return {
      sent,
      operation,
      n,
      requestId: `${this.#provider.name}-${operation}-${n}`,
      signal,
      startedAt,
      legMs: Math.round(this.#latencyMs(operation, n) / 2),
      fault,
      isEarlyRetry: earlyMs > 0,
      resets: this.#resets,
      states: this.#states,
      hasArrived: false,
      isCarriedOut: false,
      changes: [],
      answer: undefined,
    };
  }

  #latencyMs(operation: string, n: number): number {
    const { seed, latency } = this.#options;
    const { name, operations } = this.#provider;
    const own = operations[operation]?.latency;
    if (latency === 'none' || own === undefined) return 0;
    return drawLatencyMs(latency === 'typical' ? own : latency, [seed, name, operation, n]);
  }

  async #travel(trip: Trip): Promise<Delivery> {
    const { fault, legMs } = trip;
    await this.#sleep(legMs + (fault?.kind === 'latency' ? fault.addMs : 0), trip);
    // What it was sent to is no more, as when a server is started anew.
    if (!this.#isOfThisState(trip)) return { kind: 'lost' };
    trip.hasArrived = true;
    this.#inFlight += 1;
    if (fault?.kind === 'hang') {
      await this.#sleep(fault.capMs ?? HANG_CAP_MS, trip);
      return { kind: 'lost' };
    }
    const answer = this.#visit(trip);
    await this.#sleep(legMs, trip);
    return deliveryOf(answer, fault);
  }

  #isOfThisState({ states }: Trip): boolean {
    return states === this.#states;
  }

  async #sleep(ms: number, { signal }: Trip): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, signal);
  }

  /** What the provider answers; undefined when the connection is lost instead. */
  #visit(trip: Trip): Answer | undefined {
    const { fault, operation, n } = trip;
    switch (fault?.kind) {
      case undefined:
      case 'latency':
      case 'truncate':
      case 'slowBody':
      case 'staleRead':
      case 'hang': // it never gets here
        return this.#handle(trip);
      case 'reset':
        return undefined;
      case 'commitThenFail':
        this.#handle(trip);
        return fault.status === undefined ? undefined : this.#refuse(trip, fault.status);
      case 'status':
        if (leavesDoubt(fault.status) && this.faults.plan.isCommitted(operation, n))
          this.#handle(trip);
        return this.#refuse(trip, fault.status, retryAfterMsOf(fault));
    }
  }

  #handle(trip: Trip): Answer {
    const answer = this.#provider.handle(trip.sent.request, this.#callOf(trip));
    trip.isCarriedOut = answer.status < 400;
    trip.changes = answer.changes ?? [];
    return this.#give(answer, trip);
  }

  #refuse(trip: Trip, status: number, retryAfterMs?: number): Answer {
    const refusal = { status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    const call = this.#callOf(trip);
    const answer = this.#provider.refuse(refusal, trip.sent.request, call);
    if (
      retryAfterMs !== undefined &&
      !trip.isEarlyRetry &&
      this.#options.earlyRetries === 'throttled'
    ) {
      this.#earlyRetries.forbid(trip.operation, trip.sent, call.at, retryAfterMs);
    }
    return this.#give(answer, trip);
  }

  #give(answer: WireResponse, trip: Trip): Answer {
    trip.answer = writtenOut(answer);
    const { request } = trip.sent;
    tellAnswer({ provider: this.#provider.name, request, answer: trip.answer });
    return trip.answer;
  }

  #callOf({ operation, n, requestId, fault }: Trip): WireCall {
    return {
      provider: this.#provider.name,
      operation,
      n,
      requestId,
      at: this.#clock.now(),
      inFlight: this.#inFlight,
      isStale: fault?.kind === 'staleRead',
      areLimitsEnforced: this.faults.areLimitsEnforced,
    };
  }

  #note(trip: Trip, outcome: CallRecord['outcome']): void {
    if (trip.resets !== this.#resets) return; // its journal was cleared
    const { sent, operation, n, requestId, startedAt, fault, isCarriedOut, changes, answer } = trip;
    const { method, origin, path, query, headers } = sent.request;
    this.journal.add({
      provider: this.#provider.name,
      operation,
      n,
      requestId,
      startedAt,
      endedAt: this.#clock.now(),
      outcome,
      isCarriedOut,
      request: { method, origin, path, query: query.toString(), headers, text: sent.text },
      ...(answer && { response: answer }),
      ...(fault && { fault }),
      ...(trip.isEarlyRetry && { isEarlyRetry: true }),
      changes,
    });
  }

  #forgetCalls(): void {
    this.#calls.clear();
    this.#earlyRetries.clear();
    this.#inFlight = 0;
    this.#states += 1;
  }
}
