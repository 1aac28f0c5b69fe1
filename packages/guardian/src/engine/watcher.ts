import { describeFailure, parseOrThrow } from '@buddy/core';
import { Symptom } from '../incident/symptom.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import type { Background } from './background.ts';
import { symptomOf } from './healer.ts';
import { alert, type Parts } from './parts.ts';
import { isBad, type Prober } from './prober.ts';

interface WatcherParts {
  parts: Parts;
  prober: Prober;
  background: Background;
  take: (symptom: Symptom) => Promise<unknown>;
}

/** Notices trouble: looks at resources again and again, and listens to those that tell of it themselves. */
export class Watcher {
  readonly #w: WatcherParts;
  readonly #unwatch: (() => void)[] = [];

  constructor(parts: WatcherParts) {
    this.#w = parts;
  }

  watch(resource: Resource): void {
    const unwatch = resource.adapter.watch?.((sign) => {
      const { clock } = this.#w.parts;
      void this.seen(resource, { ...sign, at: clock.now(), latencyMs: 0 });
    });
    if (unwatch) this.#unwatch.push(unwatch);
    this.#w.background.run(this.#lookRegularly(resource));
  }

  async #lookRegularly(resource: Resource): Promise<void> {
    const { clock, random, options } = this.#w.parts;
    const draw = random.child(resource.id);
    const interval = resource.probeIntervalMs ?? options.probeIntervalMs;
    // Not all at once: each begins at a moment of its own.
    for (let pause = interval * draw(); ; pause = interval * (0.9 + 0.2 * draw())) {
      await clock.sleep(pause, this.#w.background.signal);
      const sample = await this.#w.prober.probe(resource);
      if (isBad(sample)) await this.seen(resource, sample);
    }
  }

  async seen({ id }: Resource, sample: Sample): Promise<void> {
    if (this.#w.background.signal.aborted) return;
    try {
      await this.#w.take(parseOrThrow(Symptom, symptomOf(id, sample), `sign of ${id}`));
    } catch (error) {
      alert(this.#w.parts, 'internal', describeFailure(error).message, { resource: id });
    }
  }

  /** Looks once, now. */
  async look(resource: Resource): Promise<void> {
    const sample = await this.#w.prober.probe(resource);
    if (isBad(sample)) await this.seen(resource, sample);
  }

  stop(): void {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
  }
}
