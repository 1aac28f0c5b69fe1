import type { Incident } from '../incident/incident.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import { type Verdict, withCause } from './verdict.ts';

/** Which resources are being healed, and when each was healed last: whether what became well did so because of us. */
export class Healings {
  /** Ms since the epoch. */
  readonly #healedAt = new Map<string, number>();
  readonly #atWork = new Set<string>();

  /** @returns What ends it. */
  begin(resources: readonly string[]): () => void {
    for (const id of resources) this.#atWork.add(id);
    return () => {
      for (const id of resources) this.#atWork.delete(id);
    };
  }

  noteHealed(resources: readonly string[], at: number): void {
    for (const id of resources) this.#healedAt.set(id, at);
  }

  /** Whether a playbook is at work on a resource. */
  isAtWorkOn(resource: string): boolean {
    return this.#atWork.has(resource);
  }

  /** Whether it, or something that it depends on, was healed since it was seen to be bad, or is being healed. */
  isByUs({ detected }: Incident, { id, ancestors }: Resource): boolean {
    return [id, ...ancestors].some(
      (each) => this.#atWork.has(each) || (this.#healedAt.get(each) ?? -Infinity) >= detected,
    );
  }

  /** The verdict on what became well before a playbook of its own had its turn. */
  wellMeanwhile(
    incident: Incident,
    resource: Resource,
    { sample, reports }: { sample: Sample; reports: number },
  ): Verdict {
    if (this.isByUs(incident, resource)) return withCause(sample, reports);
    const reason = 'it became well by itself';
    return { closes: 'cleared_externally', restored: sample.at, reason, reports };
  }
}
