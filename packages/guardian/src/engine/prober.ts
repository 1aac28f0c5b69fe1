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
  onSample: (resource: string, sample: Sample, before: Reading['status'] | undefined) => void;
}

/** Looks at resources. Who asks while somebody looks already is told the same. */
export class Prober {
  readonly #parts: ProberParts;
  readonly #looking = new Set<AbortController>();
  #stopped: Error | undefined;
  readonly #inFlight = new Map<string, Promise<Sample>>();
  readonly #histories = new Map<string, ProbeHistory>();
  /** What adapters told of by themselves, by resource: the last of each, and its number. */
  readonly #signs = new Map<string, { sample: Sample; number: number }>();
  #signsSoFar = 0;

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  probe(resource: Resource): Promise<Sample> {
    const { id, adapter } = resource;
    let looking = this.#inFlight.get(id);
    if (!looking) {
      looking = this.sample(id, (signal) => adapter.probe(signal))
        .then((sample) => {
          this.#keep(id, sample);
          return sample;
        })
        .finally(() => this.#inFlight.delete(id));
      this.#inFlight.set(id, looking);
    }
    return looking;
  }

  /** One look of another kind, with the same limits. */
  sample(name: string, look: (signal: AbortSignal) => Promise<Reading>): Promise<Sample> {
    const { clock, lag, timeoutMs } = this.#parts;
    // One for each look: a signal that all listen to is searched by each that stops listening.
    const own = new AbortController();
    if (this.#stopped !== undefined) own.abort(this.#stopped);
    this.#looking.add(own);
    const { signal } = own;
    return takeSample({ clock, lag }, { name, timeoutMs, signal, look }).finally(() =>
      this.#looking.delete(own),
    );
  }

  /** Keeps what an adapter told of by itself: it is fresher than any look. */
  noteSign(id: string, sample: Sample): void {
    this.#signsSoFar += 1;
    this.#signs.set(id, { sample, number: this.#signsSoFar });
    this.#keep(id, sample);
  }

  /** From now on, answers with what one of these told of by itself since. */
  listen(ids: readonly string[]): () => Sample | undefined {
    const heard = this.#signsSoFar;
    return () => {
      const signs = ids.flatMap((id) => this.#signs.get(id) ?? []);
      return signs.find(({ number }) => number > heard)?.sample;
    };
  }

  #keep(id: string, sample: Sample): void {
    const before = this.lastOf(id)?.status;
    this.historyOf(id).add(sample);
    this.#parts.onSample(id, sample, before);
  }

  /** Aborts all looks, and all that are asked for later. */
  stop(reason: Error): void {
    this.#stopped = reason;
    for (const own of this.#looking) own.abort(reason);
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
