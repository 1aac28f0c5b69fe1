import type { LookupFunction } from 'node:net';
import { type Clock, median } from '@buddy/core';
import type { LagMeter } from '../../probes/lag-meter.ts';
import { applicationProbe } from '../../probes/layers/application.ts';
import { failed, unknown } from '../../probes/layers/layer.ts';
import { networkProbe } from '../../probes/layers/network.ts';
import { type Sample, takeSample } from '../../probes/sampler.ts';
import type { PathMeasure } from '../../resource/adapters/network.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { Reading } from '../../resource/reading.ts';
import type { HttpEndpointOptions } from './endpoint-options.ts';
import type { HttpWay } from './http-client.ts';

/** Slower than five times the usual and 20 ms more is degraded; so is every third request lost. */
const SLOW_FACTOR = 5;
const SLOW_MS = 20;
const LOST_SHARE = 1 / 3;

/** What is told under its own name when nothing comes back; every other failure is `network.silent`. */
const TOLD_AS_IS: ReadonlySet<string> = new Set([
  'network.unreachable',
  'api.timeout',
  'http.429',
  'dns.failed',
]);

interface PathLooksPorts {
  clock: Clock;
  lag: LagMeter;
  lookup: LookupFunction | undefined;
  wayOf: (path: string) => HttpWay;
}

/** Looks at the ways to an endpoint, each by connections of its own. */
export class PathLooks {
  readonly #options: HttpEndpointOptions;
  readonly #ports: PathLooksPorts;
  readonly #baselines: Map<string, number>;

  constructor(options: HttpEndpointOptions, ports: PathLooksPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#baselines = new Map(Object.entries(options.baselineMs));
  }

  baselineMs(path: string): number | undefined {
    return this.#baselines.get(path);
  }

  exchange(path: string, signal: AbortSignal): Promise<Sample> {
    const { clock, wayOf } = this.#ports;
    const { ca, timeoutMs } = this.#options;
    const probe = applicationProbe({
      url: wayOf(path).url,
      now: () => clock.now(),
      ...(ca !== undefined && { ca }),
      ...this.#connection(path),
    });
    const silence = failed('api.timeout', 'ambiguous', `${path} says nothing for ${timeoutMs} ms`);
    return this.#sample(path, signal, (own) => probe.look(own), silence);
  }

  reach(path: string, signal: AbortSignal): Promise<Sample> {
    const { hostname, port, protocol } = new URL(this.#ports.wayOf(path).url);
    const probe = networkProbe({
      host: hostname.replace(/^\[|\]$/g, ''), // an IPv6 address comes in brackets
      closedPort: Number(port || (protocol === 'https:' ? 443 : 80)),
      ...this.#connection(path),
    });
    const silence = unknown('filtered', `${hostname} is silent, which a filter is too`);
    return this.#sample(path, signal, (own) => probe.look(own), silence);
  }

  async measure(path: string, signal: AbortSignal): Promise<PathMeasure> {
    const { samples } = this.#options;
    const takes = Array.from({ length: samples }, () => this.exchange(path, signal));
    const taken = await Promise.all(takes);
    const answered = taken.filter(({ status }) => status === 'HEALTHY');
    const failure = taken.findLast((one): one is Sample & Sign => one.status === 'FAILED');
    return {
      path,
      medianMs:
        answered.length === 0 ? undefined : median(answered.map(({ latencyMs }) => latencyMs)),
      lostShare: 1 - answered.length / samples,
      ...(failure && { failure: signOf(failure) }),
    };
  }

  judge({ path, medianMs, lostShare, failure }: PathMeasure): Reading {
    if (medianMs === undefined) {
      if (failure && TOLD_AS_IS.has(failure.signal)) return failure;
      const note = `nothing comes back by ${path}${failure ? `: ${failure.note}` : ''}`;
      return failed('network.silent', 'ambiguous', note);
    }
    const baseline = this.#baselines.get(path);
    if (baseline === undefined) this.#baselines.set(path, medianMs);
    const limit = (baseline ?? medianMs) * SLOW_FACTOR + SLOW_MS;
    if (medianMs <= limit && lostShare < LOST_SHARE) return { status: 'HEALTHY' };
    const note = `${path} takes ${Math.round(medianMs)} ms, ${Math.round(limit)} at most; ${Math.round(lostShare * 100)} % lost`;
    return { status: 'DEGRADED', signal: 'network.degraded', note };
  }

  #connection(path: string): { lookup?: LookupFunction; localAddress?: string } {
    const { lookup, wayOf } = this.#ports;
    const { localAddress } = wayOf(path);
    return { ...(lookup && { lookup }), ...(localAddress !== undefined && { localAddress }) };
  }

  #sample(
    name: string,
    signal: AbortSignal,
    look: (own: AbortSignal) => Promise<Reading>,
    silence: Reading,
  ): Promise<Sample> {
    const { clock, lag } = this.#ports;
    const { timeoutMs } = this.#options;
    return takeSample({ clock, lag }, { name, timeoutMs, signal, look, silence });
  }
}

/** Without when and how fast it was seen. */
function signOf({ signal, certainty, note, data, conditions }: Sign): Sign {
  return {
    status: 'FAILED',
    signal,
    certainty,
    note,
    ...(data && { data }),
    ...(conditions && { conditions }),
  };
}
