import { type Clock, describeFailure } from '@buddy/core';
import type { Condition, Symptom } from '../incident/symptom.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Contraindication } from '../playbook/trigger.ts';
import type { Incident } from '../incident/incident.ts';
import type { Resource } from '../resource/registry.ts';

interface Held {
  name: string;
  until: number | undefined;
  incidentId: string;
}

/** A quota that is used up is not refilled by a restart; the attempt only costs more of it. */
const FORBIDS_RESTART = 'quota_exhausted';

/** Which conditions hold for which resources. */
export class Conditions {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What several tell of holds as long as any of them says; one that tells again knows better than before. */
  note(resource: string, incidentId: string, conditions: readonly Condition[]): void {
    if (conditions.length === 0) return;
    const told = conditions.map(({ name, until }) => ({ name, until, incidentId }));
    const others = (this.#held.get(resource) ?? []).filter(
      (held) =>
        this.#isHolding(held) &&
        !told.some((one) => one.name === held.name && one.incidentId === held.incidentId),
    );
    this.#held.set(resource, [...others, ...told]);
  }

  /** Those with a time of their own, of an incident that is over or was never opened: a quota is used up all the same. */
  noteLasting(resource: string, incidentId: string, conditions: readonly Condition[]): void {
    const now = this.#clock.now();
    const lasting = conditions.filter(({ until }) => until !== undefined && until > now);
    this.note(resource, incidentId, lasting);
  }

  /** What lasts as long as its incident is over; what has a time of its own stays. */
  noteClosed({ id, resource }: Incident): void {
    const held = this.#held.get(resource) ?? [];
    const left = held.filter(({ until, incidentId }) => incidentId !== id || until !== undefined);
    this.#held.set(resource, left);
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
      if (typeof one === 'string') continue;
      const reason = whyNot(one, symptom);
      if (reason !== undefined) return { reason, until: undefined };
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

  /** The one that holds longest. */
  #holding(resource: string, name: string): Held | undefined {
    const held = (this.#held.get(resource) ?? []).filter(
      (one) => one.name === name && this.#isHolding(one),
    );
    return held.toSorted((a, b) => (b.until ?? Infinity) - (a.until ?? Infinity))[0];
  }

  #isHolding({ until }: Held): boolean {
    return until === undefined || until > this.#clock.now();
  }
}

/** What cannot say whether it forbids, forbids: that is the safe side. */
function whyNot(
  { name, when }: Exclude<Contraindication, string>,
  symptom: Symptom,
): string | undefined {
  try {
    return when(symptom) ? name : undefined;
  } catch (error) {
    return `${name}, which threw: ${describeFailure(error).message}`;
  }
}
