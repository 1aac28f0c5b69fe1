import type { Clock } from '@buddy/core';
import { ProbeHistory } from '../probes/history.ts';
import type { LagMeter } from '../probes/lag-meter.ts';
import { type Sample, takeSample } from '../probes/sampler.ts';
import type { Reading } from '../resource/reading.ts';
import type { Resource } from '../resource/registry.ts';

interface ProberParts {
  clock: Clock;
  lag: LagMeter;
  timeoutMs: number;
  signal: AbortSignal;
  onSample: (resource: string, sample: Sample, before: Reading['status'] | undefined) => void;
}

/** Looks at resources. Who asks while somebody looks already is told the same. */
export class Prober {
  readonly #parts: ProberParts;
  readonly #inFlight = new Map<string, Promise<Sample>>();
  readonly #histories = new Map<string, ProbeHistory>();

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  probe(resource: Resource): Promise<Sample> {
    const { id, adapter } = resource;
    let looking = this.#inFlight.get(id);
    if (!looking) {
      looking = this.sample(id, (signal) => adapter.probe(signal))
        .then((sample) => {
          const before = this.lastOf(id)?.status;
          this.historyOf(id).add(sample);
          this.#parts.onSample(id, sample, before);
          return sample;
        })
        .finally(() => this.#inFlight.delete(id));
      this.#inFlight.set(id, looking);
    }
    return looking;
  }

  /** One look of another kind, with the same limits. */
  sample(name: string, look: (signal: AbortSignal) => Promise<Reading>): Promise<Sample> {
    const { clock, lag, timeoutMs, signal } = this.#parts;
    return takeSample({ clock, lag }, { name, timeoutMs, signal, look });
  }

  lastOf(id: string): Sample | undefined {
    return this.#histories.get(id)?.last;
  }

  historyOf(id: string): ProbeHistory {
    let history = this.#histories.get(id);
    if (!history) {
      history = new ProbeHistory();
      this.#histories.set(id, history);
    }
    return history;
  }
}

/** Evidence of trouble: it fails, or is worse than it should be. What is not known is no evidence. */
export function isBad(reading: Reading): boolean {
  return reading.status === 'FAILED' || reading.status === 'DEGRADED';
}
