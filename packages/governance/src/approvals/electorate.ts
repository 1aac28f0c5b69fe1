import type { Actor } from '@buddy/core';
import { can, type Person, personKey, type Role } from '../roles/roles.ts';
import type { Approval } from './approval.ts';

/** What the host knows of people; asked whenever it matters, so what changes counts at once. */
export interface People {
  /**
   * The role that somebody has now; undefined when none any more. Without this function, a vote counts with the role that
   * the host said when it was given.
   */
  roleOf?(personId: string): Role | undefined;
  /** Ids of the people who own an agent. */
  ownersOf?(actor: Actor): readonly string[];
  /** Ids of the people who brought a policy into force. */
  policyAuthorsOf?(policyDigest: string): readonly string[];
}

/** Why somebody's vote does not count. */
export type VoteObstacle =
  | 'permission'
  | 'role'
  | 'requester'
  | 'owner'
  | 'policy_author'
  | 'excluded';

type Electoral = Pick<Approval, 'actor' | 'demand' | 'escalatedTo' | 'excluded' | 'policyDigest'>;

/**
 * Why this person may not decide on the request; undefined when he may. Who asked, in whose name it is asked, who owns the
 * agent and who brought the policy into force never may; others as the demand says.
 */
export function voteObstacle(
  person: Person,
  { actor, demand, escalatedTo, excluded, policyDigest }: Electoral,
  people: People,
): VoteObstacle | undefined {
  const roles = rolesOf(person, people);
  if (!roles.every((role) => role !== undefined && can({ ...person, role }, 'approvals.vote'))) {
    return 'permission';
  }
  if (isOneOf(person, requestersOf(actor))) return 'requester';
  if (isOneOf(person, people.ownersOf?.(actor) ?? [])) return 'owner';
  if (isOneOf(person, excluded)) return 'excluded';
  if (isOneOf(person, people.policyAuthorsOf?.(policyDigest) ?? [])) return 'policy_author';
  const allowed: readonly (string | undefined)[] = [...demand.from, ...escalatedTo];
  return roles.every((role) => allowed.includes(role)) ? undefined : 'role';
}

/** Whether what was filed was filed by this person, or in his name. */
export function isRequester(person: Person, actor: Actor): boolean {
  return isOneOf(person, requestersOf(actor));
}

/** The one that he had when he spoke, and the one that he has now: a vote needs both to be good. */
function rolesOf({ id, role }: Person, people: People): readonly (Role | undefined)[] {
  return people.roleOf ? [role, people.roleOf(id)] : [role];
}

function requestersOf({ id, onBehalfOf }: Actor): readonly string[] {
  return onBehalfOf === undefined ? [id] : [id, onBehalfOf];
}

function isOneOf({ id }: Person, ids: readonly string[]): boolean {
  const key = personKey(id);
  return ids.some((other) => personKey(other) === key);
}

/** How much of a request somebody may see: with its arguments, without them, or nothing. */
export function visibility(
  person: Person,
  { actor }: Pick<Approval, 'actor'>,
): 'whole' | 'outline' | 'nothing' {
  if (can(person, 'approvals.read_own') && isRequester(person, actor)) return 'whole';
  if (!can(person, 'approvals.read')) return 'nothing';
  return can(person, 'approvals.read_arguments') ? 'whole' : 'outline';
}
