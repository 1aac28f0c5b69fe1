import { type Clock, createGuardedEmitter, parseOrThrow, systemClock } from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { z } from 'zod';
import { GuardianConfigError } from '../../errors.ts';
import type { Reading } from '../../resource/reading.ts';
import { ProbeHistory } from '../history.ts';
import { createLagMeter, type LagMeter } from '../lag-meter.ts';
import { type Sample, takeSample } from '../sampler.ts';
import { type Layer, type LayerProbe, LAYERS } from './layer.ts';

export const LayerProbesOptions = z.strictObject({
  /** Each layer has so long, in ms. */
  timeoutMs: z.number().positive().default(2_000),
  /** A negative control is believed for so long, in ms. */
  controlFreshMs: z.number().nonnegative().default(60_000),
  /** Below this share of layers that are known, `blind` is told. */
  leastCoverage: z.number().min(0).max(1).default(0.5),
});
export type LayerProbesInput = z.input<typeof LayerProbesOptions>;

export interface LayerSummary {
  /** The worst that is known; UNKNOWN when nothing is. */
  status: Reading['status'];
  /** Share of layers that are known, 0..1. */
  coverage: number;
  layers: Readonly<Partial<Record<Layer, Sample>>>;
}

export interface LayerProbesEvents {
  /** A layer was looked at. */
  sampled: [event: { at: number; layer: Layer; sample: Sample }];
  /** A layer is not what it was: the hook for alerts. */
  changed: [
    event: { at: number; layer: Layer; from: Reading['status'] | undefined; sample: Sample },
  ];
  /** Too little is known to say anything. Told once, until more is known again. */
  blind: [event: { at: number; coverage: number }];
}

export interface LayerProbes {
  readonly events: EventEmitter<LayerProbesEvents>;
  /** Looks at all layers at once. */
  probeAll(signal?: AbortSignal): Promise<LayerSummary>;
  /** Of the last looks. */
  summary(): LayerSummary;
  /** The last 100 samples of a layer, the oldest first, and the last 100 that were not good. */
  history(layer: Layer): { all: readonly Sample[]; bad: readonly Sample[] };
}

/**
 * Looks at layers 2 to 7, each HEALTHY, DEGRADED, FAILED or UNKNOWN with its latency.
 *
 * Good news is believed only while what must fail does fail (the layer's negative control); else it is UNKNOWN, intercepted.
 * @throws {GuardianConfigError} When two probes are for one layer.
 * @example
 * const layers = createLayerProbes({}, [dataLinkProbe(), transportProbe({ host: '127.0.0.1', port: 8080 })]);
 * (await layers.probeAll()).status; // 'HEALTHY'
 */
export function createLayerProbes(
  input: LayerProbesInput,
  probes: readonly LayerProbe[],
  { clock = systemClock, lag = createLagMeter(clock) }: { clock?: Clock; lag?: LagMeter } = {},
): LayerProbes {
  const options = parseOrThrow(LayerProbesOptions, input, 'options of createLayerProbes');
  const histories = new Map<Layer, ProbeHistory>();
  const controlled = new Map<Layer, { hasFailed: boolean; at: number }>();
  for (const { layer } of probes) {
    if (histories.has(layer)) throw new GuardianConfigError(`Two probes are for layer ${layer}.`);
    histories.set(layer, new ProbeHistory());
  }
  let isBlind = false;
  // A listener's error is its own: there is nobody here to tell it to.
  const { events, emit } = createGuardedEmitter<LayerProbesEvents>(() => undefined);

  const checkControl = async (
    { layer, control }: LayerProbe,
    signal: AbortSignal,
  ): Promise<boolean> => {
    if (!control) return true;
    const known = controlled.get(layer);
    if (known && clock.monotonic() - known.at < options.controlFreshMs) return known.hasFailed;
    const hasFailed = await control.hasFailed(signal);
    controlled.set(layer, { hasFailed, at: clock.monotonic() });
    return hasFailed;
  };

  const look = async (probe: LayerProbe, signal: AbortSignal): Promise<Sample> => {
    const [sample, isTrue] = await Promise.all([
      takeSample(
        { clock, lag },
        {
          name: probe.name,
          timeoutMs: options.timeoutMs,
          signal,
          look: (own) => probe.look(own),
          ...(probe.silence && { silence: probe.silence }),
        },
      ),
      checkControl(probe, signal),
    ]);
    if (isTrue || sample.status === 'FAILED' || sample.status === 'UNKNOWN') return sample;
    const { at, latencyMs } = sample;
    const note = `what must fail did not: ${probe.control?.name ?? ''}`;
    return { status: 'UNKNOWN', reason: 'intercepted', note, at, latencyMs };
  };

  const note = (layer: Layer, sample: Sample): void => {
    const history = histories.get(layer);
    const from = history?.last?.status;
    history?.add(sample);
    emit('sampled', { at: sample.at, layer, sample });
    if (from !== sample.status) emit('changed', { at: sample.at, layer, from, sample });
  };

  const summary = (): LayerSummary => {
    const last = LAYERS.flatMap((layer) => {
      const sample = histories.get(layer)?.last;
      return sample ? [{ layer, sample }] : [];
    });
    const known = last.filter(({ sample }) => sample.status !== 'UNKNOWN');
    return {
      status: worstOf(known.map(({ sample }) => sample.status)),
      coverage: probes.length === 0 ? 0 : known.length / probes.length,
      layers: Object.fromEntries(last.map(({ layer, sample }) => [layer, sample])),
    };
  };

  return {
    events,
    summary,
    probeAll: async (signal = new AbortController().signal) => {
      await Promise.all(probes.map(async (probe) => note(probe.layer, await look(probe, signal))));
      const now = summary();
      const isBlindNow = now.coverage < options.leastCoverage;
      if (isBlindNow && !isBlind) emit('blind', { at: clock.now(), coverage: now.coverage });
      isBlind = isBlindNow;
      return now;
    },
    history: (layer) => {
      const history = histories.get(layer);
      return { all: history?.all ?? [], bad: history?.bad ?? [] };
    },
  };
}

function worstOf(statuses: readonly Reading['status'][]): Reading['status'] {
  if (statuses.length === 0) return 'UNKNOWN';
  if (statuses.includes('FAILED')) return 'FAILED';
  return statuses.includes('DEGRADED') ? 'DEGRADED' : 'HEALTHY';
}
