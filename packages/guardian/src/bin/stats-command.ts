import { textTable } from '@buddy/core';
import { MttrTracker } from '../mttr/mttr-tracker.ts';
import { PlaybookRecord } from '../engine/playbook-record.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { GuardianStore } from '../store/store.ts';
import { type Answer, durationOf, type Host, percentOf } from './answer.ts';
import { readConfig } from './config-module.ts';
import { storeFileOf } from './healing-commands.ts';

const LAST_RUNS = 5;

/** What was done, from the file alone: also while a guardian works on it. */
export async function stats(
  { config: file, store: named }: Readonly<Record<string, unknown>>,
  { folder, clock }: Host,
): Promise<Answer> {
  const config = named === undefined ? await readConfig(file, folder) : undefined;
  try {
    const store = openSqliteStore(storeFileOf(named ?? config?.store, folder), {
      isReadOnly: true,
    });
    try {
      const now = clock.now();
      const result = readStore(store, now);
      return { text: textOf(result, now), json: result, exitCode: 0 };
    } finally {
      await store.close();
    }
  } finally {
    await config?.close?.();
  }
}

type StoredStats = ReturnType<typeof readStore>;

function readStore(store: GuardianStore, now: number) {
  const state = store.load({ now, runsSince: now });
  const record = new PlaybookRecord();
  record.load(state.totals);
  const mttr = new MttrTracker();
  for (const incident of state.healed.toReversed()) mttr.add(incident);
  const detected = state.openIncidents.map((incident) => incident.detected);
  const { runs, successes, failures, successRate } = record.statsOfAll();
  const ids = [...new Set(state.totals.map(({ playbook }) => playbook))].toSorted();
  const times = mttr.at(now, detected.length === 0 ? undefined : Math.min(...detected));
  return {
    totalRuns: runs,
    successfulRuns: successes,
    failedRuns: failures,
    successRate,
    mttrSeconds: times.meanMs === undefined ? undefined : times.meanMs / 1_000,
    mttrMinutes: times.meanMs === undefined ? undefined : times.meanMs / 60_000,
    mttr: times,
    lastRuns: store.runs(LAST_RUNS),
    playbookStats: Object.fromEntries(ids.map((id) => [id, record.statsOf(id)])),
    ledger: store.ledger(),
    openIncidents: state.openIncidents,
    maintenance: state.maintenance,
  };
}

function textOf(stored: StoredStats, now: number): string {
  const { mttr, ledger, openIncidents } = stored;
  const outcomes = Object.entries(ledger.outcomes).filter(([, count]) => count > 0);
  const ago = (at: number | null | undefined) =>
    at === null || at === undefined ? '-' : `${durationOf(now - at)} ago`;
  return [
    `Runs: ${stored.totalRuns}; helped: ${stored.successfulRuns} (${percentOf(stored.successRate)}).\n`,
    `Time to restore: mean of the last 10 ${durationOf(mttr.meanMs)}, p50 ${durationOf(mttr.p50Ms)}, p95 ${durationOf(mttr.p95Ms)}; oldest open incident ${durationOf(mttr.oldestOpenMs)}.\n`,
    `Symptoms: ${ledger.symptoms}; ${outcomes.map(([name, count]) => `${name} ${count}`).join(', ') || 'no outcome yet'}; pending ${ledger.pending}.\n`,
    section(
      'Open incidents',
      ['INCIDENT', 'RESOURCE', 'SIGNAL', 'STATUS', 'DETECTED', 'WHY'],
      openIncidents.map((each) => [
        each.id,
        each.resource,
        each.signal,
        each.status,
        ago(each.detected),
        each.reason,
      ]),
    ),
    section(
      'Playbooks',
      ['PLAYBOOK', 'RUNS', 'HELPED', 'MEAN', 'LAST'],
      Object.entries(stored.playbookStats).map(([id, each]) => [
        id,
        each.runs,
        percentOf(each.successRate),
        durationOf(each.meanDurationMs),
        ago(each.lastRunAt),
      ]),
    ),
    section(
      'Last runs',
      ['RUN', 'PLAYBOOK', 'RESOURCE', 'RESULT', 'STARTED', 'WHY'],
      stored.lastRuns.map((run) => [
        run.id,
        run.playbook,
        run.resource,
        run.result,
        ago(run.startedAt),
        run.reason,
      ]),
    ),
  ].join('');
}

function section(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  return rows.length === 0 ? '' : `\n${title}\n${textTable(heads, rows)}`;
}
