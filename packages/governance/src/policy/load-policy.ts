import { type LoadedPolicy, compilePolicy } from './compiled-policy.ts';
import { findIncoherence } from './coherence.ts';
import { policyDigest } from './digest.ts';
import { runInlineTests } from './inline-test.ts';
import type { PolicyProblem } from './problem.ts';
import { readPolicyDocument } from './read-policy-document.ts';
import { readSourceDocument, type SourceDocument } from './source-document.ts';

export interface LoadPolicyOptions {
  /** What the text is called in messages; a file's name, mostly. */
  source: string;
  /** The names of all tools there are; then a rule for a tool that does not exist is a problem, too. */
  tools?: readonly string[];
}

export type PolicyLoadResult =
  | { ok: true; policy: LoadedPolicy }
  /** At least one, in the order in which they stand in the text. */
  | { ok: false; problems: readonly PolicyProblem[] };

/**
 * Reads a policy, or says all that is wrong with it. There is no half: a policy with an unknown key, a wrong type, a key
 * twice, a rule that can decide nothing or an example that comes out otherwise is not loaded.
 * @example
 * const result = loadPolicy(await readFile(file, 'utf8'), { source: file });
 * if (!result.ok) throw new Error(result.problems.map(formatPolicyProblem).join('\n'));
 * result.policy.decide({ action: 'crm.contacts.read', … }, history);
 */
export function loadPolicy(text: string, options: LoadPolicyOptions): PolicyLoadResult {
  const result = compileText(text, options);
  if (!result.ok) return result;
  const { policy, document } = result;
  const problems = runInlineTests(policy, policy.document.tests ?? []).flatMap(
    ({ index, name, failure, decision }) =>
      failure === undefined
        ? []
        : [
            document.problemAt(['tests', index, 'expect'], {
              code: 'TEST_FAILED',
              message: `The example "${name}" comes out otherwise: ${failure}`,
              hint: `Change the rule or the example. ${decision.explanation}`,
            }),
          ],
  );
  return problems.length === 0 ? { ok: true, policy } : { ok: false, problems };
}

export type CompiledText =
  | { ok: true; policy: LoadedPolicy; document: SourceDocument }
  | { ok: false; problems: readonly PolicyProblem[] };

/** All of `loadPolicy` but the policy's own examples. */
export function compileText(text: string, { source, tools }: LoadPolicyOptions): CompiledText {
  const read = readSourceDocument(text, source);
  if (!read.ok) return { ok: false, problems: inOrder(read.problems) };
  const { document } = read;
  const parsed = readPolicyDocument(document);
  if (!parsed.ok) return { ok: false, problems: inOrder(parsed.problems) };
  const problems = findIncoherence(parsed.policy, document, tools);
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) };
  const digest = policyDigest(document.data);
  const policy = compilePolicy({ document: deepFreeze(parsed.policy), text, source, digest });
  return { ok: true, document, policy };
}

function inOrder(problems: readonly PolicyProblem[]): PolicyProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
