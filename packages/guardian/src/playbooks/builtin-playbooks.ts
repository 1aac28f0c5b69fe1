import type { Playbook } from '../playbook/define-playbook.ts';
import { auditChainBroken } from './audit-chain-broken.ts';
import { databaseCorrupted } from './database-corrupted.ts';
import { databaseLocked } from './database-locked.ts';
import { databaseUnavailable } from './database-unavailable.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { portNotResponding } from './port-not-responding.ts';
import { serviceCrashed } from './service-crashed.ts';

/** The playbooks that come with this package, the most urgent first. */
export const builtinPlaybooks: readonly Playbook[] = [
  databaseCorrupted,
  guardrailBypassed,
  auditChainBroken,
  databaseUnavailable,
  serviceCrashed,
  portNotResponding,
  databaseLocked,
  networkDegradation,
  moduleNotFound,
];
