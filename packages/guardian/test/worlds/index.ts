import type { PlaybookWorld } from '../playbook-contract.ts';
import { openAgentWorld } from './agent.ts';
import { openBlackHoleWorld } from './api-timeout.ts';
import { openTamperedAuditWorld } from './audit-chain-broken.ts';
import { openExpiredWorld } from './certificate-expired.ts';
import { openConfigWorld } from './config.ts';
import { openInvalidConfigWorld } from './config-invalid.ts';
import { openBrokenReleaseWorld } from './crash-loop.ts';
import { openRotationWorld } from './credentials-invalid.ts';
import { openCorruptedWorld } from './database-corrupted.ts';
import { openLockedWorld } from './database-locked.ts';
import { openUnavailableWorld } from './database-unavailable.ts';
import { openDiskWorld } from './disk.ts';
import { openServfailWorld } from './dns-failure.ts';
import { openBlockedWorld } from './event-loop-blocked.ts';
import { openExhaustedWorld } from './fd-exhausted.ts';
import { openBypassWorld } from './guardrail-bypassed.ts';
import { openLeakingWorld } from './memory-leak.ts';
import { openModelWorld } from './model-server.ts';
import { openMissingModuleWorld } from './module-not-found.ts';
import { openSlowPathWorld } from './network-degradation.ts';
import { openUnreachableWorld } from './network-unreachable.ts';
import { openFullHeapWorld } from './out-of-memory.ts';
import { openPolicyWorld } from './policy.ts';
import { openStaleSiblingWorld } from './port-in-use.ts';
import { openHangWorld } from './port-not-responding.ts';
import { openQueueWorld } from './queue.ts';
import { openQuotaWorld } from './quota-exhausted.ts';
import { openSandboxWorld } from './sandbox.ts';
import { openCrashWorld } from './service-crashed.ts';
import { openSlowWorld } from './slow-boot.ts';

/** The main place of each playbook, by its id: the one in which the contract suite tries it. */
export const worlds: Readonly<Record<string, () => Promise<PlaybookWorld>>> = {
  agent_stuck: () => openAgentWorld('loop'),
  api_timeout: openBlackHoleWorld,
  audit_chain_broken: openTamperedAuditWorld,
  certificate_expired: openExpiredWorld,
  config_invalid: () => openInvalidConfigWorld(),
  config_missing: () => openConfigWorld({ signal: 'config.missing' }),
  crash_loop: openBrokenReleaseWorld,
  credentials_invalid: openRotationWorld,
  database_corrupted: openCorruptedWorld,
  database_locked: openLockedWorld,
  database_unavailable: openUnavailableWorld,
  disk_full: () => openDiskWorld('quota'),
  dns_failure: openServfailWorld,
  event_loop_blocked: openBlockedWorld,
  fd_exhausted: openExhaustedWorld,
  guardrail_bypassed: openBypassWorld,
  memory_leak: openLeakingWorld,
  model_server_down: () => openModelWorld('down'),
  model_stuck: () => openModelWorld('stuck'),
  module_not_found: openMissingModuleWorld,
  network_degradation: openSlowPathWorld,
  network_unreachable: openUnreachableWorld,
  out_of_memory: openFullHeapWorld,
  policy_drift: () => openPolicyWorld(),
  port_in_use: openStaleSiblingWorld,
  port_not_responding: openHangWorld,
  queue_backlog: () => openQueueWorld('here'),
  quota_exhausted: openQuotaWorld,
  sandbox_breach: openSandboxWorld,
  service_crashed: openCrashWorld,
  // Its time to boot is cut short, and still long for a busy machine.
  slow_boot: () => openSlowWorld({ service: { bootBudgetMs: 3_000 } }),
};
