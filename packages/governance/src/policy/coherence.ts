import { includesActions, includesTexts, matchesAction } from './glob.ts';
import { currencies, durationMs, parseMoney } from './measures.ts';
import { nearestWord, type PolicyProblem, type PolicyProblemCode } from './problem.ts';
import type { DocumentPath, SourceDocument } from './source-document.ts';
import {
  type ArgumentConditionDocument,
  listOf,
  type PolicyDocument,
  type RuleDocument,
  type ScalarDocument,
  type WhenDocument,
} from './vocabulary.ts';

/*
 * What each rule says on its own can be right, and the whole still make no sense. Found here, and only where it is certain:
 * - a rule twice; a condition that nothing can meet; a spend in no currency;
 * - a rule that can decide nothing, because another speaks of everything that it speaks of and is stricter: an `allow` or
 *   `approve` under a `block`, an `allow` under an `approve` of no lower tier (and without a limit of its own);
 * - two live rules with the same condition and the same effect;
 * - a name that no tool has, where the tools are known.
 * That several rules together leave nothing to another is not looked for.
 */
export function findIncoherence(
  policy: PolicyDocument,
  document: SourceDocument,
  tools: readonly string[] | undefined,
): PolicyProblem[] {
  return [
    ...rulesTwice(policy, document),
    ...policy.rules.flatMap((rule, index) => [
      ...impossibleConditions(rule, ['rules', index], document),
      ...unknownCurrencies(rule, ['rules', index], document),
      ...(tools ? unknownTools(rule, ['rules', index], document, tools) : []),
    ]),
    ...unreachableRules(policy.rules, document),
  ];
}

function rulesTwice({ rules }: PolicyDocument, document: SourceDocument): PolicyProblem[] {
  const firstOf = new Map<string, number>();
  return rules.flatMap(({ id }, index) => {
    const first = firstOf.get(id);
    if (first === undefined) {
      firstOf.set(id, index);
      return [];
    }
    const message = `There is a rule ${id} already, the ${ordinal(first)}`;
    const hint = 'Give this one another id; the log names rules by it.';
    return [document.problemAt(['rules', index, 'id'], { code: 'DUPLICATE_RULE', message, hint })];
  });
}

function impossibleConditions(
  { when }: RuleDocument,
  path: DocumentPath,
  document: SourceDocument,
): PolicyProblem[] {
  return Object.entries(when.args ?? {}).flatMap(([argument, condition]) => {
    const why = whyImpossible(condition);
    if (!why) return [];
    const [message, hint] = why;
    const code: PolicyProblemCode = 'IMPOSSIBLE_CONDITION';
    return [
      document.problemAt([...path, 'when', 'args', argument], {
        code,
        message: `${argument} ${message}`,
        hint,
      }),
    ];
  });
}

function whyImpossible(
  condition: ArgumentConditionDocument,
): [message: string, hint: string] | undefined {
  const { min, max, equals, in: listed, exists } = condition;
  const values = valuesOf(condition);
  const range = min !== undefined || max !== undefined;
  if (exists === false && Object.keys(condition).length > 1)
    return ['must be both missing and something', 'Say `exists: false` alone.'];
  if (min !== undefined && max !== undefined && min > max)
    return [`must be at least ${min} and at most ${max}, which no number is`, 'Swap min and max.'];
  if (equals !== undefined && listed !== undefined)
    return ['has both `equals` and `in`', 'Keep `in`, with every value that is meant.'];
  if (new Set(values?.map((value) => typeof value)).size > 1)
    return [
      'is compared with values of several types',
      'Write all as texts (in quotes), or all as numbers.',
    ];
  if (
    range &&
    values?.some(
      (value) =>
        typeof value !== 'number' || value < (min ?? -Infinity) || value > (max ?? Infinity),
    )
  )
    return [
      'is compared with a value outside of min and max',
      'Leave min and max out beside `in` and `equals`.',
    ];
  return undefined;
}

function unknownCurrencies({ limit }: RuleDocument, path: DocumentPath, document: SourceDocument) {
  return listOf(limit).flatMap(({ spend }, n) => {
    if (spend === undefined || parseMoney(spend)) return [];
    const currency = spend.split(' ')[1] ?? '';
    const place = Array.isArray(limit)
      ? [...path, 'limit', n, 'spend']
      : [...path, 'limit', 'spend'];
    const isKnown = currencies().has(currency);
    return [
      document.problemAt(place, {
        code: 'WRONG_VALUE',
        message: isKnown
          ? `${spend} has more digits than ${currency} has`
          : `${currency} is no currency`,
        hint: isKnown
          ? 'Write fewer digits after the point.'
          : 'Write its three letters by ISO 4217, such as EUR or USD.',
      }),
    ];
  });
}

function unknownTools(
  { when }: RuleDocument,
  path: DocumentPath,
  document: SourceDocument,
  tools: readonly string[],
): PolicyProblem[] {
  const places = [
    { globs: when.action, place: [...path, 'when', 'action'] },
    { globs: when.after?.action, place: [...path, 'when', 'after', 'action'] },
  ];
  return places.flatMap(({ globs, place }) =>
    listOf(globs).flatMap((glob, n) => {
      if (tools.some((tool) => matchesAction(glob, tool) || matchesAction(glob, `${tool}.undo`)))
        return [];
      const near = nearestWord(glob, tools);
      const problem = {
        code: 'UNKNOWN_TOOL',
        message: `No tool is called ${glob}`,
        hint: near === undefined ? `There are ${tools.join(', ')}.` : `Did you mean \`${near}\`?`,
      } as const;
      return [document.problemAt(Array.isArray(globs) ? [...place, n] : place, problem)];
    }),
  );
}

