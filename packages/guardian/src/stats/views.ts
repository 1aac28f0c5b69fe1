import { armFor } from '../engine/arming.ts';
import type { Autonomy } from '../engine/autonomy.ts';
import type { Parts } from '../engine/parts.ts';
import type { PlaybookRecord } from '../engine/playbook-record.ts';
import { describeUndo } from '../engine/plan.ts';
import type { Prober } from '../engine/prober.ts';
import type { Incident } from '../incident/incident.ts';
import type { Mttr } from '../mttr/mttr-tracker.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import type { GuardianHealth, GuardianStats, PlaybookView } from './stats.ts';

/** What is looked at from outside. */
export interface Viewed {
  parts: Parts;
  prober: Prober;
  record: PlaybookRecord;
  autonomy: Autonomy;
  layers: LayerProbes | undefined;
  mttr: Mttr;
  open: readonly Incident[];
}

export function statsOf({ parts, record, layers, mttr }: Viewed): GuardianStats {
  const { playbooks, store } = parts;
  const playbookStats = Object.fromEntries(
    [...playbooks.keys()].map((id) => [id, record.statsOf(id)]),
  );
  const all = record.statsOfAll();
  return {
    totalRuns: all.runs,
    successfulRuns: all.successes,
    failedRuns: all.failures,
    successRate: all.successRate,
    mttrSeconds: mttr.meanMs === undefined ? undefined : mttr.meanMs / 1_000,
    mttrMinutes: mttr.meanMs === undefined ? undefined : mttr.meanMs / 60_000,
    mttr,
    lastRuns: store.runs(5),
    playbookStats,
    layerHealth: layers?.summary(),
    ledger: store.ledger(),
  };
}

export function healthOf({ parts, prober, layers, open }: Viewed): GuardianHealth {
  const { clock, resources, playbooks } = parts;
  const last = [...resources.keys()].map((id) => [id, prober.lastOf(id)] as const);
  const known = last.filter(([, sample]) => sample && sample.status !== 'UNKNOWN');
  const isAllWell = last.every(([, sample]) => sample?.status === 'HEALTHY');
  const parked = open.filter(({ status }) => status === 'parked').length;
  const isQuiet = isAllWell && open.length === 0;
  return {
    at: clock.now(),
    status: parked > 0 ? 'failing' : isQuiet ? 'healthy' : 'degraded',
    resources: Object.fromEntries(last),
    coverage: resources.size === 0 ? 0 : known.length / resources.size,
    openIncidents: open.length,
    parkedIncidents: parked,
    playbooks: playbooks.size,
    layerHealth: layers?.summary(),
  };
}

export function playbooksOf({ parts, record, autonomy }: Viewed): readonly PlaybookView[] {
  const { playbooks, resources } = parts;
  const views = [...playbooks.values()].map((playbook): PlaybookView => {
    const armings = [...resources.values()].flatMap((resource) => {
      const arming = armFor(playbook, resource, resources);
      return arming ? [{ resource: resource.id, arming }] : [];
    });
    const armedFor = armings.filter(({ arming }) => arming.armed).map(({ resource }) => resource);
    return {
      id: playbook.id,
      name: playbook.name,
      description: playbook.description,
      category: playbook.category,
      tier: playbook.tier,
      priority: playbook.priority,
      mttrTargetMs: playbook.mttrTargetMs,
      steps: playbook.steps.map((step) => ({
        id: step.id,
        description: step.description,
        tier: step.tier,
        undo: describeUndo(step),
      })),
      isArmed: armedFor.length > 0,
      armedFor,
      notArmedFor: armings.flatMap(({ resource, arming }) =>
        arming.armed ? [] : [{ resource, missing: arming.missing }],
      ),
      certificate: autonomy.certificateOf(playbook),
      stats: record.statsOf(playbook.id),
    };
  });
  return views.toSorted((a, b) => b.priority - a.priority || a.id.localeCompare(b.id));
}
