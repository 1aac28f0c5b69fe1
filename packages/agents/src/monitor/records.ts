import type { Anomaly } from './anomaly.ts';
import type { AgentMetrics, Percentiles, TaskMetrics, WaveReportMetrics } from './metrics.ts';
import { rounded, roundedOrNull } from './rounded.ts';

/** `phase21/wave_N/metrics.json`: snake_case, numbers of 6 decimals at most, keys always in this order. */
export function waveMetricsRecord({ wave, agents, anomalies, health }: WaveReportMetrics) {
  return {
    v: 1,
    wave: wave.wave,
    started_at: new Date(wave.startedAt).toISOString(),
    ended_at: new Date(wave.endedAt).toISOString(),
    agents: agents.length,
    capacity: wave.capacity,
    makespan_ms: rounded(wave.makespanMs),
    lower_bound_ms: rounded(wave.lowerBoundMs),
    makespan_ratio: roundedOrNull(wave.makespanRatio),
    steals: wave.steals,
    ...taskMetricsRecord(wave),
    health_score: health.score,
    health_status: health.status,
    anomalies: anomalies.map(anomalyRecord),
  };
}

/** `phase21/wave_N/agent_X/metrics.json`, written as the wave's. */
export function agentMetricsRecord(agent: AgentMetrics, { wave, anomalies }: WaveReportMetrics) {
  return {
    v: 1,
    wave: wave.wave,
    agent_id: agent.agentId,
    capacity: agent.capacity,
    ...taskMetricsRecord(agent),
    anomalies: anomalies
      .filter(({ scope }) => scope.kind === 'agent' && scope.agentId === agent.agentId)
      .map(anomalyRecord),
  };
}

/** An anomaly as it is written, in the files of metrics and health alike. */
export function anomalyRecord(anomaly: Anomaly) {
  return {
    kind: anomaly.kind,
    severity: anomaly.severity,
    wave: anomaly.wave,
    scope: anomaly.scope.kind,
    agent_id: anomaly.scope.kind === 'agent' ? anomaly.scope.agentId : null,
    statistic: rounded(anomaly.statistic),
    threshold: rounded(anomaly.threshold),
    count: anomaly.count,
    evidence: [...anomaly.evidence],
    recommendation: anomaly.recommendation,
    at: new Date(anomaly.at).toISOString(),
  };
}

function taskMetricsRecord(metrics: TaskMetrics) {
  const { counts } = metrics;
  return {
    counts: {
      completed: counts.completed,
      failed: counts.failed,
      timed_out: counts.timed_out,
      denied: counts.denied,
      cancelled: counts.cancelled,
      skipped: counts.skipped,
      waiting: counts.waiting,
    },
    scored: metrics.scored,
    success_rate: roundedOrNull(metrics.successRate),
    success_rate_wilson_95: [
      rounded(metrics.successInterval.lower),
      rounded(metrics.successInterval.upper),
    ],
    throughput_per_s: roundedOrNull(metrics.throughputPerS),
    busy_ms: rounded(metrics.busyMs),
    utilisation: roundedOrNull(metrics.utilisation),
    duration_ms: percentilesRecord(metrics.durationMs),
    queue_ms: percentilesRecord(metrics.queueMs),
    retry_ratio: roundedOrNull(metrics.retryRatio),
    availability: roundedOrNull(metrics.availability),
    brier: roundedOrNull(metrics.brier),
  };
}

function percentilesRecord({ p50, p95 }: Percentiles) {
  return { p50: roundedOrNull(p50), p95: roundedOrNull(p95) };
}
