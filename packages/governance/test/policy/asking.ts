import {
  type ActionRequest,
  formatPolicyProblem,
  type LoadedPolicy,
  loadPolicy,
  type PolicyDecision,
  type PolicyProblem,
} from '@buddy/governance';

/** The policy of a text that must be good. */
export function policyOf(text: string): LoadedPolicy {
  const result = loadPolicy(text, { source: 'test.yaml' });
  if (!result.ok) throw new Error(result.problems.map(formatPolicyProblem).join('\n'));
  return result.policy;
}

/** The policy with these rules, written as a list of YAML. */
export function policyWith(...rules: string[]): LoadedPolicy {
  return policyOf(`version: 1\nrules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`);
}

export function problemsOf(text: string, tools?: readonly string[]): readonly PolicyProblem[] {
  const result = loadPolicy(text, { source: 'test.yaml', ...(tools && { tools }) });
  return result.ok ? [] : result.problems;
}

export interface Asked extends Partial<ActionRequest> {
  /** Actions done before. */
  done?: readonly string[];
}

/** Asks for an action of tier 1 by an agent, unless told otherwise. */
export function ask(
  policy: Pick<LoadedPolicy, 'decide'>,
  action: string,
  input: unknown = {},
  { done = [], ...asked }: Asked = {},
): PolicyDecision {
  const request: ActionRequest = {
    action,
    input,
    actor: { kind: 'agent', id: 'agent-1' },
    declaredTier: 1,
    at: Date.UTC(2026, 0, 1),
    ...asked,
  };
  return policy.decide(request, { hasDone: (_actor, matches) => done.some(matches) });
}

/** For tools whose author declared no tier. */
export function askUndeclared(
  policy: Pick<LoadedPolicy, 'decide'>,
  action: string,
  input: unknown = {},
): PolicyDecision {
  return policy.decide(
    { action, input, actor: { kind: 'agent', id: 'agent-1' }, at: 0 },
    { hasDone: () => false },
  );
}

export const STRICTNESS = { allow: 0, approve: 1, deny: 2 } as const;
