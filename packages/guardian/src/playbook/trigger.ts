import type { Symptom } from '../incident/symptom.ts';

/** A symptom that a playbook is for. */
export interface Trigger {
  readonly signals: readonly string[];
  readonly when?: (symptom: Symptom) => boolean;
}

/**
 * A trigger: one of these signals, and, where it is given, a look at the symptom that says yes.
 * @example
 * on('process.exited', ({ data }) => data['code'] === 98)
 */
export function on(
  signals: string | readonly string[],
  when?: (symptom: Symptom) => boolean,
): Trigger {
  return { signals: [signals].flat(), ...(when && { when }) };
}

export function isTriggered(triggers: readonly Trigger[], symptom: Symptom): boolean {
  return triggers.some(
    ({ signals, when }) => signals.includes(symptom.signal) && (!when || when(symptom)),
  );
}

/**
 * What forbids a playbook: the name of a condition that holds for the resource or for something that it depends on, or a
 * look at the symptom that says so.
 */
export type Contraindication =
  | string
  | { readonly name: string; readonly when: (symptom: Symptom) => boolean };
