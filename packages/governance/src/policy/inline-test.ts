import type { ActionHistory, ActionRequest, Policy, PolicyDecision } from './decision.ts';
import { type InlineTestDocument, listOf } from './vocabulary.ts';

/** What became of one of a policy's own examples. */
export interface InlineTestResult {
  /** In the document, from 0. */
  index: number;
  /** Its name, or what is asked in it. */
  name: string;
  isPassed: boolean;
  /** `expected block, and rule crm-writes says allow`; undefined when it passed. */
  failure: string | undefined;
  decision: PolicyDecision;
}

export function runInlineTests(
  policy: Policy,
  tests: readonly InlineTestDocument[],
): InlineTestResult[] {
  return tests.map((test, index) => runInlineTest(policy, test, index));
}

/** Some moment; no test depends on which. */
const NOW = Date.UTC(2026, 0, 1);

function runInlineTest(policy: Policy, test: InlineTestDocument, index: number): InlineTestResult {
  const { action, args, actor, tier, after } = test.given;
  const request: ActionRequest = {
    action,
    actor: { kind: actor?.kind ?? 'agent', id: actor?.id ?? 'test' },
    input: args,
    ...(tier !== undefined && { declaredTier: tier }),
    at: NOW,
  };
  const done = listOf(after);
  const history: ActionHistory = { hasDone: (_actor, matches) => done.some(matches) };
  const decision = policy.decide(request, history);
  const expected = test.expect === 'block' ? 'deny' : test.expect;
  const isPassed =
    decision.outcome === expected && (test.rule === undefined || decision.rule === test.rule);
  return {
    index,
    name: test.name ?? action,
    isPassed,
    failure: isPassed ? undefined : failureOf(test, decision),
    decision,
  };
}

function failureOf({ expect, rule }: InlineTestDocument, decision: PolicyDecision): string {
  const said = decision.outcome === 'deny' ? 'block' : decision.outcome;
  const wanted = rule === undefined ? expect : `${expect} by rule ${rule}`;
  const by = decision.rule === 'default' ? 'no rule' : `rule ${decision.rule}`;
  return `expected ${wanted}, and got ${said} by ${by} (${decision.reasonCode})`;
}
