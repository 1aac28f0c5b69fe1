import type { Playbook } from '../playbook/define-playbook.ts';
import { apiTimeout } from './api-timeout.ts';
import { auditChainBroken } from './audit-chain-broken.ts';
import { certificateExpired } from './certificate-expired.ts';
import { crashLoop } from './crash-loop.ts';
import { credentialsInvalid } from './credentials-invalid.ts';
import { databaseCorrupted } from './database-corrupted.ts';
import { databaseLocked } from './database-locked.ts';
import { databaseUnavailable } from './database-unavailable.ts';
import { dnsFailure } from './dns-failure.ts';
import { eventLoopBlocked } from './event-loop-blocked.ts';
import { fdExhausted } from './fd-exhausted.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { memoryLeak } from './memory-leak.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { networkUnreachable } from './network-unreachable.ts';
import { outOfMemory } from './out-of-memory.ts';
import { portInUse } from './port-in-use.ts';
import { portNotResponding } from './port-not-responding.ts';
import { quotaExhausted } from './quota-exhausted.ts';
import { serviceCrashed } from './service-crashed.ts';
import { slowBoot } from './slow-boot.ts';

/** The playbooks that come with this package, the most urgent first. */
export const builtinPlaybooks: readonly Playbook[] = [
  databaseCorrupted,
  guardrailBypassed,
  auditChainBroken,
  crashLoop,
  databaseUnavailable,
  networkUnreachable,
  outOfMemory,
  serviceCrashed,
  credentialsInvalid,
  dnsFailure,
  portInUse,
  portNotResponding,
  apiTimeout,
  certificateExpired,
  databaseLocked,
  eventLoopBlocked,
  fdExhausted,
  networkDegradation,
  memoryLeak,
  moduleNotFound,
  quotaExhausted,
  slowBoot,
];
