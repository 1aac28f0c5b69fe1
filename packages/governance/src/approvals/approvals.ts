import {
  type Actor,
  type Clock,
  type Logger,
  type NewId,
  parseOrThrow,
  randomId,
  silentLogger,
  systemClock,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { z } from 'zod';
import type { ApprovalDesk, ClaimResult } from '../gate/ports.ts';
import type { ApprovalVia } from '../ledger/entry.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import { type Person, requirePermission, ROLES } from '../roles/roles.ts';
import type {
  Approval,
  ApprovalContent,
  ApprovalEvents,
  ApprovalRequest,
  ApprovalStep,
} from './approval.ts';
import {
  type ApprovalFilter,
  type ApprovalGroup,
  DUE_AT_ONCE,
  findById,
  findDue,
  findGroups,
  findOpen,
  findPage,
  nextDue,
  stepsOf,
} from './approval-store.ts';
import { type Answer, Ballot, Cancellation, cancelApproval, castVote } from './ballot.ts';
import { Attestation } from './attestation.ts';
import type { BoundCall } from './binding.ts';
import { type Consumption, Desk, type Filed } from './desk.ts';
import { DueWatch } from './due-watch.ts';
import { type People, voteObstacle, type VoteObstacle } from './electorate.ts';
import {
  ApprovalNotFoundError,
  GrantNotFoundError,
  GrantRefusedError,
  FastApprovalRefusedError,
} from './errors.ts';
import {
  checkFastApproval,
  type FastApprovalInput,
  type FastApprovalOptions,
  isFastApprovalAllowed,
} from './fast-approval.ts';
import { type Grant, GrantBook, type GrantInput, GrantTerms } from './grants.ts';
import { advance, asOf, lapse, SYSTEM } from './lapse.ts';
import { deriveKey, type RandomBytes, Seal } from './seal.ts';
import { isOpen } from './state.ts';
import { withPolicyAuthors } from './policy-authors.ts';
import { StepWatch } from './step-watch.ts';

export const ApprovalsOptions = z.strictObject({
  /** After which share of its time more roles are asked, and which. Default: never. */
  escalation: z
    .strictObject({ afterShare: z.number().gt(0).lt(1), to: z.array(z.enum(ROLES)).min(1) })
    .exactOptional(),
  /** How many requests of one actor may wait at a time; more are refused, for nobody reads them. */
  maxPendingPerActor: z.int().positive().default(500),
  /** `dev` lets fast approval be opened. Default `production`. */
  mode: z.enum(['production', 'dev']).default('production'),
  /** How often `waitFor` looks for what other processes did, in ms. */
  pollMs: z.int().positive().default(1_000),
});
export type ApprovalsInput = z.input<typeof ApprovalsOptions>;
export type ApprovalsOptions = z.output<typeof ApprovalsOptions>;

export interface ApprovalsPorts {
  /** Opened with `APPROVALS_MIGRATIONS`. */
  ledger: Ledger;
  /**
   * At least 32 random bytes, the same for all processes and after a restart. It seals what requests are about; without it
   * nobody can read or use what is open.
   */
  secret: Uint8Array;
  /** What the host knows of people. Default: nothing; then roles count as they were when somebody voted. */
  people?: People;
  clock?: Clock;
  newId?: NewId;
  /** Default: the system's. */
  randomBytes?: RandomBytes;
  /** Hears of listeners that throw. Default: silent. */
  logger?: Logger;
}

export interface ApprovalPage {
  /** The newest first. */
  approvals: readonly Approval[];
  /** Where the next page begins; null on the last one. */
  next: string | null;
}

export interface ListOptions extends ApprovalFilter {
  /** `next` of the page before. */
  after?: string | undefined;
  /** At most 200. Default 50. */
  limit?: number | undefined;
}

export interface FastApproval {
  /** Ms since the epoch. */
  readonly expiresAt: number;
  close(): Promise<void>;
}

/** Where agents ask, and people answer. All that happens is in the audit log, in the same transaction. */
export interface Approvals extends ApprovalDesk {
  /** Steps of requests in the past tense, each after it is durable; those of other processes while somebody here waits. */
  readonly events: EventEmitter<ApprovalEvents>;

  /** What an approval of this call would be bound to: HMAC-SHA-256 of its canonical JSON (RFC 8785), in hex. */
  bindingOf(call: BoundCall): string;
  /**
   * Files a request, in the transaction of the caller. The same call under the same idempotency key is the same request;
   * once that is used up or invalidated, it is a new one. Another call under the same key invalidates the earlier request.
   * @throws {ApprovalRequestError} For tier 4, and for arguments that have no canonical form.
   * @throws {InvalidInputError} When the request is none.
   * @throws {TooManyPendingError} When the actor has too many that wait.
   */
  file(transaction: LedgerTransaction, request: ApprovalRequest): Filed;
  /** Files and, when somebody agrees or has agreed beforehand, uses the approval: what the gate calls. Throws as `file`. */
  claim(transaction: LedgerTransaction, claim: ApprovalRequest): ClaimResult;
  /**
   * Uses an approval, once, in the transaction that writes the intent.
   * @throws {ApprovalNotFoundError} When there is none.
   * @throws {ApprovalMismatchError} When it is for another call.
   * @throws {NotApprovedError} When nobody agreed, or it is used, over, or those who agreed may not agree any more.
   * @throws {ApprovalChangedError} When its rows or votes are not as they were written with the secret.
   */
  consume(
    transaction: LedgerTransaction,
    consumption: Consumption,
    by?: Actor,
  ): { approvalId: string; via: ApprovalVia };

  /**
   * Takes one person's vote. Distinct people as many as the quorum approve; one no denies, also an approval not yet used.
   * @throws {ApprovalNotFoundError} When there is no such request.
   * @throws {ApprovalClosedError} When it is decided, or has expired.
   * @throws {VoteRefusedError} When this person has no say in it.
   * @throws {ApprovalMismatchError} When `seen` is not what it is about.
   * @throws {ApprovalUnreadableError} When what it is about cannot be read: then nobody can agree to it.
   * @throws {ApprovalChangedError} When its rows or votes are not as they were written; it is invalidated then.
   * @example
   * await approvals.vote(id, { by: { id: 'ada', role: 'operator' }, vote: 'approve', via: 'api' });
   */
  vote(id: string, ballot: z.input<typeof Ballot>): Promise<Approval>;
  /** Takes a request back, or an approval not yet used. Throws as `vote`, and `PermissionDeniedError`. */
  cancel(id: string, cancellation: z.input<typeof Cancellation>): Promise<Approval>;
  /**
   * Ends every open request that `isStale` says is about a policy that is in force no more; asked for again, it is judged
   * by the one that is.
   * @returns Their ids.
   * @example
   * await approvals.invalidate(({ policyDigest }) => policyDigest !== policy.digest);
   */
  invalidate(isStale: (approval: Approval) => boolean, by?: Actor): Promise<readonly string[]>;
  /** Ends what has expired and escalates what is due: what `watchDue` does by itself. */
  expireDue(): Promise<{ expired: readonly string[]; escalated: readonly string[] }>;
  /**
   * Has requests expire and escalate when their time comes, until it is disposed of. On the machine's own
   * clock it keeps no process alive.
   * `createGovernance` does this; without it, what is due is written when somebody next does something with the request, and
   * whoever looks sees it as it is all the same.
   */
  watchDue(): AsyncDisposable;

  /** As it stands at this moment; so for all that only look. */
  get(id: string): Approval | undefined;
  /**
   * What a request is about; undefined once it has ended.
   * @throws {ApprovalNotFoundError} When there is no such request.
   * @throws {ApprovalUnreadableError} When another secret sealed it, or it was changed in the database.
   */
  contentOf(id: string): ApprovalContent | undefined;
  /** What has happened to a request, in order. */
  stepsOf(id: string): readonly ApprovalStep[];
  /** @throws {InvalidInputError} When `after` or `limit` does not fit. */
  list(options?: ListOptions): ApprovalPage;
  /** How many there are of what is alike: the same action, actor, rule and tier. The largest group first. */
  groups(filter?: ApprovalFilter): readonly ApprovalGroup[];
  /** Why this person has no say in a request; undefined when he has. */
  obstacleOf(person: Person, approval: Approval): VoteObstacle | undefined;
  /**
   * Resolves with the request once it is no longer pending, whichever process decided on it.
   * @throws {ApprovalNotFoundError} When there is no such request. Rejects with `signal.reason` when aborted.
   */
  waitFor(id: string, options?: { signal?: AbortSignal }): Promise<Approval>;

  /**
   * Agrees beforehand to calls that are alike. A rule that blocks, and a no that was said to just this call, beat it.
   * @throws {InvalidInputError} When the terms do not fit.
   * @throws {PermissionDeniedError} When the person may not.
   * @throws {GrantRefusedError} When he could not approve such calls: they would be his own, or his agent's.
   */
  grant(person: Person, terms: GrantInput): Promise<Grant>;
  /** @throws {GrantNotFoundError} When there is none in force. */
  revokeGrant(person: Person, id: string): Promise<void>;
  /** Those in force, the newest first. */
  grants(person: Person): readonly Grant[];
  /**
   * From now on, until it is closed or its time is over, requests are approved by nobody's word: in development only, never
   * tier 4, and each audited as `via: fast`. In this process only.
   * @throws {FastApprovalRefusedError} In production, outside `dev` mode, or where others than this machine can reach it.
   */
  openFastApproval(input: FastApprovalInput): Promise<FastApproval>;
}

/**
 * Makes the queue of approvals on a ledger.
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {ApprovalRequestError} When the secret is shorter than 32 bytes.
 * @example
 * const approvals = createApprovals({}, { ledger, secret });
 * const { approvalId } = await ledger.write((transaction) => approvals.file(transaction, request));
 * const { state } = await approvals.waitFor(approvalId);
 */
export function createApprovals(input: ApprovalsInput, ports: ApprovalsPorts): Approvals {
  return new LedgerApprovals(
    parseOrThrow(ApprovalsOptions, input, 'options of createApprovals'),
    ports,
  );
}

const Page = z.strictObject({
  after: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be the `next` of a page')
    .transform(Number)
    .default(Number.MAX_SAFE_INTEGER),
  limit: z.int().min(1).max(200).default(50),
});

class LedgerApprovals implements Approvals {
  readonly #options: ApprovalsOptions;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #newId: NewId;
  readonly #people: People;
  readonly #desk: Desk;
  readonly #attestation: Attestation;
  readonly #grants: GrantBook;
  readonly #watch: StepWatch;
  readonly #logger: Logger;
  readonly #dueWatches = new Set<DueWatch>();
  #fast: (FastApprovalOptions & { expiresAt: number }) | undefined;

  constructor(options: ApprovalsOptions, ports: ApprovalsPorts) {
    const { ledger, secret, people = {}, clock = systemClock, logger = silentLogger } = ports;
    const { newId = randomId('approval'), randomBytes } = ports;
    const seal = new Seal(deriveKey(secret, 'sealing'), randomBytes);
    this.#options = options;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#newId = newId;
    this.#people = people;
    this.#logger = logger;
    this.#attestation = new Attestation(deriveKey(secret, 'attesting'));
    this.#grants = new GrantBook(seal, this.#attestation);
    this.#desk = new Desk({
      bindingKey: deriveKey(secret, 'binding'),
      seal,
      attestation: this.#attestation,
      grants: this.#grants,
      people,
      newId,
      maxPendingPerActor: options.maxPendingPerActor,
      escalation: options.escalation,
      isFast: (at) => this.#isFast(at),
      onChanged: (approvalId) =>
        logger.error(
          { approvalId },
          'A request does not stand as it was written, and is not believed',
        ),
      onDue: (at) => this.#noteDue(at),
    });
    this.#watch = new StepWatch({ ledger, clock, logger });
  }

  get events(): EventEmitter<ApprovalEvents> {
    return this.#watch.events;
  }

  bindingOf(call: BoundCall): string {
    return this.#desk.bindingOf(call);
  }

  file(transaction: LedgerTransaction, request: ApprovalRequest): Filed {
    this.#watch.tellSoon();
    return this.#desk.file(transaction, request);
  }

  claim(transaction: LedgerTransaction, claim: ApprovalRequest): ClaimResult {
    this.#watch.tellSoon();
    return this.#desk.claim(transaction, claim);
  }

  consume(transaction: LedgerTransaction, consumption: Consumption, by?: Actor) {
    this.#watch.tellSoon();
    return this.#desk.consume(transaction, consumption, by);
  }

  async vote(id: string, ballot: z.input<typeof Ballot>): Promise<Approval> {
    const checked = parseOrThrow(Ballot, ballot, 'vote');
    const parts = {
      desk: this.#desk,
      attestation: this.#attestation,
      people: this.#people,
      escalatesTo: this.#escalatesTo,
    };
    return this.#answer((transaction) => castVote(transaction, id, checked, parts));
  }

  async cancel(id: string, cancellation: z.input<typeof Cancellation>): Promise<Approval> {
    const checked = parseOrThrow(Cancellation, cancellation, 'cancellation');
    const parts = { attestation: this.#attestation, escalatesTo: this.#escalatesTo };
    return this.#answer((transaction) => cancelApproval(transaction, id, checked, parts));
  }

  async invalidate(
    isStale: (approval: Approval) => boolean,
    by: Actor = SYSTEM,
  ): Promise<readonly string[]> {
    // Asked before the transaction, for it may have to read what another part keeps.
    const stale = new Set(
      this.#ledger
        .read(findOpen)
        .filter(isStale)
        .map(({ id }) => id),
    );
    return this.#write((transaction) =>
      findOpen(transaction.database)
        .filter(({ id }) => stale.has(id))
        .map((approval) => advance(transaction, approval, 'invalidated', { by }).id),
    );
  }

  async expireDue() {
    const [expired, escalated]: [string[], string[]] = [[], []];
    for (let due: Approval[], isMore = true; isMore; isMore = due.length === DUE_AT_ONCE) {
      due = await this.#write((transaction) =>
        findDue(transaction.database, transaction.at, this.#escalatesTo.length > 0).map(
          (approval) => lapse(transaction, approval, this.#escalatesTo, this.#attestation),
        ),
      );
      for (const { id, state } of due) (state === 'expired' ? expired : escalated).push(id);
    }
    return { expired, escalated };
  }

  watchDue(): AsyncDisposable {
    const canEscalate = this.#escalatesTo.length > 0;
    const watch = new DueWatch({
      clock: this.#clock,
      logger: this.#logger,
      nextDue: () => this.#ledger.read((database) => nextDue(database, canEscalate)),
      expireDue: () => this.expireDue(),
    });
    this.#dueWatches.add(watch);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#dueWatches.delete(watch);
        await watch[Symbol.asyncDispose]();
      },
    };
  }

  get(id: string): Approval | undefined {
    const approval = this.#find(id);
    return approval && this.#asOfNow(approval);
  }

  contentOf(id: string): ApprovalContent | undefined {
    return this.#ledger.read((database) => {
      const approval = findById(database, id);
      if (!approval) throw new ApprovalNotFoundError();
      // What has expired is erased as soon as that is written; nobody reads it meanwhile.
      if (!isOpen(this.#asOfNow(approval).state)) return undefined;
      return this.#desk.contentOf(database, approval);
    });
  }

  stepsOf(id: string): readonly ApprovalStep[] {
    return this.#ledger.read((database) => stepsOf(database, id));
  }

  list({ after, limit, ...filter }: ListOptions = {}): ApprovalPage {
    const page = parseOrThrow(Page, { after, limit }, 'page of approvals');
    const at = this.#clock.now();
    const found = this.#ledger.read((database) =>
      findPage(database, filter, { at, before: page.after, limit: page.limit + 1 }),
    );
    const shown = found.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      approvals: shown.map(({ approval }) => this.#asOfNow(approval)),
      next: found.length > page.limit && last ? String(last.seq) : null,
    };
  }

  groups(filter: ApprovalFilter = {}): readonly ApprovalGroup[] {
    const at = this.#clock.now();
    return this.#ledger.read((database) => findGroups(database, filter, at));
  }

  obstacleOf(person: Person, approval: Approval): VoteObstacle | undefined {
    return this.#ledger.read((database) =>
      voteObstacle(person, approval, withPolicyAuthors(this.#people, database)),
    );
  }

  async waitFor(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Approval> {
    for (;;) {
      signal?.throwIfAborted();
      this.#watch.tell();
      const approval = this.#find(id); // not as of now: what is due has to be written, and told
      if (!approval) throw new ApprovalNotFoundError();
      if (approval.state !== 'pending') return approval;
      const { expiresAt, escalatesAt } = approval;
      const untilDue = Math.min(expiresAt, escalatesAt ?? Infinity) - this.#clock.now();
      if (untilDue <= 0) await this.expireDue();
      else await this.#watch.sleep(id, Math.min(untilDue, this.#options.pollMs), signal);
    }
  }

  async grant(person: Person, input: GrantInput): Promise<Grant> {
    const maker = requirePermission(person, 'grants.make');
    const terms = parseOrThrow(GrantTerms, input, 'grant');
    const electoral = {
      actor: actorOf(terms),
      demand: { from: [maker.role], quorum: 1, not: [], expiresMs: terms.ttlMs },
      escalatedTo: [],
      excluded: [],
      policyDigest: '',
    };
    const obstacle = voteObstacle(maker, electoral, this.#people);
    if (obstacle) throw new GrantRefusedError(obstacle);
    return this.#write((transaction) => {
      noteControl(transaction, 'grant_made', maker);
      return this.#grants.add(transaction, this.#newId(), terms, maker);
    });
  }

  async revokeGrant(person: Person, id: string): Promise<void> {
    const by = requirePermission(person, 'grants.revoke');
    await this.#write((transaction) => {
      if (!this.#grants.revoke(transaction, id)) throw new GrantNotFoundError();
      noteControl(transaction, 'grant_revoked', by);
    });
  }

  grants(person: Person): readonly Grant[] {
    requirePermission(person, 'grants.read');
    return this.#ledger.read((database) => this.#grants.inForce(database, this.#clock.now()));
  }

  async openFastApproval(input: FastApprovalInput): Promise<FastApproval> {
    const options = checkFastApproval(input);
    if (this.#options.mode !== 'dev') {
      throw new FastApprovalRefusedError(
        'Fast approval is refused: governance was not opened in dev mode.',
      );
    }
    requirePermission(options.by, 'approvals.vote');
    const expiresAt = await this.#write((transaction) => {
      noteControl(transaction, 'fast_approve_on', options.by);
      return transaction.at + options.ttlMs;
    });
    const opened = { ...options, expiresAt };
    this.#fast = opened;
    return {
      expiresAt,
      close: async () => {
        if (this.#fast !== opened) return;
        this.#fast = undefined;
        await this.#write((transaction) =>
          noteControl(transaction, 'fast_approve_off', options.by),
        );
      },
    };
  }

  #find(id: string): Approval | undefined {
    return this.#ledger.read((database) => findById(database, id));
  }

  #asOfNow(approval: Approval): Approval {
    return asOf(approval, this.#clock.now(), this.#escalatesTo);
  }

  #noteDue(at: number): void {
    for (const watch of this.#dueWatches) watch.note(at);
  }

  get #escalatesTo() {
    return this.#options.escalation?.to ?? [];
  }

  #isFast(at: number): boolean {
    return (
      this.#fast !== undefined && at < this.#fast.expiresAt && isFastApprovalAllowed(this.#fast)
    );
  }

  async #answer(work: (transaction: LedgerTransaction) => Answer): Promise<Approval> {
    const answer = await this.#write(work);
    if ('refusal' in answer) throw answer.refusal;
    return answer.approval;
  }

  async #write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    const result = await this.#clock.external(() => this.#ledger.write(work));
    this.#watch.tell();
    return result;
  }
}

function actorOf({ actor: { kind, id, onBehalfOf } }: GrantTerms): Actor {
  return { kind, id, ...(onBehalfOf !== undefined && { onBehalfOf }) };
}

function noteControl(
  transaction: LedgerTransaction,
  event: 'grant_made' | 'grant_revoked' | 'fast_approve_on' | 'fast_approve_off',
  { id }: Person,
): void {
  transaction.append({ kind: 'control', event, by: { kind: 'human', id }, reasonCode: null });
}
