import { existsSync } from 'node:fs';
import { z } from 'zod';
import { createApprovals } from '../approvals/approvals.ts';
import type { Approvals } from '../approvals/approvals.ts';
import { approveRequest, denyRequest, listApprovals } from '../approvals/commands.ts';
import { APPROVAL_STATES } from '../approvals/state.ts';
import { GOVERNANCE_MIGRATIONS } from '../governance.ts';
import { LedgerOpenError } from '../ledger/errors.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { CommandResult } from '../policy/commands.ts';
import { type Person, ROLES } from '../roles/roles.ts';
import { defineCommand, type Host, type OptionDefinition } from './command.ts';
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
    limit: { value: 'N', about: 'at most so many (default 50)' },
    after: { value: 'CURSOR', about: 'older ones, from where the page before ended' },
  },
  notes: TRUST,
  schema: Who.extend({
    state: z.array(z.enum(APPROVAL_STATES)).exactOptional(),
    limit: Count.exactOptional(),
    after: z.string().exactOptional(),
  }),
  run: ({ state, limit, after, ...who }, host) =>
    withApprovals(who, host, (approvals, person) =>
      listApprovals(approvals, {
        person,
        ...(state && { states: state }),
        ...(limit !== undefined && { limit }),
        ...(after !== undefined && { after }),
      }),
    ),
});

const VOTE = {
  ...WHO,
  comment: { value: 'TEXT', about: 'why, for the others (at most 500 characters)' },
} as const satisfies Record<string, OptionDefinition>;

const Vote = Who.extend({ id: z.string().min(1), comment: z.string().exactOptional() });

export const approvalsApprove = defineCommand({
  name: 'approvals approve',
  about: 'Agrees to a request: what it asks for may then be done once, as it was asked for.',
  operands: ['id'],
  options: VOTE,
  notes: TRUST,
  schema: Vote,
  run: ({ id, comment, ...who }, host) =>
    withApprovals(who, host, (approvals, person) =>
      approveRequest(approvals, { id, person, ...(comment !== undefined && { comment }) }),
    ),
});

export const approvalsDeny = defineCommand({
  name: 'approvals deny',
  about: 'Says no to a request, also to one that was approved and is not used yet.',
  operands: ['id'],
  options: VOTE,
  notes: TRUST,
  schema: Vote,
  run: ({ id, comment, ...who }, host) =>
    withApprovals(who, host, (approvals, person) =>
      denyRequest(approvals, { id, person, ...(comment !== undefined && { comment }) }),
    ),
});

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
  return await work(approvals, { id: as ?? userName(), role });
}
