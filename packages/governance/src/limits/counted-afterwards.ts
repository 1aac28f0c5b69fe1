import type { LoadedPolicy } from '../policy/compiled-policy.ts';

/** The rules with a limit on what only the result of a call tells (`counted: afterwards`). */
export function rulesCountedAfterwards({ document }: Pick<LoadedPolicy, 'document'>): string[] {
  return document.rules
    .filter(({ limit }) => [limit ?? []].flat().some(({ counted }) => counted === 'afterwards'))
    .map(({ id }) => id);
}
