import { existsSync } from 'node:fs';
import { z } from 'zod';
import { createApprovals } from '../approvals/approvals.ts';
import type { Approvals } from '../approvals/approvals.ts';
import {
  approveRequest,
  denyRequest,
  listApprovalGroups,
  listApprovals,
} from '../approvals/commands.ts';
import { APPROVAL_STATES } from '../approvals/state.ts';
import { voteOnMatching } from '../approvals/vote-on-matching.ts';
import { GOVERNANCE_MIGRATIONS } from '../governance.ts';
import { LedgerOpenError } from '../ledger/errors.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { CommandResult } from '../policy/commands.ts';
import { type Person, ROLES } from '../roles/roles.ts';
import { defineCommand, type Host, type OptionDefinition, UsageError } from './command.ts';
import { Count, Database, DATABASE } from './values.ts';

const WHO = {
  database: DATABASE,
  'key-file': { value: 'FILE', about: "the log's key file (default: the database and .key)" },
  as: { value: 'ID', about: "who you are (default: the operating system's user)" },
  role: { value: 'ROLE', about: `${ROLES.join(', ')} (default operator)` },
} as const satisfies Record<string, OptionDefinition>;

const Who = z.strictObject({
  database: Database,
  'key-file': z.string().exactOptional(),
  as: z.string().trim().min(1).max(200).exactOptional(),
  role: z.enum(ROLES).default('operator'),
});
type Who = z.output<typeof Who>;

const TRUST = `Nobody checks who you say you are: whoever can write the database and read its key can approve. Give both to nobody
else, and let people without an account on this machine vote through the form or the service. The service may run meanwhile.`;

const WHICH = {
  action: {
    value: 'GLOB',
    about: 'only this action; * stands for one part of a name, ** for more',
  },
  agent: { value: 'ID', about: 'only what this one asks for' },
} as const satisfies Record<string, OptionDefinition>;

const Pattern = z.string().min(1).max(256).exactOptional();
const AgentId = z.string().min(1).max(1_024).exactOptional();

export const approvalsList = defineCommand({
  name: 'approvals list',
  about:
    'Shows what waits for a person, the newest first, with all that one has to know to decide.',
  operands: [],
  options: {
    ...WHO,
    state: {
      value: 'STATE',
      isRepeatable: true,
      about: `${APPROVAL_STATES.join(', ')} (default pending)`,
    },
    ...WHICH,
    group: { about: 'only how many there are of what is alike' },
    limit: { value: 'N', about: 'at most so many (default 50)' },
    after: { value: 'CURSOR', about: 'older ones, from where the page before ended' },
  },
  notes: TRUST,
  schema: Who.extend({
    state: z.array(z.enum(APPROVAL_STATES)).exactOptional(),
    action: Pattern,
    agent: AgentId,
    group: z.boolean().default(false),
    limit: Count.exactOptional(),
    after: z.string().exactOptional(),
  }),
  run: ({ state, action, agent, group, limit, after, ...who }, host) =>
    withApprovals(who, host, (approvals, person) =>
      (group ? listApprovalGroups : listApprovals)(approvals, {
        person,
        action,
        actorId: agent,
        limit,
        after,
        ...(state && { states: state }),
      }),
    ),
});

const VOTE = {
  ...WHO,
  comment: { value: 'TEXT', about: 'why, for the others (at most 500 characters)' },
  'all-matching': {
    about: 'without ID: all that wait and fit --action, each by a vote of its own',
  },
  ...WHICH,
  limit: { value: 'N', about: 'at most so many, those that wait the longest first' },
  yes: { about: 'with --all-matching: do it; else it is only said what would be done' },
} as const satisfies Record<string, OptionDefinition>;

const Vote = Who.extend({
  id: z.string().min(1).exactOptional(),
  comment: z.string().max(500).exactOptional(),
  'all-matching': z.boolean().default(false),
  action: Pattern,
  agent: AgentId,
  limit: Count.exactOptional(),
  yes: z.boolean().default(false),
});

export const approvalsApprove = defineCommand({
  name: 'approvals approve',
  about: 'Agrees to a request: what it asks for may then be done once, as it was asked for.',
  operands: [],
  optionalOperands: ['id'],
  options: VOTE,
  notes: TRUST,
  schema: Vote,
  run: (values, host) => runVote('approve', values, host),
});

export const approvalsDeny = defineCommand({
  name: 'approvals deny',
  about: 'Says no to a request, also to one that was approved and is not used yet.',
  operands: [],
  optionalOperands: ['id'],
  options: VOTE,
  notes: TRUST,
  schema: Vote,
  run: (values, host) => runVote('deny', values, host),
});

function runVote(
  vote: 'approve' | 'deny',
  { id, comment, 'all-matching': isAll, action, agent, limit, yes, ...who }: z.output<typeof Vote>,
  host: Host,
): Promise<CommandResult> {
  const why = comment !== undefined && { comment };
  if (!isAll) {
    const isBulk = action !== undefined || agent !== undefined || limit !== undefined || yes;
    if (isBulk)
      throw new UsageError('--action, --agent, --limit and --yes go with --all-matching.');
    if (id === undefined)
      throw new UsageError('ID is missing; or give --all-matching --action GLOB.');
    const voteOn = vote === 'approve' ? approveRequest : denyRequest;
    return withApprovals(who, host, (approvals, person) =>
      voteOn(approvals, { id, person, ...why }),
    );
  }
  if (id !== undefined) throw new UsageError('Give either ID or --all-matching, not both.');
  if (action === undefined) throw new UsageError('--all-matching needs --action GLOB.');
  return withApprovals(who, host, (approvals, person) =>
    voteOnMatching(approvals, {
      person,
      vote,
      action,
      isConfirmed: yes,
      ...(agent !== undefined && { agent }),
      ...(limit !== undefined && { limit }),
      ...why,
    }),
  );
}

async function withApprovals(
  { database, 'key-file': keyFile, as, role }: Who,
  { clock, userName }: Host,
  work: (approvals: Approvals, person: Person) => CommandResult | Promise<CommandResult>,
): Promise<CommandResult> {
  // Else a path that is misspelt would make a new one, in which nothing waits.
  if (!existsSync(database)) {
    throw new LedgerOpenError(
      `There is no database at ${database}; give its path with --database, the one that the service was given.`,
    );
  }
  await using ledger = openLedger(
    { file: database, ...(keyFile !== undefined && { keyFile }) },
    { clock, migrations: GOVERNANCE_MIGRATIONS },
  );
  const approvals = createApprovals({}, { ledger, clock, secret: ledger.secretFor('approvals') });
  await approvals.expireDue(); // where no service runs that does
  return await work(approvals, { id: as ?? userName(), role });
}
