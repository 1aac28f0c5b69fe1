import type { Playbook } from '../playbook/define-playbook.ts';
import { agentStuck } from './agent-stuck.ts';
import { apiTimeout } from './api-timeout.ts';
import { auditChainBroken } from './audit-chain-broken.ts';
import { certificateExpired } from './certificate-expired.ts';
import { configInvalid } from './config-invalid.ts';
import { configMissing } from './config-missing.ts';
import { crashLoop } from './crash-loop.ts';
import { credentialsInvalid } from './credentials-invalid.ts';
import { databaseCorrupted } from './database-corrupted.ts';
import { databaseLocked } from './database-locked.ts';
import { databaseUnavailable } from './database-unavailable.ts';
import { diskFull } from './disk-full.ts';
import { dnsFailure } from './dns-failure.ts';
import { eventLoopBlocked } from './event-loop-blocked.ts';
import { fdExhausted } from './fd-exhausted.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { memoryLeak } from './memory-leak.ts';
import { modelServerDown } from './model-server-down.ts';
import { modelStuck } from './model-stuck.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { networkUnreachable } from './network-unreachable.ts';
import { outOfMemory } from './out-of-memory.ts';
import { policyDrift } from './policy-drift.ts';
import { portInUse } from './port-in-use.ts';
import { portNotResponding } from './port-not-responding.ts';
import { queueBacklog } from './queue-backlog.ts';
import { quotaExhausted } from './quota-exhausted.ts';
import { sandboxBreach } from './sandbox-breach.ts';
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
  policyDrift,
  sandboxBreach,
  serviceCrashed,
  configInvalid,
  configMissing,
  credentialsInvalid,
  diskFull,
  dnsFailure,
  modelServerDown,
  modelStuck,
  portInUse,
  portNotResponding,
  agentStuck,
  apiTimeout,
  certificateExpired,
  databaseLocked,
  eventLoopBlocked,
  fdExhausted,
  networkDegradation,
  memoryLeak,
  moduleNotFound,
  queueBacklog,
  quotaExhausted,
  slowBoot,
];