function unreachableRules(
  rules: readonly RuleDocument[],
  document: SourceDocument,
): PolicyProblem[] {
  const live = rules.flatMap((rule, index) => (rule.mode === 'shadow' ? [] : [{ rule, index }]));
  const stricter = live.filter(({ rule }) => !rule.allow);
  return live.flatMap(({ rule, index }) => {
    const path = ['rules', index, 'when'];
    if (!rule.block) {
      const by = stricter.find(({ rule: other }) => outdoes(other, rule));
      if (by) {
        const { id } = by.rule;
        const effect = by.rule.block ? 'blocks' : 'asks for approval of';
        const message = `Rule ${rule.id} can never decide: rule ${id} ${effect} everything that it is for`;
        const hint = `Remove it, or narrow ${id} with a condition that this rule does not share.`;
        return [document.problemAt(path, { code: 'UNREACHABLE_RULE', message, hint })];
      }
    }
    const twin = live.find(
      (other) =>
        other.index < index &&
        isSameEffect(other.rule, rule) &&
        covers(other.rule.when, rule.when) &&
        covers(rule.when, other.rule.when),
    );
    if (!twin) return [];
    const message = `Rule ${rule.id} has the same condition and effect as rule ${twin.rule.id}`;
    const hint = 'Make one of the two; `limit` takes a list.';
    return [document.problemAt(path, { code: 'UNREACHABLE_RULE', message, hint })];
  });
}

/** Whether `rule` can make no difference to the outcome beside `other`. */
function outdoes(other: RuleDocument, rule: RuleDocument): boolean {
  if (other === rule || !covers(other.when, rule.when)) return false;
  if (other.block) return true;
  return (
    rule.allow === true &&
    other.approve !== undefined &&
    rule.limit === undefined &&
    (rule.tier === undefined || (other.tier ?? 0) >= rule.tier)
  );
}

function isSameEffect(a: RuleDocument, b: RuleDocument): boolean {
  return a.block === b.block && a.allow === b.allow;
}

/** Whether the wider condition is met whenever the narrower is, and may be met whenever that may. False when in doubt. */
function covers(wider: WhenDocument, narrower: WhenDocument): boolean {
  return (
    coversActions(wider.action, narrower.action) &&
    coversActor(wider.actor, narrower.actor) &&
    Object.entries(wider.args ?? {}).every(([path, condition]) => {
      const args = narrower.args ?? {};
      const other = Object.hasOwn(args, path) ? args[path] : undefined;
      return other !== undefined && coversCondition(condition, other);
    }) &&
    coversHistory(wider.after, narrower.after)
  );
}

function coversActions(wider: WhenDocument['action'], narrower: WhenDocument['action']): boolean {
  const globs = listOf(wider);
  return listOf(narrower).every((inner) => globs.some((outer) => includesActions(outer, inner)));
}

function coversActor(wider: WhenDocument['actor'], narrower: WhenDocument['actor']): boolean {
  const [kinds, ids] = [listOf(wider?.kind), listOf(wider?.id)];
  const [narrowerKinds, narrowerIds] = [listOf(narrower?.kind), listOf(narrower?.id)];
  const coversKinds =
    kinds.length === 0 ||
    (narrowerKinds.length > 0 && narrowerKinds.every((kind) => kinds.includes(kind)));
  const coversIds =
    ids.length === 0 ||
    (narrowerIds.length > 0 &&
      narrowerIds.every((inner) => ids.some((outer) => includesTexts(outer, inner))));
  return coversKinds && coversIds;
}

function coversCondition(
  wider: ArgumentConditionDocument,
  narrower: ArgumentConditionDocument,
): boolean {
  // Alike in what a missing argument means, else one of the two may be met where the other surely is not.
  if (wider.exists !== undefined && wider.exists !== narrower.exists) return false;
  if (narrower.exists === false) return wider.exists === false;
  const [ours, theirs] = [valuesOf(wider), valuesOf(narrower)];
  if (ours && !theirs?.every((value) => ours.includes(value))) return false;
  const { min = -Infinity, max = Infinity } = wider;
  if (min === -Infinity && max === Infinity) return true;
  if (theirs)
    return theirs.every((value) => typeof value === 'number' && value >= min && value <= max);
  return (narrower.min ?? -Infinity) >= min && (narrower.max ?? Infinity) <= max;
}

function coversHistory(wider: WhenDocument['after'], narrower: WhenDocument['after']): boolean {
  if (!wider) return true;
  return (
    narrower !== undefined &&
    coversActions(wider.action, narrower.action) &&
    durationMs(wider.within) >= durationMs(narrower.within)
  );
}

function valuesOf({
  equals,
  in: listed,
}: ArgumentConditionDocument): readonly ScalarDocument[] | undefined {
  return listed ?? (equals === undefined ? undefined : [equals]);
}

function ordinal(index: number): string {
  return index === 0 ? 'first of the file' : `number ${index + 1} of the file`;
}
