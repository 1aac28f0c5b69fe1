import type { LimitDemand, LimitSubject } from '@buddy/governance';

export const HOUR_MS = 3_600_000;

export const subject: LimitSubject = {
  actor: { kind: 'agent', id: 'scout' },
  action: 'crm.contacts.create',
  runId: 'run-1',
};

export function callsPerHour(allowed: number, demand: Partial<LimitDemand> = {}): LimitDemand {
  return {
    rule: 'few',
    measure: 'calls',
    allowed,
    windowMs: HOUR_MS,
    by: 'all',
    amount: 1,
    ...demand,
  };
}

export function euros(allowed: number, amount: number): LimitDemand {
  return {
    rule: 'budget',
    measure: 'spend',
    currency: 'EUR',
    allowed,
    windowMs: HOUR_MS,
    by: 'agent',
    amount,
  };
}
