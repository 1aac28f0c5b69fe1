import {
  type Actor,
  type Clock,
  createGuardedEmitter,
  type Logger,
  type NewId,
  parseOrThrow,
  randomId,
  silentLogger,
  systemClock,
  type Tier,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { type Approvals, type ApprovalsInput, createApprovals } from './approvals/approvals.ts';
import type { People } from './approvals/electorate.ts';
import { FastApprovalRefusedError } from './approvals/errors.ts';
import { APPROVALS_MIGRATIONS } from './approvals/schema.ts';
import { type AuditLog, auditLogOf } from './audit/audit-log.ts';
import type { PublishCheckpoint } from './audit/checkpointer.ts';
import { PolicyNotLoadedError } from './errors.ts';
import type { UsageOf } from './gate/call.ts';
import type { GateEvents } from './gate/events.ts';
import type { GovernOptions } from './gate/foreign-call.ts';
import { type Coverage, Gate } from './gate/gate.ts';
import { type Governed, Governor } from './gate/govern.ts';
import { ASKED_REASONS_MIGRATION, AskedReasons } from './gate/asked-reasons.ts';
import { GateHistory, HISTORY_MIGRATIONS } from './gate/history.ts';
import { type KeptPolicy, RUN_POLICIES_MIGRATIONS, RunPolicies } from './gate/run-policies.ts';
import { TAKEN_BACK_MIGRATIONS, TakenBack } from './gate/taken-back.ts';
import type { AuditedLedger } from './ledger/ledger.ts';
import { openLedger } from './ledger/open-ledger.ts';
import {
  CONTROLS_MIGRATION,
  createKillSwitch,
  type OperableKillSwitch,
} from './limits/kill-switch.ts';
import { rulesCountedAfterwards } from './limits/counted-afterwards.ts';
import { createLimitBook, LIMITS_MIGRATION } from './limits/limit-book.ts';
import { GovernanceOptions, type GovernanceInput } from './options.ts';
import type { LoadedPolicy } from './policy/compiled-policy.ts';
import type { PolicyDecision } from './policy/decision.ts';
import { loadPolicy } from './policy/load-policy.ts';
import { type FollowedPolicy, followPolicyFile } from './policy/policy-file.ts';
import { createPolicyHolder, type PolicyHolder } from './policy/policy-holder.ts';
import { formatPolicyProblem, type PolicyProblem } from './policy/problem.ts';
import { snapshotUntrusted } from './untrusted/snapshot-untrusted.ts';

export interface GovernancePorts {
  clock?: Clock;
  /** Ids of approvals. */
  newId?: NewId;
  /** What the host knows of people: roles, owners of agents, authors of policies. */
  people?: People;
  /**
   * Reads tokens and cost from what a tool returned. Default: none are known; then the first call under a limit that is
   * `counted: afterwards` uses it up, and the logger is warned of each policy that has one.
   */
  usageOf?: UsageOf;
  /** Gets every checkpoint: keep them where whoever holds the database cannot change them. */
  publish?: PublishCheckpoint;
  /** How the queue of approvals works. */
  approvals?: Omit<ApprovalsInput, 'mode'>;
  /** Default the process's. In it, `NODE_ENV` must not be production when the mode is `dev`. */
  environment?: Readonly<Record<string, string | undefined>>;
  logger?: Logger;
}

/** An action to be decided on, by those who gate by hand. */
export interface DecidedAction {
  action: string;
  input: unknown;
  actor: Actor;
  declaredTier?: Tier;
  runId?: string;
}

/** The gate, and all that stands behind it. */
export interface Governance extends AsyncDisposable {
  readonly events: EventEmitter<GateEvents>;
  readonly policy: PolicyHolder;
  readonly approvals: Approvals;
  readonly audit: AuditLog;
  readonly killSwitch: OperableKillSwitch;
  readonly ledger: AuditedLedger;
  /**
   * What was given, with the gate in front: a Tool, a list or record of tools, an AI SDK tool set, function tools of OpenAI
   * Agents, an MCP server (changed in place), a plain function. It keeps its type, but that every function answers with a promise.
   * @throws {NotGovernableError} When it has no tools of a shape that is known.
   * @example
   * const { send } = governance.govern({ send: sendMail });
   */
  govern<T extends object>(given: T, options?: GovernOptions): Governed<T>;
  /**
   * To be called before the work begins.
   * @throws {UngovernedToolsError} Naming every tool that no gate stands in front of.
   */
  assertCovered(tools: object): void;
  /**
   * What kill switch and policy say of an action, with nothing done, written or reserved; arguments that the gate would not
   * trust are refused here, too. Not looked at: what only a call has (reason, signal, the tool's schema), budget, approvals,
   * whether an undo is of something that was done, and whether the log can be written.
   * @throws {InvalidCallError} When it is not said who does what, in a form that can be decided on.
   */
  decide(action: DecidedAction): PolicyDecision;
  /** Calls made against intents written, by tier, since the start: equal, or something is wrong. */
  coverage(): Coverage;
  /** Writes what is owed, signs a last checkpoint, and lets everything go. */
  close(): Promise<void>;
}

/** The tables of everything that shares the ledger. */
export const GOVERNANCE_MIGRATIONS = [
  ...APPROVALS_MIGRATIONS,
  LIMITS_MIGRATION,
  CONTROLS_MIGRATION,
  ...HISTORY_MIGRATIONS,
  ...RUN_POLICIES_MIGRATIONS,
  ...TAKEN_BACK_MIGRATIONS,
  ASKED_REASONS_MIGRATION,
];

/**
 * Opens the gate: the ledger, then the policy. A policy that does not load leaves the last good one in force, also one that
 * was so before a restart. Where there never was any, the gate does not open.
 * @throws {PolicyNotLoadedError} With every problem, its line and column.
 * @throws {InvalidInputError} When an option does not fit. Also what `openLedger` throws.
 * @example
 * await using governance = await createGovernance({ policy: 'policies.yaml', database: 'governance.db' });
 * const tools = governance.govern([findContact, sendMail]);
 */
export async function createGovernance(
  input: GovernanceInput,
  ports: GovernancePorts = {},
): Promise<Governance> {
  const options = parseOrThrow(GovernanceOptions, input, 'options of createGovernance');
  const { clock = systemClock, logger = silentLogger, publish, people } = ports;
  const { newId = randomId('approval'), usageOf = () => ({}), environment = process.env } = ports;
  if (options.mode === 'dev' && /^prod/i.test((environment['NODE_ENV'] ?? '').trim())) {
    throw new FastApprovalRefusedError(
      "The mode is dev, and NODE_ENV is production; use mode 'production'.",
    );
  }
  await using opened = new AsyncDisposableStack(); // let go when what follows fails
  const ledger = opened.use(
    openLedger(
      {
        file: options.database,
        survives: options.survives,
        ...(options.keyFile !== undefined && { keyFile: options.keyFile }),
        ...(options.origin !== undefined && { origin: options.origin }),
      },
      { clock, logger, migrations: GOVERNANCE_MIGRATIONS, ...(publish && { publish }) },
    ),
  );
  const policies = new RunPolicies({
    ledger,
    current: () => policy.current,
    compile: keptPolicy,
  });
  const policy = createPolicyHolder({
    clock,
    logger,
    record: (change, loaded) =>
      clock.external(() =>
        ledger.write((transaction) => {
          transaction.append({ kind: 'policy', ...change });
          if (loaded) policies.store(transaction, loaded);
        }),
      ),
    recall: (digest) => policies.textOf(digest),
  });
  const warnOfUsage = ({ policy: loaded }: { policy: LoadedPolicy }): void => {
    const rules = rulesCountedAfterwards(loaded);
    if (ports.usageOf === undefined && rules.length > 0)
      logger.warn({ rules }, 'Nothing tells what calls take (usageOf): one uses up these limits');
  };
  policy.events.on('loaded', warnOfUsage);
  policy.events.on('rolledBack', warnOfUsage);
  const lastGood = policies.lastInForce();
  const followed = opened.use(await openPolicy(policy, options, clock, lastGood));
  const approvals = createApprovals(
    { ...ports.approvals, mode: options.mode },
    {
      ledger,
      clock,
      newId,
      logger,
      secret: ledger.secretFor('approvals'),
      ...(people && { people }),
    },
  );
  opened.use(approvals.watchDue());
  const killSwitch = opened.use(createKillSwitch({ ledger, clock }));
  const { events, emit } = createGuardedEmitter<GateEvents>((error, event) =>
    logger.error({ err: error, event }, 'A listener of the gate threw'),
  );
  const gate = new Gate({
    ledger,
    policies,
    history: new GateHistory(ledger, clock),
    approvals,
    limits: createLimitBook(),
    killSwitch,
    takenBack: new TakenBack(),
    askedReasons: new AskedReasons(),
    clock,
    emit,
    snapshotOf: (value) => snapshotUntrusted(value),
    digestOf: (value) => ledger.digestOf(value),
    rationaleOf: (text, { kind }) =>
      ledger.rationaleOf(text, { mode: kind === 'agent' ? options.agentRationale : 'text' }),
    usageOf,
  });
  const governor = new Governor(gate);
  /** What waits under a policy that is in force no more has to be asked for again, and judged by the one that is. */
  let invalidating: Promise<unknown> = Promise.resolve();
  const invalidate = (): void => {
    invalidating = invalidating
      .then(() =>
        approvals.invalidate(
          ({ runId, actor, policyDigest }) =>
            policies.of(runId ?? undefined, actor).digest !== policyDigest,
        ),
      )
      // They cannot be used all the same: an approval holds for one policy only.
      .catch((error: unknown) => logger.error({ err: error }, 'Stale requests stay in the list'));
  };
  invalidate(); // it may have changed while nothing ran
  policy.events.on('loaded', invalidate);
  policy.events.on('rolledBack', invalidate);
  await invalidating;
  const held = opened.move();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  const closeAll = async (): Promise<void> => {
    await followed.stop();
    await invalidating;
    try {
      await gate.settle();
    } finally {
      await held.disposeAsync();
    }
  };
  return {
    events,
    policy,
    approvals,
    audit: auditLogOf(ledger),
    killSwitch,
    ledger,
    govern: (given, more) => governor.govern(given, more),
    assertCovered: (tools) => governor.assertCovered(tools),
    decide: ({ input: given, ...action }) => gate.decide(action, given),
    coverage: () => gate.coverage,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @throws {PolicyNotLoadedError} When there is no good policy to begin with, and never was. */
async function openPolicy(
  policy: PolicyHolder,
  { policy: path, followPolicy }: GovernanceOptions,
  clock: Clock,
  lastGood: KeptPolicy | undefined,
): Promise<FollowedPolicy> {
  const problems: string[] = [];
  const note = (event: { problems: readonly PolicyProblem[] }): void => {
    problems.push(...event.problems.map(formatPolicyProblem));
  };
  policy.events.on('rejected', note);
  const followed = await followPolicyFile(
    policy,
    { path },
    { clock, ...(!followPolicy && { watchFile: () => () => undefined }) },
  );
  policy.events.off('rejected', note);
  if (policy.history.length > 0) return followed;
  try {
    if (!lastGood) throw new PolicyNotLoadedError(path, problems);
    await policy.load(keptPolicy(lastGood).text, { source: 'the ledger' });
  } catch (error) {
    await followed.stop();
    throw error;
  }
  return followed;
}

/**
 * What was in force once, as it was then.
 * @throws {PolicyNotLoadedError} When what is kept is not that, or this version of the package does not read it.
 */
function keptPolicy({ digest, text }: KeptPolicy): LoadedPolicy {
  const source = 'the ledger';
  const result = loadPolicy(text, { source });
  if (!result.ok) throw new PolicyNotLoadedError(source, result.problems.map(formatPolicyProblem));
  if (result.policy.digest === digest) return result.policy;
  throw new PolicyNotLoadedError(source, [
    `What is kept of policy ${digest} was changed: it is ${result.policy.digest} now.`,
  ]);
}
