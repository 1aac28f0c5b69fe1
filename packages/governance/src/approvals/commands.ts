import { BuddyError, createRedactor } from '@buddy/core';
import type { CommandResult } from '../policy/commands.ts';
import { PermissionDeniedError, type Person } from '../roles/roles.ts';
import { showUntrusted } from '../untrusted/show-untrusted.ts';
import type { Approval, ApprovalContent } from './approval.ts';
import type { Approvals, ListOptions } from './approvals.ts';
import { approvalsFor, type PersonalApprovals } from './approvals-for.ts';
import { ApprovalUnreadableError } from './errors.ts';
import { argumentRows } from './form/argument-rows.ts';
import { groupLines, groupRecord } from './group-lines.ts';

export interface ListApprovalsOptions extends Pick<
  ListOptions,
  'action' | 'actorId' | 'after' | 'limit' | 'states'
> {
  /** Who looks; he sees no more than his role does. */
  person: Person;
}

/** `approvals list --group`: how many there are of what is alike. */
export function listApprovalGroups(
  approvals: Approvals,
  { person, states = ['pending'], action, actorId }: ListApprovalsOptions,
): CommandResult {
  return orRefusal(() => {
    const groups = approvalsFor(approvals, person).groups({ states, action, actorId });
    return {
      text: groups.length === 0 ? NOTHING_WAITS : groupLines(groups),
      json: { ok: true, groups: groups.map(groupRecord) },
      exitCode: 0,
    };
  });
}

const NOTHING_WAITS = 'Nothing waits for a decision.\n';

/** `approvals list`: what waits, the newest first, with all that one has to know to decide. */
export function listApprovals(
  approvals: Approvals,
  { person, states = ['pending'], action, actorId, after, limit }: ListApprovalsOptions,
): CommandResult {
  return orRefusal(() => {
    const mine = approvalsFor(approvals, person);
    const { approvals: found, next } = mine.list({ states, action, actorId, after, limit });
    const seen = found.map((approval) => ({ approval, content: contentFor(mine, approval) }));
    const parts = seen.map(({ approval, content }) => textOf(approval, content));
    const more = next === null ? [] : [`There are older ones: --after ${next}\n`];
    return {
      text: [...(parts.length === 0 ? [NOTHING_WAITS] : parts), ...more].join('\n'),
      json: { ok: true, approvals: seen.map(recordOf), next },
      exitCode: 0,
    };
  });
}

export interface VoteCommand {
  id: string;
  person: Person;
  comment?: string;
}

/** `approvals approve ID`. */
export function approveRequest(approvals: Approvals, command: VoteCommand): Promise<CommandResult> {
  return voteOn(approvals, 'approve', command);
}

/** `approvals deny ID`. */
export function denyRequest(approvals: Approvals, command: VoteCommand): Promise<CommandResult> {
  return voteOn(approvals, 'deny', command);
}

async function voteOn(
  approvals: Approvals,
  vote: 'approve' | 'deny',
  { id, person, comment }: VoteCommand,
): Promise<CommandResult> {
  try {
    const approval = await approvals.vote(id, {
      by: person,
      vote,
      via: 'cli',
      ...(comment !== undefined && { comment }),
    });
    const { state, votes, demand, action } = approval;
    const agreed = votes.filter((given) => given.vote === 'approve').length;
    const waits = state === 'pending' ? `; ${agreed} of ${demand.quorum} people have agreed` : '';
    return {
      text: `${showUntrusted(action)} (${approval.id}) is ${state}${waits}.\n`,
      json: { ok: true, id: approval.id, state, agreed, quorum: demand.quorum },
      exitCode: 0,
    };
  } catch (error) {
    return refusalOf(error);
  }
}

function orRefusal(work: () => CommandResult): CommandResult {
  try {
    return work();
  } catch (error) {
    return refusalOf(error);
  }
}

const NOTHING_SAID = new Set(['GOVERNANCE_APPROVAL_NOT_FOUND', 'CORE_INVALID_INPUT']);

