import { UndeclaredEffectError } from '../errors.ts';
import type { AnyAdapter } from './kinds.ts';
import { effectNature } from './effects.ts';

/** What may be done through an adapter. */
export interface EffectPermit {
  /** `role.method`, as a step declares them. */
  declared: readonly string[];
  /** Called for each declared effect. In a dry run nothing is done. */
  onEffect?: (effect: string) => void;
  isDryRun: boolean;
}

export const READ_ONLY: EffectPermit = { declared: [], isDryRun: false };

/**
 * An adapter whose effects are let through only as far as they are declared. What only looks is always let through.
 * In a dry run a declared effect is noted, and not done.
 */
export function guardAdapter(role: string, adapter: AnyAdapter, permit: EffectPermit): AnyAdapter {
  return new Proxy(adapter, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method, target);
      if (typeof member !== 'function') return member;
      if (typeof method !== 'string' || effectNature(target.kind, method) === undefined) {
        return (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      }
      const effect = `${role}.${method}`;
      return async (...args: unknown[]): Promise<void> => {
        if (!permit.declared.includes(effect)) {
          throw new UndeclaredEffectError(effect, permit.declared);
        }
        permit.onEffect?.(effect);
        if (!permit.isDryRun) await Reflect.apply(member, target, args);
      };
    },
  });
}
