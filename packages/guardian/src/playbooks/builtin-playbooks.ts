import type { Playbook } from '../playbook/define-playbook.ts';
import { crashLoop } from './crash-loop.ts';
import { eventLoopBlocked } from './event-loop-blocked.ts';
import { fdExhausted } from './fd-exhausted.ts';
import { apiTimeout } from './api-timeout.ts';
import { certificateExpired } from './certificate-expired.ts';
import { credentialsInvalid } from './credentials-invalid.ts';
import { dnsFailure } from './dns-failure.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { memoryLeak } from './memory-leak.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { outOfMemory } from './out-of-memory.ts';
import { portInUse } from './port-in-use.ts';
import { agentStuck } from './agent-stuck.ts';
import { configInvalid } from './config-invalid.ts';
import { configMissing } from './config-missing.ts';
import { diskFull } from './disk-full.ts';
import { modelServerDown } from './model-server-down.ts';
import { modelStuck } from './model-stuck.ts';
import { policyDrift } from './policy-drift.ts';
import { portNotResponding } from './port-not-responding.ts';
import { queueBacklog } from './queue-backlog.ts';
import { sandboxBreach } from './sandbox-breach.ts';
import { networkUnreachable } from './network-unreachable.ts';
import { quotaExhausted } from './quota-exhausted.ts';
import { serviceCrashed } from './service-crashed.ts';
import { slowBoot } from './slow-boot.ts';

/** The playbooks that come with this package, the most urgent first. */
export const builtinPlaybooks: readonly Playbook[] = [
  guardrailBypassed,
  crashLoop,
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
  eventLoopBlocked,
  fdExhausted,
  networkDegradation,
  memoryLeak,
  moduleNotFound,
  queueBacklog,
  quotaExhausted,
  slowBoot,
];
