import type { Playbook } from '../playbook/define-playbook.ts';
import { apiTimeout } from './api-timeout.ts';
import { certificateExpired } from './certificate-expired.ts';
import { credentialsInvalid } from './credentials-invalid.ts';
import { dnsFailure } from './dns-failure.ts';
import { guardrailBypassed } from './guardrail-bypassed.ts';
import { moduleNotFound } from './module-not-found.ts';
import { networkDegradation } from './network-degradation.ts';
import { networkUnreachable } from './network-unreachable.ts';
import { portNotResponding } from './port-not-responding.ts';
import { quotaExhausted } from './quota-exhausted.ts';
import { serviceCrashed } from './service-crashed.ts';

/** The playbooks that come with this package, the most urgent first. */
export const builtinPlaybooks: readonly Playbook[] = [
  guardrailBypassed,
  networkUnreachable,
  serviceCrashed,
  credentialsInvalid,
  dnsFailure,
  portNotResponding,
  apiTimeout,
  certificateExpired,
  networkDegradation,
  moduleNotFound,
  quotaExhausted,
];
