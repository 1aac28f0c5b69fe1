import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyDocument } from '@buddy/governance';
import { ACTIONS, IDS, KINDS, type Question, type Rule } from './random-policy.ts';
import { fitsGlob, foldedText, listed, lookUp } from './reference.ts';

/*
 * A policy in Cedar, which knows allow and deny only: an approval is asked for where the action would be allowed with one
 * (first question) and not without (second question). Types are told to Cedar beside the values, for it cannot ask for them.
 */

export class CedarPolicy {
  static #count = 0;
  readonly #withApproval: string;
  readonly #without: string;

  constructor({ rules }: PolicyDocument) {
    const live = rules.filter((rule) => rule.mode !== 'shadow');
    const permits = live.filter((rule) => !rule.block).map((rule) => permitWhen(surely(rule)));
    const tiered = live
      .filter((rule) => rule.tier !== undefined)
      .map((rule) => `(${surely(rule)})`);
    const forbids = [
      forbidWhen(`!(${['context.tier > 0', ...tiered].join(' || ')})`),
      forbidWhen('context.tier == 4'),
      ...live
        .filter((rule) => rule.block === true || rule.tier === 4)
        .map((rule) => forbidWhen(maybe(rule))),
      ...live.flatMap((rule) =>
        listed(rule.limit).flatMap(({ amount }) =>
          amount === undefined
            ? []
            : [
                forbidWhen(
                  `${maybe(rule)} && !(${is(amount, 'number')} && ${numberAt(amount)} >= 0)`,
                ),
              ],
        ),
      ),
    ];
    const asking = live.filter((rule) => rule.approve).map((rule) => forbidWhen(maybe(rule)));
    CedarPolicy.#count += 1;
    this.#withApproval = parsed(`with-${CedarPolicy.#count % 2}`, [...permits, ...forbids]);
    this.#without = parsed(`without-${CedarPolicy.#count % 2}`, [
      ...permits,
      ...forbids,
      ...asking,
    ]);
  }

  outcome(question: Question): 'allow' | 'approve' | 'deny' {
    const context = contextOf(question);
    if (!isAllowed(this.#withApproval, context)) return 'deny';
    return isAllowed(this.#without, context) ? 'allow' : 'approve';
  }
}

function parsed(id: string, policies: readonly string[]): string {
  const answer = preparsePolicySet(id, { staticPolicies: policies.join('\n') });
  if (answer.type === 'failure')
    throw new Error(`${JSON.stringify(answer.errors)}\n${policies.join('\n')}`);
  return id;
}

type Context = Parameters<typeof statefulIsAuthorized>[0]['context'];

function isAllowed(id: string, context: Context): boolean {
  const nobody = { type: 'Agent', id: 'a' };
  const answer = statefulIsAuthorized({
    principal: nobody,
    action: { type: 'Action', id: 'call' },
    resource: nobody,
    context,
    preparsedPolicySetId: id,
    entities: [],
  });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  const { errors } = answer.response.diagnostics;
  if (errors.length > 0) throw new Error(JSON.stringify(errors)); // Cedar would leave such a policy out
  return answer.response.decision === 'allow';
}

const PATHS = ['n', 't', 'f', 'o.n'];

function contextOf({ action, actor, input, declaredTier, done }: Question): Context {
  const args = PATHS.map((path) => [path, lookUp(input, path)] as const);
  const values = args.map(
    ([path, looked]) => [path, looked.is === 'value' ? looked.value : undefined] as const,
  );
  const pick = (type: string) => values.filter(([, value]) => typeof value === type);
  return {
    call: action,
    kind: actor.kind,
    id: actor.id,
    tier: declaredTier ?? 0,
    done: [...done],
    shape: Object.fromEntries(
      args.map(([path, looked]) => [
        path,
        looked.is === 'value' ? kindOf(looked.value) : looked.is,
      ]),
    ),
    // Cedar has whole numbers only; ours here are, or are halves.
    number: Object.fromEntries(pick('number').map(([path, value]) => [path, Number(value) * 2])),
    text: Object.fromEntries(pick('string').map(([path, value]) => [path, String(value)])),
    folded: Object.fromEntries(
      pick('string').map(([path, value]) => [path, String(foldedText(value))]),
    ),
    flag: Object.fromEntries(pick('boolean').map(([path, value]) => [path, value === true])),
  };
}

function kindOf(value: unknown): string {
  return ['number', 'string', 'boolean'].includes(typeof value) ? typeof value : 'other';
}

function permitWhen(condition: string): string {
  return `permit(principal, action, resource) when { ${condition} };`;
}

function forbidWhen(condition: string): string {
  return `forbid(principal, action, resource) when { ${condition} };`;
}

const quote = (text: string) => JSON.stringify(text);
const setOf = (values: readonly unknown[]) =>
  `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
const is = (path: string, kind: string) => `context.shape[${quote(path)}] == ${quote(kind)}`;
const numberAt = (path: string) => `context.number[${quote(path)}]`;

function surely(rule: Rule): string {
  return [
    ...plainly(rule),
    ...Object.entries(rule.when.args ?? {}).flatMap(([path, condition]) =>
      surelyFits(path, condition),
    ),
  ].join(' && ');
}

function maybe(rule: Rule): string {
  return [
    ...plainly(rule),
    ...Object.entries(rule.when.args ?? {}).flatMap(([path, condition]) =>
      maybeFits(path, condition),
    ),
  ].join(' && ');
}

/** What is never in doubt. Patterns are written out, for Cedar knows no segments. */
function plainly({ when }: Rule): string[] {
  const terms = [`${setOf(among(ACTIONS, listed(when.action), fitsGlob))}.contains(context.call)`];
  if (when.actor?.kind)
    terms.push(
      `${setOf(among(KINDS, listed(when.actor.kind), (a, b) => a === b))}.contains(context.kind)`,
    );
  if (when.actor?.id)
    terms.push(
      `${setOf(among(IDS, listed(when.actor.id), (glob, id) => new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(id)))}.contains(context.id)`,
    );
  if (when.after) {
    const meant = among(ACTIONS, listed(when.after.action), fitsGlob);
    terms.push(
      `(${['false', ...meant.map((name) => `context.done.contains(${quote(name)})`)].join(' || ')})`,
    );
  }
  return terms;
}

function among(
  names: readonly string[],
  patterns: readonly string[],
  fits: (pattern: string, name: string) => boolean,
): string[] {
  return names.filter((name) => patterns.some((pattern) => fits(pattern, name)));
}

type Condition = NonNullable<Rule['when']['args']>[string];

function surelyFits(path: string, condition: Condition): string[] {
  const terms: string[] = [];
  if (condition.exists === true)
    terms.push(`!(${is(path, 'absent')}) && !(${is(path, 'unreadable')})`);
  if (condition.exists === false) terms.push(is(path, 'absent'));
  for (const { kind, test } of testsOf(path, condition))
    terms.push(`(${is(path, kind)} && ${test})`);
  return terms;
}

function maybeFits(path: string, condition: Condition): string[] {
  const terms: string[] = [];
  if (condition.exists === true) terms.push(`!(${is(path, 'absent')})`);
  if (condition.exists === false)
    terms.push(`(${is(path, 'absent')} || ${is(path, 'unreadable')})`);
  for (const { kind, test, looseTest } of testsOf(path, condition))
    terms.push(`(!(${is(path, kind)}) || ${looseTest ?? test})`);
  return terms;
}

function testsOf(path: string, { min, max, equals, in: several }: Condition) {
  const tests: { kind: string; test: string; looseTest?: string }[] = [];
  if (min !== undefined) tests.push({ kind: 'number', test: `${numberAt(path)} >= ${2 * min}` });
  if (max !== undefined) tests.push({ kind: 'number', test: `${numberAt(path)} <= ${2 * max}` });
  const values = several ?? (equals === undefined ? [] : [equals]);
  const [first] = values;
  if (typeof first === 'number')
    tests.push({
      kind: 'number',
      test: `${setOf(values.map((value) => 2 * Number(value)))}.contains(${numberAt(path)})`,
    });
  if (typeof first === 'boolean')
    tests.push({ kind: 'boolean', test: `context.flag[${quote(path)}] == ${first}` });
  if (typeof first === 'string')
    tests.push({
      kind: 'string',
      test: `${setOf(values)}.contains(context.text[${quote(path)}])`,
      looseTest: `${setOf(values.map(foldedText))}.contains(context.folded[${quote(path)}])`,
    });
  return tests;
}
