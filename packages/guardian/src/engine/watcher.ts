import { describeFailure, parseOrThrow } from '@buddy/core';
import { Symptom } from '../incident/symptom.ts';
import type { Layer } from '../probes/layers/layer.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import type { Background } from './background.ts';
import { symptomOf } from './symptom-of.ts';
import type { Healings } from './healings.ts';
import { alert, type Parts } from './parts.ts';
import { isBad, type Prober } from './prober.ts';

interface WatcherParts {
  parts: Parts;
  prober: Prober;
  background: Background;
  take: (symptom: Symptom) => Promise<unknown>;
  healings: Healings;
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
      const sample: Sample = { ...sign, at: this.#w.parts.clock.now(), latencyMs: 0 };
      this.#w.prober.noteSign(resource.id, sample);
      void this.seen(resource, sample);
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
      // What is being mended is looked at by whoever mends it.
      if (isBad(sample) && !this.#w.healings.isAtWorkOn(resource.id))
        await this.seen(resource, sample);
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

  /** Looks at all layers again and again; what turns bad is told. */
  watchLayers(layers: LayerProbes): void {
    const { background, parts } = this.#w;
    const tell = ({ layer, sample }: { layer: Layer; sample: Sample }) => {
      if (!isBad(sample)) return;
      const note = 'note' in sample ? sample.note : '';
      alert(parts, 'layer', `layer ${layer} is ${sample.status}: ${note ?? ''}`);
    };
    const tellBlind = ({ coverage }: { coverage: number }) =>
      alert(parts, 'layer', `of the layers, only ${Math.round(coverage * 100)} % are known`);
    layers.events.on('changed', tell).on('blind', tellBlind);
    this.#unwatch.push(() => layers.events.off('changed', tell).off('blind', tellBlind));
    background.run(this.#lookAtLayersRegularly(layers));
  }

  async #lookAtLayersRegularly(layers: LayerProbes): Promise<void> {
    const { background, parts } = this.#w;
    for (;;) {
      await layers.probeAll(background.signal);
      await parts.clock.sleep(parts.options.probeIntervalMs, background.signal);
    }
  }

  stop(): void {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
  }
}
