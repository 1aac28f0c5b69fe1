import type { Clock } from '@buddy/core';
import type { Symptom } from '../incident/symptom.ts';
import type { ResourceAdapters, ResourceKind } from '../resource/kinds.ts';
import type { EffectMethod } from '../resource/effects.ts';

/** The roles of a playbook, and the kind of resource that fills each, or the kinds of which any does. */
export type Needs = Readonly<Record<string, ResourceKind | readonly ResourceKind[]>>;

type KindOf<Need> = Need extends readonly (infer Kind)[]
  ? Kind & ResourceKind
  : Need & ResourceKind;

export type RoleAdapters<N extends Needs> = {
  readonly [Role in keyof N]: ResourceAdapters[KindOf<N[Role]>];
};

/** Every effect that a playbook with these needs could declare: `service.start`. */
export type EffectName<N extends Needs> = {
  [Role in keyof N & string]: `${Role}.${EffectOf<KindOf<N[Role]>>}`;
}[keyof N & string];

/** Of each of the kinds, and not only of all of them. */
type EffectOf<Kind extends ResourceKind> = Kind extends ResourceKind ? EffectMethod<Kind> : never;

/** The kinds of which any may fill a role. */
export function kindsOf(need: Needs[string] | undefined): readonly ResourceKind[] {
  if (need === undefined) return [];
  return typeof need === 'string' ? [need] : need;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** What a playbook is handed whenever it is asked something. */
export interface PlaybookContext<N extends Needs> {
  /** The adapters, by role. Only what is declared may be changed through them. */
  readonly resources: RoleAdapters<N>;
  readonly symptom: Symptom;
  /** In a dry run its sleeps take no time. */
  readonly clock: Clock;
  /** Aborted when nobody waits any more. Hand it on. */
  readonly signal: AbortSignal;
}

export interface DiagnosedContext<N extends Needs, Diagnosis> extends PlaybookContext<N> {
  readonly diagnosis: Diagnosis;
}

export interface StepContext<N extends Needs, Diagnosis, Before> extends DiagnosedContext<
  N,
  Diagnosis
> {
  readonly before: Before;
}

/** For an undo there is no diagnosis: it may run in another process than its step, after a crash. */
export interface UndoContext<N extends Needs, Before> extends PlaybookContext<N> {
  /** What the step's `before` answered; it was written down before the step began. */
  readonly before: Before;
}
