import { type Clock, describeFailure } from '@buddy/core';
import type { Reading } from '../resource/reading.ts';
import type { LagMeter } from './lag-meter.ts';
import { TimeLimits } from './time-limits.ts';

/** A reading, and when and how fast it was taken. */
export type Sample = Reading & {
  /** Ms since the epoch. */
  readonly at: number;
  readonly latencyMs: number;
};

export interface SampleRequest {
  /** What is looked at, for messages. */
  name: string;
  timeoutMs: number;
  signal: AbortSignal;
  look: (signal: AbortSignal) => Promise<Reading>;
  /** What silence means. Default: FAILED, and ambiguous. */
  silence?: Reading;
}

export interface SamplerPorts {
  clock: Clock;
  lag: LagMeter;
}

/** Of each clock. */
const timeLimits = new WeakMap<Clock, TimeLimits>();

function timeLimitsOf(clock: Clock): TimeLimits {
  const known = timeLimits.get(clock) ?? new TimeLimits(clock);
  timeLimits.set(clock, known);
  return known;
}

/** Above this share of the time that a probe has, our own lateness may be all that it saw. */
const TOLERATED_LAG_SHARE = 0.25;

/**
 * Takes one reading, in its time. Silence is FAILED, and ambiguous; a probe that throws is UNKNOWN, for it says nothing of
 * what it looked at; and silence while our own event loop stood still is looked at once more, then UNKNOWN.
 * @throws The reason of `signal`, when it is aborted.
 */
export async function takeSample(ports: SamplerPorts, request: SampleRequest): Promise<Sample> {
  const first = await lookOnce(ports, request);
  if (!isOurFault(first, request)) return first.sample;
  const second = await lookOnce(ports, request);
  if (!isOurFault(second, request)) return second.sample;
  const { at, latencyMs } = second.sample;
  const note = `our own event loop was ${Math.round(second.lagMs)} ms late`;
  return { status: 'UNKNOWN', reason: 'self_lag', note, at, latencyMs };
}

interface Look {
  sample: Sample;
  lagMs: number;
  isTimeout: boolean;
}

function isOurFault({ isTimeout, lagMs }: Look, { timeoutMs }: SampleRequest): boolean {
  return isTimeout && lagMs > timeoutMs * TOLERATED_LAG_SHARE;
}

async function lookOnce(
  { clock, lag }: SamplerPorts,
  { name, timeoutMs, signal, look, silence }: SampleRequest,
): Promise<Look> {
  signal.throwIfAborted();
  const at = clock.now();
  const startedAt = clock.monotonic();
  const endLag = lag.begin();
  const own = new AbortController();
  const ended = Promise.withResolvers<Reading>();
  const abort = () => {
    own.abort(signal.reason);
    ended.reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  let isTimeout = false;
  const note = `no answer within ${timeoutMs} ms`;
  const nothing: Reading = silence ?? {
    status: 'FAILED',
    signal: 'probe.timeout',
    certainty: 'ambiguous',
    note,
  };
  const unset = timeLimitsOf(clock).set(timeoutMs, () => {
    isTimeout = true;
    ended.resolve(nothing);
    own.abort(new Error(`${name} was given up after ${timeoutMs} ms`));
  });
  // An async function, for a probe may also throw at once.
  const looking = (async () => look(own.signal))().catch((thrown: unknown): Reading => {
    if (isTimeout) return nothing; // it was aborted for its silence
    return { status: 'UNKNOWN', reason: 'probe_error', note: describeFailure(thrown).message };
  });
  let lagMs = 0;
  try {
    const reading = await Promise.race([looking, ended.promise]);
    lagMs = endLag();
    const latencyMs = clock.monotonic() - startedAt;
    return { sample: { ...reading, at, latencyMs }, lagMs, isTimeout };
  } catch (error) {
    endLag();
    throw error;
  } finally {
    unset();
    signal.removeEventListener('abort', abort);
  }
}
