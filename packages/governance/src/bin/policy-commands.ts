import { readFileSync } from 'node:fs';
import { BuddyError, describeFailure } from '@buddy/core';
import { z } from 'zod';
import { openAuditLog } from '../audit/audit-log.ts';
import { checkPolicy, explainPolicy, replayCommand, testPolicy } from '../policy/commands.ts';
import type { PastDecision } from '../policy/replay.ts';
import { defineCommand, fitForTerminal } from './command.ts';
import { Database, DATABASE, Json, Moment } from './values.ts';

const File = z.strictObject({ file: z.string() });

/** A file that a command was told to read cannot be read. */
class UnreadableFileError extends BuddyError {
  readonly code = 'GOVERNANCE_FILE_UNREADABLE';
}

export const policyCheck = defineCommand({
  name: 'policy check',
  about: 'Says whether a policy would be loaded, and all that is wrong with it when not.',
  operands: ['file'],
  options: {},
  schema: File,
  run: ({ file }) => checkPolicy(textOf(file), { source: file }),
});

export const policyTest = defineCommand({
  name: 'policy test',
  about: "Tries the policy's own examples, each by its name.",
  operands: ['file'],
  options: {},
  schema: File,
  run: ({ file }) => testPolicy(textOf(file), { source: file }),
});

const Actor = z
  .string()
  .regex(/^(?:agent|human|system):./, 'must be like agent:crm-7, human:ada or system:nightly')
  .transform((text) => ({
    kind: z.enum(['agent', 'human', 'system']).parse(text.slice(0, text.indexOf(':'))),
    id: text.slice(text.indexOf(':') + 1),
  }));

export const policyExplain = defineCommand({
  name: 'policy explain',
  about: 'Says what a policy would say of one action, and why.',
  operands: ['file', 'action'],
  options: {
    args: { value: 'JSON', about: 'what it is called with (default {})' },
    tier: { value: '1-4', about: 'what its author says of it (default: nothing)' },
    actor: { value: 'KIND:ID', about: 'who acts (default agent:agent)' },
    after: { value: 'ACTION', isRepeatable: true, about: 'what the actor did a moment ago' },
  },
  schema: z.strictObject({
    file: z.string(),
    action: z.string().min(1),
    args: Json.default({}),
    tier: z
      .enum(['1', '2', '3', '4'])
      .transform((text) => z.literal([1, 2, 3, 4]).parse(Number(text)))
      .exactOptional(),
    actor: Actor.default({ kind: 'agent', id: 'agent' }),
    after: z.array(z.string()).exactOptional(),
  }),
  run: ({ file, action, args, tier, actor, after }) =>
    explainPolicy(
      textOf(file),
      { source: file },
      {
        action,
        actor,
        input: args,
        ...(tier !== undefined && { declaredTier: tier }),
        ...(after && { after }),
      },
    ),
});

export const policyReplay = defineCommand({
  name: 'policy replay',
  about: 'Says which decisions of the past would be others under a new policy.',
  operands: ['file'],
  options: {
    since: { value: '30d', about: 'how far back: 12h, 30d, or a time in ISO 8601 (default 30d)' },
    database: DATABASE,
  },
  notes: `The log holds no arguments, only what the rules of then looked at: what the new policy would have to know besides
is counted apart, and never guessed.`,
  schema: z.strictObject({
    file: z.string(),
    since: Moment.prefault('30d'),
    database: Database,
  }),
  run: async ({ file, since, database }, { clock }) => {
    const text = textOf(file);
    using log = openAuditLog(database);
    const past = decisionsSince(log, since.at(clock.now()));
    return fitForTerminal(await replayCommand(text, { source: file }, past));
  },
});

function* decisionsSince(
  log: ReturnType<typeof openAuditLog>,
  since: number,
): Generator<PastDecision> {
  let after: string | undefined;
  do {
    const page = log.query({ since, limit: PAGE, ...(after !== undefined && { after }) });
    for (const entry of page.entries) {
      if (entry.kind === 'intent' || entry.kind === 'refusal') yield entry;
    }
    after = page.next;
  } while (after !== undefined);
}

const PAGE = 1_000;

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { message } = describeFailure(error);
    throw new UnreadableFileError(`The policy ${file} cannot be read: ${message}`, {
      cause: error,
    });
  }
}
