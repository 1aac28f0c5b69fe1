import type { Outcome } from '../../task/outcome.ts';
import { isSuccess } from '../../task/outcome.ts';
import type { AnomalySeverity, Finding } from '../anomaly.ts';

/** The agent that is looked for: its odds of failure are this many times what its tasks' own predictions say. */
const ODDS_RATIO = 3;
/**
 * Where the sum must climb to. A threshold h costs less than one false alarm in e^h tasks (Lorden 1971); simulated on mixed
 * tasks of mean success .8: 5 gives one in about 2000, 8 one in about 50 000. An agent that fails everything is found
 * within 7 and 11 tasks, one with four times the odds within about 30 and 45.
 */
const WARNING_AT = 5;
const CRITICAL_AT = 8;
const EVIDENCE_KEPT = 10;

export interface AgentFailureDetector {
  /** @param outcome A scored one, of this agent. */
  observe(outcome: Outcome): Finding | undefined;
  /** What led to an alarm in the last wave is spent; what did not yet counts on. */
  startWave(): void;
}

/**
 * Notices that an agent fails more than its tasks' own probabilities explain: a Bernoulli CUSUM (Page 1954; Reynolds &
 * Stoumbos 1999) of the log-likelihood ratio of each outcome. As every task brings its own probability, an agent that
 * was given hard tasks does not look bad.
 */
export function createAgentFailureDetector(agentId: string): AgentFailureDetector {
  let sum = 0;
  let hasAlarmed = false;
  let failedIds: string[] = [];

  return {
    observe(outcome) {
      const before = sum;
      sum = Math.max(0, sum + logLikelihoodRatio(1 - outcome.calibratedProbability, outcome));
      if (sum === 0) failedIds = [];
      if (isSuccess(outcome)) return undefined;
      failedIds = [...failedIds.slice(1 - EVIDENCE_KEPT), outcome.taskId];

      const severity = crossed(before, sum);
      if (severity === undefined) return undefined;
      hasAlarmed = true;
      const finding = findingOf(agentId, severity, sum, failedIds, outcome);
      if (severity === 'critical') sum = 0; // starts over, so that an agent that recovers is trusted at once
      return finding;
    },
    startWave() {
      if (hasAlarmed) sum = 0;
      hasAlarmed = false;
    },
  };
}

function logLikelihoodRatio(failureProbability: number, outcome: Outcome): number {
  const normaliser = -Math.log1p((ODDS_RATIO - 1) * failureProbability);
  return isSuccess(outcome) ? normaliser : Math.log(ODDS_RATIO) + normaliser;
}

function crossed(before: number, after: number): AnomalySeverity | undefined {
  if (after > CRITICAL_AT) return 'critical';
  return before <= WARNING_AT && after > WARNING_AT ? 'warning' : undefined;
}

function findingOf(
  agentId: string,
  severity: AnomalySeverity,
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
    recommendation: `Look at why ${agentId} fails tasks that were expected to succeed, and give it fewer until that is known.`,
    at: outcome.endedAt ?? outcome.queuedAt,
  };
}
