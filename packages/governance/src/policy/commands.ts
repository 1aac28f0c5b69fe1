import type { ActionHistory, ActionRequest, PolicyDecision } from './decision.ts';
import { runInlineTests } from './inline-test.ts';
import { compileText, loadPolicy, type LoadPolicyOptions } from './load-policy.ts';
import { formatPolicyProblem, type PolicyProblem } from './problem.ts';
import { type ChangedDecision, type PastDecision, replayPolicy } from './replay.ts';
import { listOf } from './vocabulary.ts';

/** What a command has to say: to people, to programs, to the shell. */
export interface CommandResult {
  text: string;
  json: unknown;
  /** 0: good; 1: the policy is not, or decisions would change; 2: nothing could be said. */
  exitCode: 0 | 1 | 2;
}

/** Whether a policy would be loaded, and all that is wrong with it when not. */
export function checkPolicy(text: string, options: LoadPolicyOptions): CommandResult {
  const result = loadPolicy(text, options);
  if (!result.ok) return notLoaded(result.problems, 1);
  const { digest, document } = result.policy;
  const [rules, tests] = [document.rules.length, document.tests?.length ?? 0];
  const shadow = document.rules.filter(({ mode }) => mode === 'shadow').length;
  return {
    text: `${options.source} is good: ${rules} rules (${shadow} in shadow mode), ${tests} examples pass.\nDigest ${digest}\n`,
    json: { ok: true, digest, rules, shadow, tests },
    exitCode: 0,
  };
}

/** Each of the policy's own examples, and how it comes out; also where some fail. */
export function testPolicy(text: string, options: LoadPolicyOptions): CommandResult {
  const result = compileText(text, options);
  if (!result.ok) return notLoaded(result.problems, 2);
  const results = runInlineTests(result.policy, result.policy.document.tests ?? []);
  const failed = results.filter(({ isPassed }) => !isPassed);
  const lines = results.map(({ name, failure }) =>
    failure === undefined ? `ok      ${name}` : `FAILED  ${name}: ${failure}`,
  );
  return {
    text: `${[...lines, `${results.length - failed.length} of ${results.length} examples pass.`].join('\n')}\n`,
    json: {
      ok: failed.length === 0,
      tests: results.map(({ name, isPassed, failure, decision }) => ({
        name,
        isPassed,
        failure: failure ?? null,
        decision,
      })),
    },
    exitCode: failed.length === 0 ? 0 : 1,
  };
}

export interface ExplainRequest extends Omit<ActionRequest, 'at'> {
  /** Actions that the actor is taken to have done a moment ago. */
  after?: string | string[];
}

/** What a policy says of one action, and why. */
export function explainPolicy(
  text: string,
  options: LoadPolicyOptions,
  { after, ...request }: ExplainRequest,
): CommandResult {
  const result = loadPolicy(text, options);
  if (!result.ok) return notLoaded(result.problems, 2);
  const done = listOf(after);
  const history: ActionHistory = { hasDone: (_actor, matches) => done.some(matches) };
  const decision = result.policy.decide({ ...request, at: 0 }, history);
  const rule = result.policy.document.rules.find(({ id }) => id === decision.rule);
  return { text: explain(decision, rule?.description), json: decision, exitCode: 0 };
}

const WORDS: Readonly<Record<PolicyDecision['outcome'], string>> = {
  allow: 'ALLOW',
  approve: 'APPROVE (a person has to agree)',
  deny: 'BLOCK',
};

function explain(decision: PolicyDecision, description: string | undefined): string {
  const { outcome, tier, reasonCode, nearest, approval, limits, shadow, facts } = decision;
  const lines = [
    `${WORDS[outcome]}, tier ${tier} (${reasonCode})`,
    decision.explanation,
    ...(description === undefined ? [] : [`Why the rule is there: ${description}`]),
    ...Object.entries(facts).map(
      ([fact, value]) => `  looked at  ${fact} = ${JSON.stringify(value)}`,
    ),
    ...(nearest ? [`  nearest    ${nearest.rule}: ${nearest.failed}`] : []),
    ...(approval
      ? [
          `  approval   ${approval.quorum} of ${approval.from.join(' or ')}, not ${approval.not.join(', ')}, within ${approval.expiresMs / 60_000} min`,
        ]
      : []),
    ...limits.map(
      (limit) =>
        `  limit      ${limit.rule}: ${limit.amount} of ${limit.allowed} ${limit.currency === undefined ? limit.measure : `minor units of ${limit.currency}`} per ${limit.windowMs / 60_000} min, by ${limit.by}`,
    ),
    ...shadow.map((one) => `  shadow     ${one.rule} would say ${one.outcome}`),
    `  policy     ${decision.policyDigest}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Which decisions of the past would change, and of how many nothing can be said. */
export async function replayCommand(
  text: string,
  options: LoadPolicyOptions,
  past: Iterable<PastDecision> | AsyncIterable<PastDecision>,
): Promise<CommandResult> {
  const result = loadPolicy(text, options);
  if (!result.ok) return notLoaded(result.problems, 2);
  const replay = await replayPolicy(result.policy, past);
  const { total, unchanged, changed, unknown, notByPolicy } = replay;
  const missing = [...new Set(unknown.flatMap((one) => one.missing))].toSorted();
  const lines = [
    `${total} decisions: ${changed.length} would change, ${unchanged} would not.`,
    ...changed.slice(0, SHOWN).map(inWords),
    ...(changed.length > SHOWN ? [`  … and ${changed.length - SHOWN} more; --json shows all`] : []),
    ...(unknown.length > 0
      ? [
          `${unknown.length} cannot be replayed: the log does not hold ${missing.join(', ')}, which no rule looked at then.`,
        ]
      : []),
    ...(notByPolicy > 0
      ? [`${notByPolicy} were not the policy's: limits, the kill switch, unsafe input.`]
      : []),
  ];
  return { text: `${lines.join('\n')}\n`, json: replay, exitCode: changed.length > 0 ? 1 : 0 };
}

const SHOWN = 50;

function inWords({ seq, at, action, actor, before, after, change }: ChangedDecision): string {
  const when = new Date(at).toISOString();
  const to = `${after.outcome} (tier ${after.tier}, ${after.rule})`;
  return `  ${change.padEnd(8)} #${seq} ${when} ${actor.id} ${action}: ${before.outcome} (tier ${before.tier}, ${before.rule}) -> ${to}`;
}

function notLoaded(problems: readonly PolicyProblem[], exitCode: 1 | 2): CommandResult {
  return {
    text: `${problems.map(formatPolicyProblem).join('\n')}\n`,
    json: { ok: false, problems },
    exitCode,
  };
}
