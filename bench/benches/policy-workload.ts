import type { Random } from '../../packages/core/src/index.ts';

/** A rule that every engine of the bench can say: an action and three conditions. */
export interface WorkloadRule {
  id: string;
  action: string;
  min: number;
  max: number;
  regions: readonly string[];
  /** Undefined: either. */
  isDry: boolean | undefined;
  effect: 'allow' | 'block';
}

export interface Request {
  action: string;
  amount: number;
  region: string;
  isDry: boolean;
}

const RULES_PER_ACTION = 5;
const REGIONS = ['de', 'fr', 'it', 'es', 'pl', 'nl', 'se'] as const;

/** Four rules that allow and one that blocks for each action; more rules are more actions, as in real policies. */
export function makeRules(count: number): WorkloadRule[] {
  const actions = count / RULES_PER_ACTION;
  return Array.from({ length: count }, (_, n): WorkloadRule => {
    const action = `crm.r${n % actions}.write`;
    const kind = Math.floor(n / actions);
    const regions = [REGIONS[n % 7] ?? 'de', REGIONS[(n + 1 + kind) % 7] ?? 'fr'];
    return kind === RULES_PER_ACTION - 1
      ? { id: `r${n}`, action, min: 150, max: 1e9, regions, isDry: undefined, effect: 'block' }
      : {
          id: `r${n}`,
          action,
          min: 0,
          max: 100 + 40 * kind + (n % 100),
          regions,
          isDry: kind % 2 === 0,
          effect: 'allow',
        };
  });
}

export function drawRequests(rules: number, count: number, random: Random): Request[] {
  const actions = rules / RULES_PER_ACTION;
  return Array.from({ length: count }, () => ({
    action: `crm.r${Math.floor(random() * actions)}.write`,
    amount: Math.floor(random() * 300),
    region: REGIONS[Math.floor(random() * 7)] ?? 'de',
    isDry: random() < 0.5,
  }));
}
