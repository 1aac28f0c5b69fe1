import type { Harness, ReportSection } from '@buddy/agents';
import type { Governance } from '@buddy/governance';
import { LOG_FILE, POLICY_FILE } from './gate.ts';
import type { WaitingTask } from './saved-run.ts';

/** What the gate did in a job. */
export interface GateCounts {
  /** Calls that were made, each with its intent in the log before. */
  calls: number;
  /** Calls that were refused. */
  denied: number;
  /** Requests that people have not decided on. */
  pending: number;
  /** Approvals used, by how they were given. */
  approvals: Readonly<Partial<Record<ApprovalWay, number>>>;
}

type ApprovalWay = keyof typeof WAYS;

/** Keeps the books of what the gate did: figures for the summary, and a section for the report. */
export class GateLedger {
  readonly #governance: Governance;
  readonly #clockNow: () => number;
  readonly #approvals: Partial<Record<ApprovalWay, number>> = {};
  #denied = 0;

  constructor(governance: Governance, now: () => number) {
    this.#governance = governance;
    this.#clockNow = now;
    governance.events.on('actionDenied', () => (this.#denied += 1));
    governance.approvals.events.on('consumed', ({ via }) => {
      if (via !== null) this.#approvals[via] = (this.#approvals[via] ?? 0) + 1;
    });
  }

  get counts(): GateCounts {
    const { executed } = this.#governance.coverage();
    return {
      calls: executed[1] + executed[2] + executed[3],
      denied: this.#denied,
      pending: this.#card.pendingApprovals,
      approvals: { ...this.#approvals },
    };
  }

  sections(): ReportSection[] {
    const { pendingApprovals, violations24h, tiers, decisions } = this.#card;
    const { executed, intents } = this.#governance.coverage();
    const used = WAY_NAMES.filter((way) => this.#approvals[way] !== undefined);
    return [
      {
        title: 'Governance',
        nextStep:
          pendingApprovals === 0
            ? null
            : `Decide on what waits for approval, ${pendingApprovals} in all, then go on: start --go-on with this run's folder.`,
        parts: [
          {
            kind: 'text',
            text:
              `Every tool stood behind one gate. It asked the policy ${this.#governance.policy.current.digest}, which is kept in ` +
              `state/${POLICY_FILE} and could not change while the run went on.`,
          },
          {
            kind: 'table',
            columns: ['at the end', { number: 'count' }],
            rows: [
              ['requests that wait for a person', String(pendingApprovals)],
              ['calls denied within 24 hours', String(violations24h)],
              ...([1, 2, 3, 4] as const).map((tier) => [
                `decisions on tier ${tier}`,
                String(tiers[tier]),
              ]),
            ],
            file: null,
          },
          {
            kind: 'text',
            text: 'The intent of a call is in the log before it is made, so in this process both numbers are the same:',
          },
          {
            kind: 'table',
            columns: ['tier', { number: 'calls made' }, { number: 'intents in the log' }],
            rows: ([1, 2, 3] as const).map((tier) => [
              String(tier),
              String(executed[tier]),
              String(intents[tier]),
            ]),
            file: null,
          },
          {
            kind: 'table',
            columns: ['approvals used', { number: 'calls' }],
            rows: used.map((way) => [WAYS[way], String(this.#approvals[way] ?? 0)]),
            file: null,
          },
          { kind: 'text', text: 'The last decisions, the newest first:' },
          {
            kind: 'table',
            columns: [
              { name: 'action' },
              { name: 'agent' },
              { number: 'tier' },
              'decision',
              { name: 'rule' },
              'reason',
            ],
            rows: decisions.map(({ action, actor, tier, decision, rule, reasonCode }) => [
              action,
              actor.id,
              String(tier),
              decision,
              rule,
              reasonCode,
            ]),
            file: null,
          },
          {
            kind: 'text',
            text:
              `The log is state/${LOG_FILE} in the run's folder, and the key that signs it state/${LOG_FILE}.key. Whether the ` +
              `log is whole: npx -y pnpm@12 governance audit verify --database DIR/state/${LOG_FILE}`,
          },
        ],
      },
    ];
  }

  get #card() {
    return this.#governance.audit.card(this.#clockNow());
  }
}

const WAYS = {
  cli: 'given on the command line',
  form: 'given in the form',
  api: 'given through the API',
  grant: 'given beforehand',
  fast: 'given by nobody, for --approve-all-dev was set',
} as const;

const WAY_NAMES = ['cli', 'form', 'api', 'grant', 'fast'] as const;

/**
 * Notes which tasks wait, while a job runs.
 * @param askedBy In whose name tasks are done that are not done in their own agent's.
 */
export function followWaiting(
  { events }: Harness,
  askedBy: ReadonlyMap<string, string>,
): ReadonlyMap<string, WaitingTask> {
  const waiting = new Map<string, WaitingTask>();
  events.on('taskWaiting', ({ taskId, why, approvalId, outcome }) => {
    const agentId = askedBy.get(taskId) ?? outcome.agentId;
    waiting.set(taskId, { taskId, why, approvalId, agentId });
  });
  events.on('taskSettled', ({ taskId, outcome }) => {
    if (outcome.status !== 'waiting') waiting.delete(taskId);
    else waiting.set(taskId, { taskId, why: 'dependency', approvalId: null, agentId: null });
  });
  return waiting;
}
