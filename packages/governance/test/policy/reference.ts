import type { PolicyDocument } from '@buddy/governance';
import type { Question, Rule } from './random-policy.ts';

/*
 * What a policy means, written a second time, as simply as can be and with nothing of the first: no index, no plan, regular
 * expressions for patterns, every rule looked at each time. Slow, and the judge of the fast one.
 */

export interface Expected {
  outcome: 'allow' | 'approve' | 'deny';
  tier: number;
  limits: number;
  quorum: number | undefined;
  shadow: readonly string[];
}

type Answer = 'yes' | 'maybe' | 'no';

export function expectedOf({ rules }: PolicyDocument, question: Question): Expected {
  const answers = rules.map((rule) => ({ rule, answer: answerOf(rule, question) }));
  const shadow = answers
    .filter(
      ({ rule, answer }) =>
        rule.mode === 'shadow' && (answer === 'yes' || (answer === 'maybe' && !rule.allow)),
    )
    .map(({ rule }) => rule.id)
    .toSorted();
  const restricting = answers
    .filter(({ rule, answer }) => rule.mode !== 'shadow' && answer !== 'no')
    .map(({ rule }) => rule);
  const sure = answers
    .filter(({ rule, answer }) => rule.mode !== 'shadow' && answer === 'yes')
    .map(({ rule }) => rule);

  const isTierKnown =
    question.declaredTier !== undefined || sure.some((rule) => rule.tier !== undefined);
  const tier = isTierKnown
    ? Math.max(question.declaredTier ?? 0, ...restricting.map((rule) => rule.tier ?? 0))
    : 4;
  const limits = restricting.flatMap((rule) => listed(rule.limit));
  const isCountable = limits.every(
    (limit) => limit.amount === undefined || isAmount(question.input[limit.amount]),
  );
  const approvals = restricting.filter((rule) => rule.approve);
  const denied = { outcome: 'deny', tier, limits: 0, quorum: undefined, shadow } as const;

  if (tier === 4 || restricting.some((rule) => rule.block)) return denied;
  if (!sure.some((rule) => rule.allow ?? rule.approve) || !isCountable) return denied;
  if (approvals.length === 0)
    return { outcome: 'allow', tier, limits: limits.length, quorum: undefined, shadow };
  const quorum = Math.max(...approvals.map((rule) => rule.approve?.quorum ?? 1));
  return { outcome: 'approve', tier, limits: limits.length, quorum, shadow };
}

function answerOf({ when }: Rule, { action, actor, input, done }: Question): Answer {
  const answers: Answer[] = [
    yesIf(listed(when.action).some((glob) => fitsGlob(glob, action))),
    yesIf(when.actor?.kind === undefined || listed(when.actor.kind).includes(actor.kind)),
    yesIf(
      when.actor?.id === undefined ||
        listed(when.actor.id).some((glob) =>
          new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(actor.id),
        ),
    ),
    yesIf(
      when.after === undefined ||
        done.some((one) => listed(when.after?.action).some((glob) => fitsGlob(glob, one))),
    ),
    ...Object.entries(when.args ?? {}).map(([path, condition]) =>
      ofArgument(condition, lookUp(input, path)),
    ),
  ];
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

type Looked = { is: 'value'; value: unknown } | { is: 'absent' } | { is: 'unreadable' };

export function lookUp(input: unknown, path: string): Looked {
  let value = input;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return { is: 'unreadable' };
    const found = Object.entries(value).find(([name]) => name === key);
    if (!found) return { is: 'absent' };
    value = found[1];
  }
  return { is: 'value', value };
}

function ofArgument(condition: NonNullable<Rule['when']['args']>[string], looked: Looked): Answer {
  const { exists, min, max, equals, in: several } = condition;
  const values = several ?? (equals === undefined ? undefined : [equals]);
  if (looked.is === 'unreadable') return 'maybe';
  if (looked.is === 'absent') return exists === undefined ? 'maybe' : yesIf(!exists);
  if (exists === false) return 'no';
  const { value } = looked;
  const answers: Answer[] = [];
  if (min !== undefined || max !== undefined)
    answers.push(
      typeof value === 'number'
        ? yesIf(value >= (min ?? value) && value <= (max ?? value))
        : 'maybe',
    );
  if (values) {
    if (typeof value !== typeof values[0]) answers.push('maybe');
    else if (values.some((one) => one === value)) answers.push('yes');
    else answers.push(values.some((one) => foldedText(one) === foldedText(value)) ? 'maybe' : 'no');
  }
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

/** As far as the drawn values need it. */
export function foldedText(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\u200B', '').trim().toLowerCase() : value;
}

export function fitsGlob(glob: string, action: string): boolean {
  const pattern = glob
    .split('.')
    .map((segment) =>
      segment === '**' ? String.raw`[^.]+(?:\.[^.]+)*` : segment.replaceAll('*', '[^.]*'),
    )
    .join(String.raw`\.`);
  return new RegExp(`^${pattern}$`).test(action);
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

export function listed<T>(value: T | T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function yesIf(isSo: boolean): Answer {
  return isSo ? 'yes' : 'no';
}
