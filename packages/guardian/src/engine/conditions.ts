import type { Clock } from '@buddy/core';
import type { Condition } from '../incident/symptom.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Incident } from '../incident/incident.ts';
import type { Resource } from '../resource/registry.ts';

interface Held {
  until: number | undefined;
  incidentId: string;
}

/** A quota that is used up is not refilled by a restart; the attempt only costs more of it. */
const FORBIDS_RESTART = 'quota_exhausted';

/** Which conditions hold for which resources. */
export class Conditions {
  readonly #clock: Clock;
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(resource: string, incidentId: string, conditions: readonly Condition[]): void {
    if (conditions.length === 0) return;
    const held = this.#held.get(resource) ?? new Map<string, Held>();
    for (const { name, until } of conditions) held.set(name, { until, incidentId });
    this.#held.set(resource, held);
  }

  /** Those with a time of their own, of an incident that is over or was never opened: a quota is used up all the same. */
  noteLasting(resource: string, incidentId: string, conditions: readonly Condition[]): void {
    const now = this.#clock.now();
    const lasting = conditions.filter(({ until }) => until !== undefined && until > now);
    this.note(resource, incidentId, lasting);
  }

  /** What lasts as long as its incident is over; what has a time of its own stays. */
  noteClosed({ id, resource }: Incident): void {
    const held = this.#held.get(resource);
    for (const [name, { until, incidentId }] of held ?? []) {
      if (incidentId === id && until === undefined) held?.delete(name);
    }
  }

  /** Why a playbook is forbidden for these resources now, and until when as far as that is known. */
  forbids(
    playbook: Playbook,
    { symptom }: Incident,
    involved: readonly Resource[],
  ): { reason: string; until: number | undefined } | undefined {
    const names = playbook.contraindicatedBy.map((one) =>
      typeof one === 'string' ? one : one.name,
    );
    if (playbook.interruptedRoles.length > 0) names.push(FORBIDS_RESTART);
    for (const one of playbook.contraindicatedBy) {
      if (typeof one !== 'string' && one.when(symptom))
        return { reason: one.name, until: undefined };
    }
    for (const { id, ancestors } of involved) {
      for (const place of [id, ...ancestors]) {
        for (const name of names) {
          const held = this.#holding(place, name);
          if (held) return { reason: `${name} on ${place}`, until: held.until };
        }
      }
    }
    return undefined;
  }

  #holding(resource: string, name: string): Held | undefined {
    const held = this.#held.get(resource)?.get(name);
    if (held?.until !== undefined && held.until <= this.#clock.now()) {
      this.#held.get(resource)?.delete(name);
      return undefined;
    }
    return held;
  }
}
