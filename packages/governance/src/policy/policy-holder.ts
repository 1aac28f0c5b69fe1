import {
  type Actor,
  BuddyError,
  type Clock,
  createGuardedEmitter,
  type Logger,
  silentLogger,
  systemClock,
  oneAtATime,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { blockEverything, type LoadedPolicy } from './compiled-policy.ts';
import type { Policy } from './decision.ts';
import { type Person, requirePermission } from '../roles/roles.ts';
import { loadPolicy, type LoadPolicyOptions, type PolicyLoadResult } from './load-policy.ts';
import type { PolicyProblem } from './problem.ts';

/** What became of the policy in force; the fields of the log's entry. */
export interface PolicyChange {
  event: 'loaded' | 'rejected' | 'rolled_back';
  /** Of the policy that is in force from now on; null for `rejected`. */
  policyDigest: string | null;
  by: Actor;
  /** For `rejected`: the first problem's code. */
  reasonCode: string | null;
}

export interface PolicyHolderEvents {
  loaded: [event: { policy: LoadedPolicy; by: Actor; at: number }];
  /** The policy from before stays in force. */
  rejected: [event: { source: string; problems: readonly PolicyProblem[]; by: Actor; at: number }];
  rolledBack: [event: { policy: LoadedPolicy; by: Actor; at: number }];
  /** A change could not be recorded, so it was not made. */
  unrecorded: [event: { change: PolicyChange; error: unknown; at: number }];
}

export interface PolicyHolderPorts {
  /** Keeps a change in the log. Awaited before the change is made: what cannot be recorded does not happen. */
  record: (change: PolicyChange, policy: LoadedPolicy | undefined) => void | Promise<void>;
  /** The text of a policy that was in force before this process began, by its digest. Default: none is known. */
  recall?: (digest: string) => string | undefined;
  clock?: Clock;
  /** Told of listeners that threw. */
  logger?: Logger;
}

/** Holds the policy in force. A run that must not see it change keeps `current`, which never does. */
export interface PolicyHolder {
  /** The last good policy; one that blocks everything until there is one. */
  readonly current: Policy;
  readonly events: Pick<EventEmitter<PolicyHolderEvents>, 'on' | 'once' | 'off'>;
  /** The policies that were in force since the process started, the latest last. */
  readonly history: readonly LoadedPolicy[];
  /**
   * Puts a policy in force, or keeps the last good one and says what is wrong. One change at a time, in the order of the
   * calls.
   * @param options With `by`: the person who changes it, or the part of the system; default the latter.
   * @throws {PermissionDeniedError} When the person may not change policies, or `by` is an agent.
   * @throws What `record` throws; the policy from before stays.
   */
  load(
    text: string,
    options: LoadPolicyOptions & { by?: PolicyChanger },
  ): Promise<PolicyLoadResult>;
  /** Records that no policy could be read at all, such as from a file that is gone. */
  reject(problem: PolicyProblem, by?: Actor): Promise<void>;
  /**
   * Puts a policy in force that was so before, in this process or, as far as `recall` knows, in another.
   * @throws {PermissionDeniedError} When the person may not change policies.
   * @throws {UnknownPolicyError} When no such policy is known, or what is kept of it is not what it was.
   */
  rollBack(digest: string, by: Person): Promise<LoadedPolicy>;
}

/** Who puts a policy in force: a person, whose role has to allow it, or what watches a file. */
export type PolicyChanger = Person | (Actor & { kind: 'system' });

/** No policy of that digest was in force that could be gone back to. */
export class UnknownPolicyError extends BuddyError {
  readonly code = 'GOVERNANCE_UNKNOWN_POLICY';
  readonly digest: string;

  constructor(digest: string, known: readonly string[]) {
    const list = known.length === 0 ? 'none' : known.join(', ');
    super(
      `There is no policy ${digest} to go back to; of this process, known are: ${list}. Load its file instead.`,
    );
    this.digest = digest;
  }
}

const REMEMBERED = 50;
const BY_DEFAULT = Object.freeze({ kind: 'system', id: 'policy' } as const);

/**
 * Makes a holder, which blocks everything until a policy is loaded.
 * @example
 * const holder = createPolicyHolder({ record: (change) => ledger.write((t) => t.append({ kind: 'policy', ...change })) });
 * await holder.load(text, { source: 'governance_policies.yaml' });
 * holder.current.decide(request, history);
 */
export function createPolicyHolder({
  record,
  recall = () => undefined,
  clock = systemClock,
  logger = silentLogger,
}: PolicyHolderPorts): PolicyHolder {
  const { events, emit } = createGuardedEmitter<PolicyHolderEvents>((error, event) =>
    logger.error({ err: error, event }, 'A listener of the policy threw'),
  );
  let current: Policy = blockEverything;
  let history: readonly LoadedPolicy[] = [];
  const inTurn = oneAtATime();

  async function recorded(change: PolicyChange, policy?: LoadedPolicy): Promise<void> {
    try {
      await record(change, policy);
    } catch (error) {
      emit('unrecorded', { change, error, at: clock.now() });
      throw error;
    }
  }

  function putInForce(policy: LoadedPolicy): void {
    current = policy;
    history = [...history.filter(({ digest }) => digest !== policy.digest), policy].slice(
      -REMEMBERED,
    );
  }

  async function reject(problems: readonly PolicyProblem[], source: string, by: Actor) {
    const reasonCode = problems[0]?.code ?? null;
    await recorded({ event: 'rejected', policyDigest: null, by, reasonCode });
    emit('rejected', { source, problems, by, at: clock.now() });
  }

  /** What is kept beside the log is not signed as the log is; its digest is. */
  function recalled(digest: string): LoadedPolicy | undefined {
    const text = recall(digest);
    if (text === undefined) return undefined;
    const result = loadPolicy(text, { source: `policy ${digest}` });
    return result.ok && result.policy.digest === digest ? result.policy : undefined;
  }

  return {
    get current() {
      return current;
    },
    get history() {
      return history;
    },
    events,
    load: (text, { by: changer = BY_DEFAULT, ...options }) =>
      inTurn(async () => {
        const by = changerOf(changer);
        const result = loadPolicy(text, options);
        if (!result.ok) {
          await reject(result.problems, options.source, by);
          return result;
        }
        const { policy } = result;
        if (policy.digest === current.digest) return result; // saved again, with other comments at most
        await recorded(
          { event: 'loaded', policyDigest: policy.digest, by, reasonCode: null },
          policy,
        );
        putInForce(policy);
        emit('loaded', { policy, by, at: clock.now() });
        return result;
      }),
    reject: (problem, by = BY_DEFAULT) => inTurn(() => reject([problem], problem.source, by)),
    rollBack: (digest, person) =>
      inTurn(async () => {
        const by = personChanging(person);
        const policy = history.find((one) => one.digest === digest) ?? recalled(digest);
        if (!policy)
          throw new UnknownPolicyError(
            digest,
            history.map((one) => one.digest),
          );
        await recorded(
          { event: 'rolled_back', policyDigest: digest, by, reasonCode: null },
          policy,
        );
        putInForce(policy);
        emit('rolledBack', { policy, by, at: clock.now() });
        return policy;
      }),
  };
}

function changerOf(changer: PolicyChanger): Actor {
  return isSystem(changer) ? changer : personChanging(changer);
}

function isSystem(changer: PolicyChanger): changer is Actor & { kind: 'system' } {
  return 'kind' in changer && changer.kind === 'system';
}

/** Whoever is no part of the system has to be somebody, with a role. */
function personChanging(person: unknown): Actor {
  return { kind: 'human', id: requirePermission(person, 'policy.change').id };
}
