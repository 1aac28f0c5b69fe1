import type { Tier } from '@buddy/core';
import type { PlaybookStats } from '../engine/playbook-record.ts';
import type { Run } from '../incident/incident.ts';
import type { Mttr } from '../mttr/mttr-tracker.ts';
import type { PlaybookCategory } from '../playbook/define-playbook.ts';
import type { LayerSummary } from '../probes/layers/layer-probes.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Certificate, Ledger } from '../store/store.ts';

/** What a guardian did. */
export interface GuardianStats {
  totalRuns: number;
  successfulRuns: number;
  failedRuns: number;
  /** Successful runs per run, 0..1; undefined before the first. */
  successRate: number | undefined;
  /** Mean of the last 10 healed incidents, from detected to restored; undefined before the first. */
  mttrSeconds: number | undefined;
  mttrMinutes: number | undefined;
  mttr: Mttr;
  /** The last five, the newest first. */
  lastRuns: readonly Run[];
  playbookStats: Readonly<Record<string, PlaybookStats>>;
  /** Of the layer probes that were handed in; undefined without any. */
  layerHealth: LayerSummary | undefined;
  /** Symptoms and outcomes: they are equal, but for what is pending. */
  ledger: Ledger;
}

/** How things are. */
export interface GuardianHealth {
  at: number;
  /**
   * `healthy`: all that is known is well. `degraded`: something is not, and is worked on or was never seen. `failing`: an
   * incident is parked, somebody should look.
   */
  status: 'healthy' | 'degraded' | 'failing';
  resources: Readonly<Record<string, Sample | undefined>>;
  /** Share of resources of which it is known how they are, 0..1. */
  coverage: number;
  openIncidents: number;
  parkedIncidents: number;
  playbooks: number;
  layerHealth: LayerSummary | undefined;
}

/** A playbook, what it is armed for, and what became of it. */
export interface PlaybookView {
  id: string;
  name: string;
  description: string;
  category: PlaybookCategory;
  tier: Tier;
  priority: number;
  mttrTargetMs: number;
  /** Each step, and how it is taken back. */
  steps: readonly { id: string; description: string; tier: Tier; undo: string }[];
  isArmed: boolean;
  /** Resources whose trouble it may mend. */
  armedFor: readonly string[];
  /** Resources of its kind, and the roles that nobody fills there. */
  notArmedFor: readonly { resource: string; missing: readonly string[] }[];
  /** Good now; undefined when it has to be earned anew. */
  certificate: Certificate | undefined;
  stats: PlaybookStats;
}
