import type { Sample } from './sampler.ts';

/** The last samples of one probe, and the last that were not good, kept apart so that good ones do not push them out. */
export class ProbeHistory {
  readonly #size: number;
  readonly #all: Sample[] = [];
  readonly #bad: Sample[] = [];

  /** @param size How many of each are kept. Default 100. */
  constructor(size = 100) {
    this.#size = size;
  }

  add(sample: Sample): void {
    push(this.#all, sample, this.#size);
    if (sample.status !== 'HEALTHY') push(this.#bad, sample, this.#size);
  }

  /** The oldest first. */
  get all(): readonly Sample[] {
    return this.#all;
  }

  /** The oldest first. */
  get bad(): readonly Sample[] {
    return this.#bad;
  }

  get last(): Sample | undefined {
    return this.#all.at(-1);
  }
}

function push(samples: Sample[], sample: Sample, size: number): void {
  samples.push(sample);
  if (samples.length > size) samples.shift();
}
