import { isSuccess, type Outcome } from '../../task/outcome.ts';
import type { AnomalySeverity, Finding } from '../anomaly.ts';
import { createBernoulliCusum, CRITICAL_AT, WARNING_AT } from './bernoulli-cusum.ts';

const EVIDENCE_KEPT = 10;

export interface AgentFailureDetector {
  /**
   * @param outcome A scored one, of this agent.
   * @param expectedFailure The probability that any agent would have failed it, by its prediction and what befell the peers.
   */
  observe(outcome: Outcome, expectedFailure: number): Finding | undefined;
  /** What was held against it is explained by something that befell all. */
  clear(): void;
  /** What led to an alarm in the last wave is spent; what did not yet counts on. */
  startWave(): void;
}

/**
 * Notices that an agent fails more than can be explained by its tasks, of which each brings its own probability, and by what
 * the other agents meet: a Bernoulli CUSUM. An agent that was given hard tasks does not look bad, nor does one whose peers
 * fail as much: that is `prediction_drift`. Without peers, the predictions alone are the measure.
 */
export function createAgentFailureDetector(agentId: string): AgentFailureDetector {
  const cusum = createBernoulliCusum();
  let hasAlarmed = false;
  let failedIds: string[] = [];

  return {
    observe(outcome, expectedFailure) {
      const before = cusum.sum();
      const sum = cusum.add(expectedFailure, !isSuccess(outcome));
      if (sum === 0) failedIds = [];
      if (isSuccess(outcome)) return undefined;
      failedIds = [...failedIds.slice(1 - EVIDENCE_KEPT), outcome.taskId];

      const severity = crossed(before, sum);
      if (severity === undefined) return undefined;
      hasAlarmed = true;
      const finding = findingOf(agentId, severity, sum, failedIds, outcome);
      if (severity === 'critical') cusum.restart(); // so that an agent that recovers is trusted at once
      return finding;
    },
    clear() {
      cusum.restart();
      failedIds = [];
    },
    startWave() {
      if (hasAlarmed) cusum.restart();
      hasAlarmed = false;
    },
  };
}

type AlarmSeverity = Exclude<AnomalySeverity, 'info'>;

const RECOMMENDATION: Record<AlarmSeverity, (agentId: string) => string> = {
  warning: (agentId) =>
    `Keep an eye on ${agentId}: it seems to fail more than its tasks and the other agents explain.`,
  critical: (agentId) =>
    `Find out what ${agentId} does wrong: it fails more than its tasks and the other agents explain. Give it fewer tasks until then.`,
};

function crossed(before: number, after: number): AlarmSeverity | undefined {
  if (after > CRITICAL_AT) return 'critical';
  return before <= WARNING_AT && after > WARNING_AT ? 'warning' : undefined;
}

function findingOf(
  agentId: string,
  severity: AlarmSeverity,
  statistic: number,
  evidence: readonly string[],
  outcome: Outcome,
): Finding {
  return {
    kind: 'agent_failure',
    severity,
    scope: { kind: 'agent', agentId },
    statistic,
    threshold: severity === 'critical' ? CRITICAL_AT : WARNING_AT,
    evidence,
    recommendation: RECOMMENDATION[severity](agentId),
    at: outcome.endedAt ?? outcome.queuedAt,
  };
}
