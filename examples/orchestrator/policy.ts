import { readFile } from 'node:fs/promises';
import { describeFailure } from '@buddy/core';
import { formatPolicyProblem, loadPolicy, PolicyNotLoadedError } from '@buddy/governance';

/** A policy that loads. */
export interface CheckedPolicy {
  text: string;
  /** Of what it says, whatever its layout: `sha256:` and hex. */
  digest: string;
}

/**
 * Reads a policy before anything else is done: a run under none is none.
 * @throws {PolicyNotLoadedError} With every problem, its line and column, and what to do.
 */
export async function checkedPolicy(file: string): Promise<CheckedPolicy> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PolicyNotLoadedError(file, [describeFailure(error).message]);
  });
  const result = loadPolicy(text, { source: file });
  if (!result.ok) throw new PolicyNotLoadedError(file, result.problems.map(formatPolicyProblem));
  return { text, digest: result.policy.digest };
}
