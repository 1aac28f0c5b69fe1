import type { Anomaly } from './anomaly.ts';

/** One cause often shows in every agent; alone it shall not sink the score of a large fleet. */
const MOST_OF_A_KIND = 3;

/**
 * How many anomalies count against health: of each kind at most 3, the critical ones first; `info` never. They are merged
 * by kind, agent and wave beforehand, so an agent with fifty alarms of a kind counts once.
 */
export function countedAnomalies(anomalies: readonly Anomaly[]): {
  criticals: number;
  warnings: number;
} {
  let criticals = 0;
  let warnings = 0;
  for (const ofKind of Map.groupBy(anomalies, ({ kind }) => kind).values()) {
    const critical = count(ofKind, 'critical', MOST_OF_A_KIND);
    criticals += critical;
    warnings += count(ofKind, 'warning', MOST_OF_A_KIND - critical);
  }
  return { criticals, warnings };
}

function count(anomalies: readonly Anomaly[], severity: Anomaly['severity'], most: number): number {
  return Math.min(most, anomalies.filter((anomaly) => anomaly.severity === severity).length);
}