/** What Buddy refuses on purpose is an answer; anything else is a fault. */
function refusalOf(error: unknown): CommandResult {
  if (!(error instanceof BuddyError)) throw error;
  return {
    text: `${showUntrusted(error.message, { keepLines: true })}\n`,
    json: { ok: false, code: error.code, message: error.message },
    exitCode: NOTHING_SAID.has(error.code) ? 2 : 1,
  };
}

type ShownContent = ApprovalContent | 'hidden' | 'unreadable' | undefined;

function contentFor(mine: PersonalApprovals, { id }: Approval): ShownContent {
  try {
    return mine.contentOf(id);
  } catch (error) {
    if (error instanceof PermissionDeniedError) return 'hidden';
    if (error instanceof ApprovalUnreadableError) return 'unreadable';
    throw error;
  }
}

/** What one judges by stays: addresses, long ids. */
const { redact: withoutSecrets } = createRedactor({ ipAddresses: false, genericKeys: false });

const MAX_ROWS = 40;
const MAX_CHARS = 300;

function textOf(approval: Approval, content: ShownContent): string {
  const { id, state, action, actor, tier, rule, demand, escalatedTo, votes, expiresAt } = approval;
  const behalf = actor.onBehalfOf === undefined ? '' : ` for ${shown(actor.onBehalfOf)}`;
  const agreed = votes.filter(({ vote }) => vote === 'approve').length;
  const lines = [
    `${id}  ${state}  ${shown(action)}  tier ${tier}`,
    `  asked by   ${actor.kind} ${shown(actor.id)}${behalf}`,
    `  rule       ${shown(rule)}`,
    `  who        ${agreed} of ${demand.quorum} agreed; roles ${[...demand.from, ...escalatedTo].join(', ')}`,
    `  expires    ${new Date(expiresAt).toISOString()}`,
    ...argumentLines(content),
  ];
  return `${lines.join('\n')}\n`;
}

function argumentLines(content: ShownContent): string[] {
  if (content === undefined) return ['  arguments  erased: it has ended'];
  if (content === 'hidden') return ['  arguments  not for this role'];
  if (content === 'unreadable')
    return ['  arguments  cannot be read: cancel it, and have it asked for again'];
  const { rows, leftOut } = argumentRows(withoutSecrets(content.input), MAX_ROWS);
  return [
    `  reason     ${content.rationale === null ? 'none given' : shown(content.rationale)}`,
    ...rows.map(({ path, kind, value }) => {
      const name = path === '' ? '(arguments)' : shown(path);
      return `  argument   ${name} = ${kind === 'text' ? `"${shown(value)}"` : value || kind}`;
    }),
    ...(leftOut > 0 ? [`  argument   … ${leftOut} more are not shown`] : []),
  ];
}

function shown(text: string): string {
  return showUntrusted(text, { maxChars: MAX_CHARS });
}

/** On the wire: snake_case, times in ISO 8601. */
function recordOf({ approval, content }: { approval: Approval; content: ShownContent }) {
  const { actor, demand, escalatedTo, votes } = approval;
  return {
    id: approval.id,
    state: approval.state,
    action: approval.action,
    actor: {
      kind: actor.kind,
      id: actor.id,
      ...(actor.onBehalfOf !== undefined && { on_behalf_of: actor.onBehalfOf }),
    },
    tier: approval.tier,
    rule: approval.rule,
    run_id: approval.runId,
    task_id: approval.taskId,
    roles: [...demand.from, ...escalatedTo],
    quorum: demand.quorum,
    votes: votes.map(({ by, vote, comment, at }) => ({
      by: by.id,
      role: by.role,
      vote,
      comment,
      at: new Date(at).toISOString(),
    })),
    filed_at: new Date(approval.filedAt).toISOString(),
    expires_at: new Date(approval.expiresAt).toISOString(),
    arguments: typeof content === 'object' ? (withoutSecrets(content.input) ?? null) : null,
    rationale: typeof content === 'object' ? content.rationale : null,
  };
}
