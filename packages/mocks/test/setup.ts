import { subscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach } from 'vitest';
import type { GivenAnswer } from '../src/wire/answer-channel.ts';
import { contractProblems } from './contracts/contract-check.ts';

// A setup file for all tests of the package: no answer that a mock gives, in whatever test, may break its contract.
const problems = new Set<string>();

subscribe('buddy:mocks:answer', (message) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of our own making
  const given = message as GivenAnswer;
  if (given.answer.headers['x-notes'] !== undefined) return; // the made-up provider of test/notes
  for (const problem of contractProblems(given)) problems.add(problem);
});

afterEach(complain);
afterAll(complain); // of answers that a hook of the file was given; this one runs last

function complain(): void {
  const found = [...problems];
  problems.clear();
  if (found.length > 0) throw new Error(`Answers break their contract:\n${found.join('\n')}`);
}
