import { formatPolicyProblem, loadPolicy, PolicyNotLoadedError } from '@buddy/governance';
import { type Playbook, policyFor } from '@buddy/guardian';
import { isSeq, parseDocument } from 'yaml';
import type { CheckedPolicy } from '../orchestrator/policy.ts';

/**
 * The policy of a run, and what the guardian may do beside it; comments stay. Rules of the run's own count as well: one that
 * blocks a step of a playbook blocks it.
 * @throws {PolicyNotLoadedError} When the two do not fit together.
 */
export function withGuardianRules(
  { text }: Pick<CheckedPolicy, 'text'>,
  playbooks: readonly Playbook[],
): CheckedPolicy {
  const document = parseDocument(text);
  const { rules, tests } = policyFor(playbooks);
  for (const [name, added] of Object.entries({ rules, tests })) {
    const there = document.get(name);
    if (isSeq(there)) for (const one of added) there.add(document.createNode(one));
    else document.set(name, document.createNode(added));
  }
  const both = document.toString({ lineWidth: 0 });
  const source = 'the policy with the rules for the guardian';
  const result = loadPolicy(both, { source });
  if (result.ok) return { text: both, digest: result.policy.digest };
  throw new PolicyNotLoadedError(source, result.problems.map(formatPolicyProblem));
}
