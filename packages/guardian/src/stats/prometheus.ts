import { SYMPTOM_OUTCOMES } from '../incident/symptom.ts';
import type { GuardianHealth, GuardianStats, PlaybookView } from './stats.ts';

interface Series {
  labels?: Readonly<Record<string, string>>;
  value: number | undefined;
}

const STATUSES = ['HEALTHY', 'DEGRADED', 'FAILED', 'UNKNOWN'] as const;

/**
 * All figures in Prometheus' text format (version 0.0.4). Labels come from closed sets: playbooks, outcomes, resources,
 * layers, statuses. What has no value yet has no line.
 */
export function prometheusText(
  stats: GuardianStats,
  health: GuardianHealth,
  playbooks: readonly PlaybookView[],
): string {
  const { ledger, mttr } = stats;
  const layers = Object.entries(health.layerHealth?.layers ?? {});
  return [
    family('symptoms_total', 'counter', 'Symptoms that were reported.', [
      { value: ledger.symptoms },
    ]),
    family(
      'outcomes_total',
      'counter',
      'Symptoms by what became of them.',
      SYMPTOM_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: ledger.outcomes[outcome] })),
    ),
    family('symptoms_pending', 'gauge', 'Symptoms without an outcome yet.', [
      { value: ledger.pending },
    ]),
    family(
      'runs_total',
      'counter',
      'Runs of playbooks that came to an end.',
      playbooks.flatMap(({ id, stats: { successes, failures } }) => [
        { labels: { playbook: id, result: 'success' }, value: successes },
        { labels: { playbook: id, result: 'failure' }, value: failures },
      ]),
    ),
    family(
      'playbook_armed',
      'gauge',
      'Whether a playbook has a resource that it could mend.',
      playbooks.map(({ id, isArmed }) => ({ labels: { playbook: id }, value: Number(isArmed) })),
    ),
    family('open_incidents', 'gauge', 'Incidents that are not closed.', [
      { labels: { status: 'open' }, value: health.openIncidents - health.parkedIncidents },
      { labels: { status: 'parked' }, value: health.parkedIncidents },
    ]),
    family('mttr_seconds', 'gauge', 'From detected to restored; mean of 10, p50 and p95 of 100.', [
      { labels: { figure: 'mean' }, value: seconds(mttr.meanMs) },
      { labels: { figure: 'p50' }, value: seconds(mttr.p50Ms) },
      { labels: { figure: 'p95' }, value: seconds(mttr.p95Ms) },
    ]),
    family('oldest_open_seconds', 'gauge', 'Age of the oldest incident that is not closed.', [
      { value: seconds(mttr.oldestOpenMs ?? 0) },
    ]),
    family(
      'resource_status',
      'gauge',
      '1 for the status that a resource has.',
      Object.entries(health.resources).flatMap(([resource, sample]) =>
        STATUSES.map((status) => ({
          labels: { resource, status },
          value: Number((sample?.status ?? 'UNKNOWN') === status),
        })),
      ),
    ),
    family(
      'layer_status',
      'gauge',
      '1 for the status that a layer has.',
      layers.flatMap(([layer, sample]) =>
        STATUSES.map((status) => ({
          labels: { layer, status },
          value: Number(sample.status === status),
        })),
      ),
    ),
  ].join('');
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  series: readonly Series[],
): string {
  const lines = series.flatMap(({ labels = {}, value }) => {
    if (value === undefined) return [];
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    return `buddy_guardian_${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
  });
  if (lines.length === 0) return '';
  const full = `buddy_guardian_${name}`;
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
