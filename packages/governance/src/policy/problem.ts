import { closestMatch } from 'leven';

export type PolicyProblemCode =
  | 'FILE_UNREADABLE'
  | 'TOO_LARGE'
  | 'YAML_SYNTAX'
  | 'YAML_FEATURE'
  | 'DUPLICATE_KEY'
  | 'UNKNOWN_KEY'
  | 'MISSING_KEY'
  | 'WRONG_TYPE'
  | 'WRONG_VALUE'
  | 'DUPLICATE_RULE'
  | 'IMPOSSIBLE_CONDITION'
  | 'UNREACHABLE_RULE'
  | 'UNKNOWN_TOOL'
  | 'TEST_FAILED';

/** One reason why a policy is not loaded. */
export interface PolicyProblem {
  code: PolicyProblemCode;
  /** The file's name, as the caller gave it. */
  source: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** Where in the document: `rules.2.when.args.amount`; empty for all of it. */
  path: string;
  /** What is wrong. */
  message: string;
  /** What to do about it. */
  hint: string;
}

/** `governance_policies.yaml:12:5: rules.2.teir is no word of a policy. Did you mean \`tier\`?` */
export function formatPolicyProblem(problem: PolicyProblem): string {
  const { source, line, column, message, hint } = problem;
  return `${source}:${line}:${column}: ${message}. ${hint}`;
}

/** The candidate that was probably meant; undefined when none is near. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  // Two letters swapped are two apart; in words of three, nearly everything is.
  const maxDistance = word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return closestMatch(word.toLowerCase().slice(0, 64), candidates, { maxDistance });
}
