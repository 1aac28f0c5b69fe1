import type { GivenAnswer } from '../../src/wire/answer-channel.ts';
import { gohighlevelProblems } from './gohighlevel-contract.ts';
import { graphProblems } from './graph-contract.ts';
import { mployerProblems } from './mployer-contract.ts';

/** What is wrong with an answer, by its provider's contract; nothing when all is right. */
export function contractProblems(given: GivenAnswer): readonly string[] {
  const { method, path } = given.request;
  const where = `${given.provider} ${method} ${path} -> ${given.answer.status}`;
  return problemsOf(given).map((problem) => `${where}: ${problem}`);
}

function problemsOf(given: GivenAnswer): readonly string[] {
  switch (given.provider) {
    case 'gohighlevel':
      return gohighlevelProblems(given);
    case 'msgraph':
      return graphProblems(given);
    case 'mployer':
      return mployerProblems(given);
  }
}
