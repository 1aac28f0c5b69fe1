import type { Clock, GuardedEmitter, NewId, Random } from '@buddy/core';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Resource } from '../resource/registry.ts';
import type { GuardianStore } from '../store/store.ts';
import type { AlertKind, GuardianEvents } from './events.ts';
import type { GuardianOptions } from './options.ts';

/** What all parts of one guardian share. */
export interface Parts {
  readonly options: GuardianOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly store: GuardianStore;
  /** Writes to the store, as work that takes real time. */
  readonly keep: GuardianStore['write'];
  readonly resources: ReadonlyMap<string, Resource>;
  readonly playbooks: ReadonlyMap<string, Playbook>;
  /** Tells whoever listens. */
  readonly emit: GuardedEmitter<GuardianEvents>['emit'];
}

/** Has somebody look at it. */
export function alert(
  { emit, clock }: Pick<Parts, 'emit' | 'clock'>,
  kind: AlertKind,
  message: string,
  where: { incidentId?: string; resource?: string } = {},
): void {
  emit('alertRaised', { at: clock.now(), alert: kind, message, ...where });
}
