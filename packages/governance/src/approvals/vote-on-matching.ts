import { BuddyError } from '@buddy/core';
import type { CommandResult } from '../policy/commands.ts';
import type { Person } from '../roles/roles.ts';
import type { Approval } from './approval.ts';
import type { ApprovalGroup } from './approval-store.ts';
import type { Approvals } from './approvals.ts';
import { approvalsFor } from './approvals-for.ts';
import { groupLines, groupRecord } from './group-lines.ts';
import type { ApprovalState } from './state.ts';

export interface MatchingVoteCommand {
  person: Person;
  vote: 'approve' | 'deny';
  /** A name, or a pattern such as `mail.**`. */
  action: string;
  /** Only what this actor asks for. */
  agent?: string;
  /** At most so many, those that wait the longest first. */
  limit?: number;
  comment?: string;
  /** Else it is only said what would be done. */
  isConfirmed: boolean;
}

const VOTES_AT_ONCE = 200;
const PAGE = 200;

/**
 * `approvals approve --all-matching`: one vote for each request that waits, fits, and that this person has a say in. Each is
 * a vote like any other, bound to what the request was about when it was counted, and in the log.
 */
export async function voteOnMatching(
  approvals: Approvals,
  command: MatchingVoteCommand,
): Promise<CommandResult> {
  const { person, vote, isConfirmed } = command;
  const fitting = oldestFitting(approvals, command);
  const votable = fitting.filter((approval) => !approvals.obstacleOf(person, approval));
  const without = fitting.length - votable.length;
  const notYours = without === 0 ? '' : `${without} more are not this person's to decide on.\n`;
  if (votable.length === 0) {
    const text = `Nothing that fits waits for this person.\n${notYours}`;
    return { text, json: { ok: true, matched: 0, not_votable: without }, exitCode: 0 };
  }
  const groups = groupsIn(votable);
  if (!isConfirmed) {
    return {
      text: `${wordOf(vote)} would be said to ${requests(votable.length)}:\n${groupLines(groups)}${notYours}Nothing was done; add --yes to do it.\n`,
      json: {
        ok: false,
        matched: votable.length,
        not_votable: without,
        groups: groups.map(groupRecord),
      },
      exitCode: 1,
    };
  }
  const { states, refused } = await castAll(approvals, command, votable);
  const ends = [...states].map(([state, count]) => `${count} ${state}`).join(', ');
  const codes = [...new Set(refused.map(({ code }) => code))].join(', ');
  const problems =
    refused.length === 0 ? '' : `${requests(refused.length)} took no vote: ${codes}.\n`;
  return {
    text: `${wordOf(vote)} was said to ${requests(votable.length - refused.length)}: ${ends || 'none'}.\n${groupLines(groups)}${notYours}${problems}`,
    json: {
      ok: refused.length === 0,
      matched: votable.length,
      not_votable: without,
      states: Object.fromEntries(states),
      refused,
      groups: groups.map(groupRecord),
    },
    exitCode: refused.length === 0 ? 0 : 1,
  };
}

function oldestFitting(
  approvals: Approvals,
  { person, action, agent: actorId, limit = Infinity }: MatchingVoteCommand,
): Approval[] {
  const found: Approval[] = [];
  const mine = approvalsFor(approvals, person);
  let after: string | undefined;
  do {
    const page = mine.list({ states: ['pending'], action, actorId, after, limit: PAGE });
    found.push(...page.approvals);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found.toReversed().slice(0, limit);
}

interface Cast {
  states: Map<ApprovalState, number>;
  refused: { id: string; code: string }[];
}

/** Together, so that they share commits; each stands for itself all the same. */
async function castAll(
  approvals: Approvals,
  { person, vote, comment }: MatchingVoteCommand,
  votable: readonly Approval[],
): Promise<Cast> {
  const cast: Cast = { states: new Map(), refused: [] };
  for (let first = 0; first < votable.length; first += VOTES_AT_ONCE) {
    const some = votable.slice(first, first + VOTES_AT_ONCE);
    const results = await Promise.allSettled(
      some.map(({ id, bindingDigest: seen }) =>
        approvals.vote(id, {
          by: person,
          vote,
          via: 'cli',
          seen,
          ...(comment !== undefined && { comment }),
        }),
      ),
    );
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') {
        const { state } = result.value;
        cast.states.set(state, (cast.states.get(state) ?? 0) + 1);
      } else {
        if (!(result.reason instanceof BuddyError)) throw result.reason;
        cast.refused.push({ id: some[at]?.id ?? '', code: result.reason.code });
      }
    }
  }
  return cast;
}

function groupsIn(approvals: readonly Approval[]): ApprovalGroup[] {
  const groups = new Map<string, ApprovalGroup>();
  for (const { action, actor, rule, tier, expiresAt } of approvals) {
    const key = JSON.stringify([action, actor.kind, actor.id, actor.onBehalfOf, rule, tier]);
    const known = groups.get(key);
    groups.set(key, {
      action,
      actor,
      rule,
      tier,
      count: (known?.count ?? 0) + 1,
      expiresAt: Math.min(known?.expiresAt ?? Infinity, expiresAt),
    });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

function wordOf(vote: 'approve' | 'deny'): string {
  return vote === 'approve' ? 'Yes' : 'No';
}

function requests(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}
