import type { Incident } from '../incident/incident.ts';
import type { Resource } from '../resource/registry.ts';

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
}
