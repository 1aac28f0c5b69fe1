import { can, type Person, PermissionDeniedError } from '../roles/roles.ts';
import type { Approval, ApprovalContent, ApprovalStep } from './approval.ts';
import type { ApprovalFilter, ApprovalGroup } from './approval-store.ts';
import type { ApprovalPage, Approvals, ListOptions } from './approvals.ts';
import type { Ballot, Cancellation } from './ballot.ts';
import { visibility, type VoteObstacle } from './electorate.ts';

/** What one person may see of the queue, and do in it. What he may not see is not there for him. */
export interface PersonalApprovals {
  /** All, or what was asked for by himself or in his name. @throws {PermissionDeniedError} When his role sees neither. */
  list(options?: ListOptions): ApprovalPage;
  /** As `list`. */
  groups(filter?: ApprovalFilter): readonly ApprovalGroup[];
  get(id: string): Approval | undefined;
  /**
   * What it is about; undefined once it has ended, or when he may not see the request.
   * @throws {PermissionDeniedError} When he may see the request, and not what it is about.
   * @throws {ApprovalUnreadableError} When nobody can read it.
   */
  contentOf(id: string): ApprovalContent | undefined;
  stepsOf(id: string): readonly ApprovalStep[];
  /** Why he has no say in it; undefined when he has. */
  obstacleOf(approval: Approval): VoteObstacle | undefined;
  /** Throws as `Approvals.vote`. */
  vote(id: string, ballot: Omit<Ballot, 'by'>): Promise<Approval>;
  /** Throws as `Approvals.cancel`. */
  cancel(id: string, cancellation: Omit<Cancellation, 'by'>): Promise<Approval>;
}

/** What is read and done in somebody's name needs no more of the queue. */
export type PersonalSource = Pick<
  Approvals,
  'list' | 'groups' | 'get' | 'contentOf' | 'stepsOf' | 'obstacleOf' | 'vote' | 'cancel'
>;

/**
 * The queue as one person may use it, by the matrix of roles: for servers, which hand requests of people on.
 * @example
 * approvalsFor(governance.approvals, person).list({ states: ['pending'] });
 */
export function approvalsFor(approvals: PersonalSource, person: Person): PersonalApprovals {
  const whose = (): Pick<ApprovalFilter, 'requestedBy'> => {
    if (can(person, 'approvals.read')) return {};
    if (can(person, 'approvals.read_own')) return { requestedBy: person.id };
    throw new PermissionDeniedError(person, 'approvals.read');
  };
  const get = (id: string): Approval | undefined => {
    const approval = approvals.get(id);
    return approval && visibility(person, approval) !== 'nothing' ? approval : undefined;
  };
  return {
    list: (options = {}) => approvals.list({ ...options, ...whose() }),
    groups: (filter = {}) => approvals.groups({ ...filter, ...whose() }),
    get,
    contentOf: (id) => {
      const approval = get(id);
      if (!approval) return undefined;
      if (visibility(person, approval) === 'whole') return approvals.contentOf(id);
      throw new PermissionDeniedError(person, 'approvals.read_arguments');
    },
    stepsOf: (id) => (get(id) ? approvals.stepsOf(id) : []),
    obstacleOf: (approval) => approvals.obstacleOf(person, approval),
    vote: (id, ballot) => approvals.vote(id, { ...ballot, by: person }),
    cancel: (id, cancellation) => approvals.cancel(id, { ...cancellation, by: person }),
  };
}
