import type { Tier } from '@buddy/core';
import {
  type ActionRequest,
  type LoadedPolicy,
  loadPolicy,
  type PolicyDocument,
} from '@buddy/governance';
import fc from 'fast-check';

/*
 * Policies and requests drawn so that they meet often: few names, few values, and values that nearly fit.
 */

export type Rule = PolicyDocument['rules'][number];

export interface Question {
  action: string;
  actor: { kind: 'agent' | 'human' | 'system'; id: string };
  input: Readonly<Record<string, unknown>>;
  declaredTier: Tier | undefined;
  done: readonly string[];
}

export const ACTIONS = ['a.x', 'a.y', 'a.b.x', 'b.x', 'b.c.d.y', 'c'] as const;
export const IDS = ['agent-1', 'agent-2', 'ops'] as const;
export const KINDS = ['agent', 'human', 'system'] as const;

const GLOBS = [
  ...ACTIONS,
  'a.*',
  'a.**',
  '**',
  '*.x',
  '**.x',
  'b.*.d.*',
  '*',
  'a.*.x',
  'b.**.y',
  '*.*',
];

const whole = fc.integer({ min: 0, max: 9 });
const exists = fc.option(fc.boolean(), { nil: undefined, freq: 5 });

const numberCondition = fc
  .record({
    min: fc.option(whole, { nil: undefined }),
    max: fc.option(whole, { nil: undefined }),
    in: fc.option(fc.array(whole, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
    exists,
  })
  .map(({ in: listed, ...range }) => (listed ? { in: listed, exists: range.exists } : range))
  .map(sensible);
const textCondition = fc
  .record({
    in: fc.option(fc.subarray(['red', 'green', 'Blue'], { minLength: 1 }), {
      nil: undefined,
      freq: 5,
    }),
    exists,
  })
  .map(sensible);
const flagCondition = fc
  .record({ equals: fc.option(fc.boolean(), { nil: undefined, freq: 5 }), exists })
  .map(sensible);

/** Without what a policy is refused for: `exists: false` beside another condition, and no condition at all. */
function sensible(condition: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.fromEntries(
    Object.entries(condition).filter(([, value]) => value !== undefined),
  );
  if (kept['exists'] === false || Object.keys(kept).length === 0)
    return { exists: kept['exists'] ?? true };
  const { min, max } = kept;
  return typeof min === 'number' && typeof max === 'number' && min > max
    ? { ...kept, min: max, max: min }
    : kept;
}

const optional = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) =>
  fc.option(arbitrary, { nil: undefined, freq });
const globs = fc.uniqueArray(fc.constantFrom(...GLOBS), { minLength: 1, maxLength: 2 });

const when = fc.record({
  action: globs,
  actor: optional(
    fc
      .record({
        kind: optional(fc.subarray([...KINDS], { minLength: 1 })),
        id: optional(fc.subarray(['agent-*', 'ops', '*-2'], { minLength: 1 })),
      })
      .filter(({ kind, id }) => kind !== undefined || id !== undefined),
    1,
  ),
  args: optional(
    fc.record({
      n: optional(numberCondition),
      t: optional(textCondition),
      f: optional(flagCondition),
      'o.n': optional(numberCondition, 1),
    }),
    4,
  ),
  after: optional(fc.record({ action: globs, within: fc.constant('1h') }), 1),
});

const effect = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      allow: fc.constant(true as const),
      tier: optional(fc.constantFrom(1, 2, 3), 3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      approve: fc.record({
        from: fc.subarray(['operator'] as const).map((roles) => ['admin' as const, ...roles]),
        quorum: fc.integer({ min: 1, max: 3 }),
      }),
      tier: optional(fc.constantFrom(1, 2, 3), 3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      block: fc.constant(true as const),
      tier: optional(fc.constantFrom(1, 4), 1),
    }),
  },
);

const limit = fc.constantFrom(
  { calls: 5, per: 'day', by: 'all' },
  { tokens: 100, amount: 'n', per: 'day', by: 'agent' },
);

const rule = fc.record({
  when,
  effect,
  limit: optional(limit, 1),
  mode: optional(fc.constant('shadow' as const), 1),
});

/** Rules as written, each good on its own. */
export const ruleLists: fc.Arbitrary<object[]> = fc
  .array(rule, { minLength: 1, maxLength: 8 })
  .map((rules) =>
    rules.map(({ when: condition, effect: said, limit: limited, mode }, n) =>
      defined({
        id: `r${n}`,
        when: defined({ ...condition, args: condition.args && defined(condition.args) }),
        ...said,
        mode,
        limit: 'block' in said ? undefined : limited,
      }),
    ),
  );

/** Policies that load: rules that a load refuses as unreachable are left out. */
export const policies: fc.Arbitrary<LoadedPolicy> = ruleLists.map(loadable);

function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}

function loadable(rules: readonly object[]): LoadedPolicy {
  const result = load(rules);
  if (result.ok) return result.policy;
  const refused = new Set<number>();
  for (const { code, path, message } of result.problems) {
    if (code !== 'UNREACHABLE_RULE')
      throw new Error(`${code} ${path}: ${message}\n${JSON.stringify(rules)}`);
    refused.add(Number(path.split('.')[1]));
  }
  return loadable(rules.filter((_rule, n) => !refused.has(n)));
}

/** JSON is YAML. */
export function load(rules: readonly object[]) {
  return loadPolicy(JSON.stringify({ version: 1, rules }), { source: 'random' });
}

const ABSENT = Symbol('absent');
const MISFITS = ['5', 'red ', 'RED', 'bl\u200Bue', null, [], [5], {}, { n: 5 }, '', 1.5];
const value = (fitting: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: fitting },
    { weight: 1, arbitrary: fc.constant(ABSENT) },
    { weight: 2, arbitrary: fc.constantFrom<unknown>(...MISFITS, true, 3, 'red') },
  );

const inputs = fc
  .record({
    n: value(whole),
    t: value(fc.constantFrom('red', 'green', 'Blue', 'black')),
    f: value(fc.boolean()),
    o: value(fc.record({ n: value(whole) }).map(present)),
  })
  .map(present);

function present(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, part]) => part !== ABSENT));
}

export const questions: fc.Arbitrary<Question> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  actor: fc.record({ kind: fc.constantFrom(...KINDS), id: fc.constantFrom(...IDS) }),
  input: inputs,
  declaredTier: fc.option(fc.constantFrom<Tier>(1, 2, 3, 4), { nil: undefined, freq: 4 }),
  done: fc.subarray([...ACTIONS]),
});

export function decide(policy: LoadedPolicy, { done, declaredTier, ...question }: Question) {
  const request: ActionRequest = { ...question, at: 1e12, ...(declaredTier && { declaredTier }) };
  return policy.decide(request, { hasDone: (_actor, matches) => done.some(matches) });
}
