import type { z } from 'zod';
import { snakeCase } from './snake-case.ts';

/** Something in a file that does not have the shape it must have. */
export interface Problem {
  /** Where: `bots[3].deployment.restart.period_ms`. */
  readonly path: string;
  /** What is wrong there. */
  readonly reason: string;
}

/** A problem, and which bot or template it keeps from being read. */
export interface EntryProblem extends Problem {
  readonly kind: 'bot' | 'template';
  /** Its id or name, when that can be read. */
  readonly name?: string;
}

/** @param at Where the value stands in its file: `bots[3]`. */
export function problemsOf(error: z.ZodError, at: string): Problem[] {
  return error.issues.map((issue) => ({
    path: issue.path.reduce<string>((path, part) => path + stepOf(part), at),
    reason: reasonOf(issue),
  }));
}

function stepOf(part: PropertyKey): string {
  return typeof part === 'number' ? `[${part}]` : `.${snakeCase(String(part))}`;
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `there is no such field: ${issue.keys.map(snakeCase).join(', ')}`;
  }
  return issue.message.endsWith('received undefined') ? 'is missing' : issue.message;
}
