import { type Clock, median, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { createLagMeter, type LagMeter } from '../../probes/lag-meter.ts';
import { applicationProbe } from '../../probes/layers/application.ts';
import { takeSample } from '../../probes/sampler.ts';
import type { EndpointAdapter, PathMeasure } from '../../resource/adapters.ts';
import type { Reading } from '../../resource/reading.ts';

export const HttpEndpointOptions = z.strictObject({
  /** Ways to the same thing, by name; the first is the one in use. */
  paths: z
    .record(z.string().min(1), z.url())
    .refine((paths) => Object.keys(paths).length > 0, 'at least one path'),
  /** What a request takes in good times, in ms, by path. */
  baselineMs: z.record(z.string(), z.number().positive()).default({}),
  /** Requests for one measure. */
  samples: z.int().positive().default(3),
  timeoutMs: z.number().positive().default(2_000),
  /** Requests that may be under way at once; for those who ask `concurrencyLimit`. */
  concurrency: z.int().positive().default(16),
});
export type HttpEndpointInput = z.input<typeof HttpEndpointOptions>;

/** Slower than five times the usual and 20 ms more is degraded; so is every third request lost. */
const SLOW_FACTOR = 5;
const SLOW_MS = 20;
const LOST_SHARE = 1 / 3;

export interface HttpEndpoint extends EndpointAdapter {
  /** Where to send the next request. */
  currentUrl(): string;
}

/**
 * Something remote over HTTP that can be reached by more than one way. Ask `currentUrl` for each request, and it goes the way
 * that works.
 * @throws {InvalidInputError} When the options are not usable.
 */
export function createHttpEndpoint(
  input: HttpEndpointInput,
  { clock = systemClock, lag = createLagMeter(clock) }: { clock?: Clock; lag?: LagMeter } = {},
): HttpEndpoint {
  const options = parseOrThrow(HttpEndpointOptions, input, 'an HTTP endpoint');
  const { paths, samples, timeoutMs } = options;
  const baselines = new Map(Object.entries(options.baselineMs));
  const names = Object.keys(paths);
  let current = names[0] ?? '';
  let concurrency = options.concurrency;
  const urlOf = (path: string): string => {
    const url = paths[path];
    if (url === undefined) throw new GuardianMisuseError(`There is no path "${path}".`);
    return url;
  };
  const measure = async (path: string, signal: AbortSignal): Promise<PathMeasure> => {
    const probe = applicationProbe({ url: urlOf(path), now: () => clock.now() });
    const answered: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const request = {
        name: path,
        timeoutMs,
        signal,
        look: (own: AbortSignal) => probe.look(own),
      };
      const { status, latencyMs } = await takeSample({ clock, lag }, request);
      if (status === 'HEALTHY') answered.push(latencyMs);
    }
    const lostShare = 1 - answered.length / samples;
    return { path, medianMs: answered.length === 0 ? undefined : median(answered), lostShare };
  };
  const judge = ({ path, medianMs, lostShare }: PathMeasure): Reading => {
    if (medianMs === undefined) {
      const note = `nothing comes back by ${path}`;
      return { status: 'FAILED', signal: 'network.silent', certainty: 'ambiguous', note };
    }
    const baseline = baselines.get(path);
    if (baseline === undefined) baselines.set(path, medianMs);
    const limit = (baseline ?? medianMs) * SLOW_FACTOR + SLOW_MS;
    if (medianMs <= limit && lostShare < LOST_SHARE) return { status: 'HEALTHY' };
    const note = `${path} takes ${Math.round(medianMs)} ms, ${Math.round(limit)} at most; ${Math.round(lostShare * 100)} % lost`;
    return { status: 'DEGRADED', signal: 'network.degraded', note };
  };
  return {
    kind: 'endpoint',
    paths: () => names,
    currentPath: () => current,
    currentUrl: () => urlOf(current),
    baselineMs: (path) => baselines.get(path),
    concurrencyLimit: () => concurrency,
    measure,
    probe: async (signal) => judge(await measure(current, signal)),
    usePath: async (path) => {
      urlOf(path);
      current = path;
    },
    resetConnections: async () => undefined, // none are kept: each request has one of its own
    limitConcurrency: async (most) => {
      concurrency = most;
    },
  };
}
