import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ResumeTokenError } from '../errors.ts';
import type { Wire } from '../protocol/plain-data.ts';
import { VisibleWorld } from './visible-world.ts';
import { VIOLATION_TYPES } from '../violations/violation.ts';

const wire = z.custom<Wire>((value) => value !== undefined);

const Outcome = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), value: wire }),
  z.strictObject({
    ok: z.literal(false),
    name: z.string(),
    message: z.string(),
    violation: z
      .strictObject({
        type: z.enum(VIOLATION_TYPES),
        details: z.string(),
        line: z.int().nullable(),
      })
      .nullable(),
  }),
]);

export const TOKEN_VERSION = 2;
const Versioned = z.object({ version: z.int() });

const PausedRun = z.strictObject({
  version: z.literal(TOKEN_VERSION),
  executionId: z.string(),
  keyPrefix: z.string(),
  code: z.string(),
  language: z.enum(['javascript', 'typescript']).optional(),
  input: wire,
  seed: z.union([z.string(), z.number()]),
  now: z.number(),
  answers: z.array(
    z.strictObject({
      id: z.int().positive(),
      question: z.string(),
      outcome: Outcome,
      elapsedMs: z.number(),
      afterQuestions: z.int().nonnegative(),
    }),
  ),
  /** What it asked that waits for a person: the replay must come to ask the same. */
  waiting: z.array(z.strictObject({ id: z.int().positive(), question: z.string() })),
  world: VisibleWorld,
  /** Already in the log: the replay meets them again. */
  violationsLogged: z.int().nonnegative(),
});

/** All there is to know of a paused run: its program, what it was given, and every answer it got. */
export type PausedRun = z.output<typeof PausedRun>;

/** Text that can be kept anywhere, for any time. It holds the code and the tools' results: keep it as they are kept. */
export function writeResumeToken(run: PausedRun): string {
  const body = Buffer.from(JSON.stringify(run)).toString('base64url');
  return `${digestOf(body)}.${body}`;
}

/**
 * @throws {ResumeTokenError} When the token is not one that was written here, whole. The digest finds accidents; it is no
 * signature, and whoever may write tokens decides what is replayed.
 */
export function readResumeToken(token: string): PausedRun {
  const [digest, body = ''] = token.split('.', 2);
  if (digest !== digestOf(body))
    throw new ResumeTokenError('The token is cut or was changed; use it as it was given.');
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(body, 'base64url').toString());
  } catch (error) {
    throw new ResumeTokenError('The token holds no JSON; use it as it was given.', {
      cause: error,
    });
  }
  const parsed = PausedRun.safeParse(content);
  if (parsed.success) return parsed.data;
  const { data } = Versioned.safeParse(content);
  const problem =
    data && data.version !== TOKEN_VERSION
      ? `is of version ${data.version}, and this package reads version ${TOKEN_VERSION}`
      : 'does not hold what a paused run does';
  throw new ResumeTokenError(`The token ${problem}; run the program again.`, {
    cause: parsed.error,
  });
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16);
}
