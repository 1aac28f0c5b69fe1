import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import type { Step } from '../playbook/step.ts';

/** A policy in the words of `@buddy/governance`, as data. YAML and JSON of it are what its `loadPolicy` reads. */
export interface GuardianPolicy {
  readonly version: 1;
  readonly defaults: { readonly unknown_action: 'block' };
  readonly rules: readonly PolicyRule[];
  /** What has to come out; a policy of which something else comes out is not loaded. */
  readonly tests: readonly PolicyTest[];
}

export interface PolicyRule {
  readonly id: string;
  readonly description: string;
  readonly when: {
    readonly action: readonly string[];
    readonly actor: { readonly kind: 'system'; readonly id: 'guardian' };
    readonly args?: { readonly certified: { readonly equals: boolean } };
  };
  readonly tier: 1 | 2 | 3 | 4;
  readonly allow?: true;
  readonly approve?: {
    readonly from: readonly string[];
    readonly quorum: number;
    readonly not: readonly string[];
    readonly expires: string;
  };
  readonly block?: true;
}

export interface PolicyTest {
  readonly name: string;
  readonly given: {
    readonly action: string;
    readonly tier: 1 | 2 | 3 | 4;
    readonly actor: { readonly kind: 'system' | 'agent'; readonly id: string };
    readonly args?: { readonly certified: boolean };
  };
  readonly expect: 'allow' | 'approve' | 'block';
  readonly rule?: string;
}

const GUARDIAN = { kind: 'system', id: 'guardian' } as const;
const APPROVAL = {
  from: ['operator', 'admin'],
  quorum: 1,
  not: ['requester'],
  expires: '1h',
} as const;

/**
 * What the guardian may do, for the gate of `@buddy/governance`: steps of tiers 1 and 2 run; those of tier 3 run while their
 * playbook holds a certificate or is being rehearsed, and else wait for a person; those of tier 4, steps that no playbook
 * has, and all that somebody else than the guardian asks for are blocked. Each rule can be changed by hand.
 * @example
 * await writeFile('guardian_policies.yaml', JSON.stringify(policyFor([...builtinPlaybooks, mine]))); // JSON is YAML
 */
export function policyFor(playbooks: readonly Playbook[]): GuardianPolicy {
  const sorted = playbooks.toSorted((a, b) => a.id.localeCompare(b.id));
  const rules = sorted.flatMap(rulesFor);
  const [first] = sorted;
  return {
    version: 1,
    defaults: { unknown_action: 'block' },
    rules,
    tests: [...rules.flatMap(testsOf), ...(first ? testsForOthers(first) : [])],
  };
}

function rulesFor(playbook: Playbook): PolicyRule[] {
  const { id, name, steps } = playbook;
  const rule = (
    tier: PolicyRule['tier'],
    mark: string,
    why: string,
    decision: Pick<PolicyRule, 'allow' | 'approve' | 'block'>,
    args?: PolicyRule['when']['args'],
  ): PolicyRule[] => {
    const own = steps.filter((step) => step.tier === tier);
    if (own.length === 0) return [];
    const action = own.map((step) => actionOf(playbook, step));
    return [
      {
        id: `${id}-${mark}`,
        description: `${name}: ${why}`,
        when: { action, actor: GUARDIAN, ...(args && { args }) },
        tier,
        ...decision,
      },
    ];
  };
  return [
    ...rule(1, 't1', 'only looks.', { allow: true }),
    ...rule(2, 't2', 'can be taken back.', { allow: true }),
    ...rule(
      3,
      't3',
      'hard to undo; it was rehearsed here with this code, so it runs unattended.',
      { allow: true },
      { certified: { equals: true } },
    ),
    ...rule(
      3,
      'ask',
      'hard to undo, and not rehearsed: a person has to agree.',
      { approve: APPROVAL },
      { certified: { equals: false } },
    ),
    ...rule(4, 't4', 'is for people.', { block: true }),
  ];
}

function testsOf({ id, when, tier, approve, block }: PolicyRule): PolicyTest[] {
  const expect = block ? 'block' : approve ? 'approve' : 'allow';
  const { equals } = when.args?.certified ?? {};
  return when.action.map((action) => ({
    name: `${id}: ${action}`,
    given: {
      action,
      tier,
      actor: GUARDIAN,
      ...(equals !== undefined && { args: { certified: equals } }),
    },
    expect,
    rule: id,
  }));
}

function testsForOthers(playbook: Playbook): PolicyTest[] {
  const [step] = playbook.steps;
  return [
    {
      name: 'nobody but the guardian takes a step of a playbook',
      given: {
        action: actionOf(playbook, step),
        tier: isRunnable(step) ? step.tier : 4,
        actor: { kind: 'agent', id: 'crm-7' },
      },
      expect: 'block',
    },
    {
      name: 'a step that the playbook does not have is blocked',
      given: { action: `guardian.${playbook.id}.undeclared`, tier: 2, actor: GUARDIAN },
      expect: 'block',
    },
    {
      name: 'a playbook that nobody knows is blocked',
      given: { action: 'guardian.undeclared.start', tier: 2, actor: GUARDIAN },
      expect: 'block',
    },
  ];
}

function actionOf({ id }: Playbook, step: Step): string {
  return `guardian.${id}.${step.id}`;
}
