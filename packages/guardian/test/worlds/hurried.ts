import type { Playbook } from '@buddy/guardian';

/** The playbook, given less time to be proved: for tests in which it does not help. */
export function hurried(playbook: Playbook, withinMs = 400): Playbook {
  return { ...playbook, verify: { ...playbook.verify, withinMs } };
}
