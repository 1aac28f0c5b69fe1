import { AbilityBuilder, createMongoAbility } from '@casl/ability';
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { newEnforcer, newModelFromString } from 'casbin';
import { formatPolicyProblem, loadPolicy } from '../../packages/governance/src/index.ts';
import type { Request, WorkloadRule } from './policy-workload.ts';

/** Whether it may run. */
export type Decide = (request: Request) => boolean;

const ACTOR = { kind: 'agent', id: 'agent-1' } as const;
const HISTORY = { hasDone: () => false };

/** With tier, facts, explanation and the nearest rule; the others say yes or no. */
export function buddy(rules: readonly WorkloadRule[]): Decide {
  const document = {
    version: 1,
    rules: rules.map(({ id, action, min, max, regions, isDry, effect }) => ({
      id,
      when: {
        action,
        args: {
          amount: { min, max },
          region: { in: regions },
          ...(isDry !== undefined && { isDry: { equals: isDry } }),
        },
      },
      ...(effect === 'allow' ? { tier: 2, allow: true } : { block: true }),
    })),
  };
  const result = loadPolicy(JSON.stringify(document), { source: 'bench' });
  if (!result.ok) throw new Error(result.problems.map(formatPolicyProblem).join('\n'));
  const { policy } = result;
  return (request) =>
    policy.decide(
      { action: request.action, actor: ACTOR, input: request, declaredTier: 2, at: 0 },
      HISTORY,
    ).outcome === 'allow';
}

export function casl(rules: readonly WorkloadRule[]): Decide {
  const { can, cannot, build } = new AbilityBuilder(createMongoAbility);
  for (const { action, min, max, regions, isDry, effect } of rules.toSorted((a, b) =>
    a.effect < b.effect ? -1 : 1,
  )) {
    const conditions = {
      amount: { $gte: min, $lte: max },
      region: { $in: regions },
      ...(isDry !== undefined && { isDry }),
    };
    if (effect === 'allow') can(action, 'Call', conditions);
    else cannot(action, 'Call', conditions);
  }
  const ability = build({ detectSubjectType: () => 'Call' });
  return (request) => ability.can(request.action, request);
}

const MODEL = `
[request_definition]
r = action, amount, region, dry
[policy_definition]
p = action, min, max, first, second, dry, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.action == p.action && within(r.amount, p.min, p.max) && (r.region == p.first || r.region == p.second) && (p.dry == 'any' || r.dry == p.dry)
`;

export async function casbin(rules: readonly WorkloadRule[]): Promise<Decide> {
  const enforcer = await newEnforcer(newModelFromString(MODEL));
  await enforcer.addFunction(
    'within',
    (amount: number, min: string, max: string) => amount >= Number(min) && amount <= Number(max),
  );
  await enforcer.addPolicies(
    rules.map(({ action, min, max, regions, isDry, effect }) => [
      action,
      String(min),
      String(max),
      ...regions,
      isDry === undefined ? 'any' : String(isDry),
      effect === 'allow' ? 'allow' : 'deny',
    ]),
  );
  return ({ action, amount, region, isDry }) =>
    enforcer.enforceSync(action, amount, region, String(isDry));
}

export function cedar(rules: readonly WorkloadRule[]): Decide {
  const policies = rules.map(({ action, min, max, regions, isDry, effect }) => {
    const conditions = [
      `context.amount >= ${min} && context.amount <= ${max}`,
      `${JSON.stringify(regions)}.contains(context.region)`,
      ...(isDry === undefined ? [] : [`context.isDry == ${isDry}`]),
    ];
    const head = `${effect === 'allow' ? 'permit' : 'forbid'}(principal, action == Action::"${action}", resource)`;
    return `${head} when { ${conditions.join(' && ')} };`;
  });
  const parsed = preparsePolicySet('bench', { staticPolicies: policies.join('\n') });
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));
  const agent = { type: 'Agent', id: 'agent-1' };
  return ({ action, amount, region, isDry }) => {
    const answer = statefulIsAuthorized({
      principal: agent,
      action: { type: 'Action', id: action },
      resource: agent,
      context: { amount, region, isDry },
      preparsedPolicySetId: 'bench',
      entities: [],
    });
    return answer.type === 'success' && answer.response.decision === 'allow';
  };
}
