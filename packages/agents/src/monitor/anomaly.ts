/** What can look wrong; each is told by a detector of its own, in `detectors/`. */
export type AnomalyKind =
  | 'agent_failure'
  | 'latency_outlier'
  | 'latency_shift'
  | 'prediction_drift'
  | 'load_imbalance'
  | 'retry_storm'
  | 'stalled';

/** `info` is worth a look and leaves health alone; `warning` and `critical` lower it. */
export type AnomalySeverity = 'info' | 'warning' | 'critical';

/** Whom it is about: one agent, or the wave as a whole. */
export type AnomalyScope = { kind: 'agent'; agentId: string } | { kind: 'wave' };

/**
 * A surprise against what was predicted. There is at most one per kind, scope and wave: a finding that repeats or grows
 * raises the count, the statistic and the severity of the one that is there.
 */
export interface Anomaly {
  kind: AnomalyKind;
  severity: AnomalySeverity;
  wave: number;
  scope: AnomalyScope;
  /** What was measured, in the unit of `threshold`, when it was furthest beyond it. */
  statistic: number;
  /** What `statistic` had to exceed for this severity. */
  threshold: number;
  /** How often it was found: slow tasks for `latency_outlier`, else alarms. */
  count: number;
  /** Ids of tasks that show it, at most 10. */
  evidence: readonly string[];
  /** What a person should look at or do, in a sentence. */
  recommendation: string;
  /** When it was first found, in ms since the Unix epoch. */
  at: number;
}

/** What a detector says; the monitor adds the wave and merges it with what is already known. */
export type Finding = Omit<Anomaly, 'wave' | 'count'> & { count?: number };

/** What is told only once: the kind and whom it is about. */
export function anomalyKey({ kind, scope }: Pick<Anomaly, 'kind' | 'scope'>): string {
  return scope.kind === 'agent' ? `${kind}/${scope.agentId}` : kind;
}

const MOST_EVIDENCE = 10;
const RANK: Record<AnomalySeverity, number> = { info: 0, warning: 1, critical: 2 };

export interface AnomalyLog {
  /** Adds a finding; returns the anomaly if it is new or more severe than before. */
  add(wave: number, finding: Finding): Anomaly | undefined;
  /** In the order in which they were first found. */
  list(): Anomaly[];
}

/** The anomalies of one wave, findings of one kind and scope merged. */
export function createAnomalyLog(): AnomalyLog {
  const byKey = new Map<string, Anomaly>();
  return {
    add(wave, finding) {
      const key = anomalyKey(finding);
      const known = byKey.get(key);
      const merged = known ? merge(known, finding) : anomalyOf(wave, finding);
      byKey.set(key, merged);
      return known && RANK[merged.severity] <= RANK[known.severity] ? undefined : merged;
    },
    list: () => [...byKey.values()],
  };
}

function anomalyOf(wave: number, { count = 1, ...finding }: Finding): Anomaly {
  return { ...finding, wave, count, evidence: finding.evidence.slice(0, MOST_EVIDENCE) };
}

function merge(known: Anomaly, finding: Finding): Anomaly {
  const isWorse =
    RANK[finding.severity] > RANK[known.severity] ||
    (finding.severity === known.severity && excess(finding) > excess(known));
  const worst = isWorse ? finding : known;
  return {
    ...known,
    severity: worst.severity,
    statistic: worst.statistic,
    threshold: worst.threshold,
    recommendation: worst.recommendation,
    count: known.count + (finding.count ?? 1),
    evidence: [...new Set([...known.evidence, ...finding.evidence])].slice(0, MOST_EVIDENCE),
  };
}

/** How far beyond its threshold: findings of one kind may be told by statistics of different units. */
function excess({ statistic, threshold }: Finding): number {
  return statistic / threshold;
}
