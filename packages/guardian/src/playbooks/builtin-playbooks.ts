import type { Playbook } from '../playbook/define-playbook.ts';
import { crashLoop } from './crash-loop.ts';
import { eventLoopBlocked } from './event-loop-blocked.ts';
import { fdExhausted } from './fd-exhausted.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { memoryLeak } from './memory-leak.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { outOfMemory } from './out-of-memory.ts';
import { portInUse } from './port-in-use.ts';
import { portNotResponding } from './port-not-responding.ts';
import { serviceCrashed } from './service-crashed.ts';
import { slowBoot } from './slow-boot.ts';

/** The playbooks that come with this package, the most urgent first. */
export const builtinPlaybooks: readonly Playbook[] = [
  guardrailBypassed,
  crashLoop,
  outOfMemory,
  serviceCrashed,
  portInUse,
  portNotResponding,
  eventLoopBlocked,
  fdExhausted,
  networkDegradation,
  memoryLeak,
  moduleNotFound,
  slowBoot,
];
