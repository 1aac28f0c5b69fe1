import type { Run } from '../incident/incident.ts';
import type { PlaybookTotals } from '../store/store.ts';

/** What became of a playbook's runs. */
export interface PlaybookStats {
  runs: number;
  successes: number;
  failures: number;
  /** Successes per run; undefined before the first. */
  successRate: number | undefined;
  meanDurationMs: number | undefined;
  /** Ms since the epoch. */
  lastRunAt: number | undefined;
}

/** Counts what became of each playbook on each resource. A run that was refused or aborted says nothing of its playbook. */
export class PlaybookRecord {
  readonly #totals = new Map<string, PlaybookTotals>();

  load(totals: readonly PlaybookTotals[]): void {
    for (const each of totals) this.#totals.set(keyOf(each.playbook, each.resource), each);
  }

  add({ playbook, resource, startedAt, endedAt, result }: Run): void {
    if (endedAt === null || result === 'refused' || result === 'aborted') return;
    const key = keyOf(playbook, resource);
    const before = this.#totals.get(key);
    const isSuccess = result === 'restored';
    this.#totals.set(key, {
      playbook,
      resource,
      runs: (before?.runs ?? 0) + 1,
      successes: (before?.successes ?? 0) + (isSuccess ? 1 : 0),
      failures: (before?.failures ?? 0) + (isSuccess ? 0 : 1),
      totalMs: (before?.totalMs ?? 0) + endedAt - startedAt,
      lastRunAt: Math.max(before?.lastRunAt ?? 0, startedAt),
    });
  }

  /** Share of successes on this resource, as if it had been tried twice more and had helped once. */
  successOn(playbook: string, resource: string): number {
    const { runs = 0, successes = 0 } = this.#totals.get(keyOf(playbook, resource)) ?? {};
    return (successes + 1) / (runs + 2);
  }

  meanMs(playbook: string, resource: string): number | undefined {
    const totals = this.#totals.get(keyOf(playbook, resource));
    return totals && totals.totalMs / totals.runs;
  }

  statsOf(playbook: string): PlaybookStats {
    return sumUp([...this.#totals.values()].filter((each) => each.playbook === playbook));
  }

  statsOfAll(): PlaybookStats {
    return sumUp([...this.#totals.values()]);
  }
}

function sumUp(own: readonly PlaybookTotals[]): PlaybookStats {
  const sum = (of: (totals: PlaybookTotals) => number) =>
    own.reduce((total, each) => total + of(each), 0);
  const runs = sum((each) => each.runs);
  return {
    runs,
    successes: sum((each) => each.successes),
    failures: sum((each) => each.failures),
    successRate: runs === 0 ? undefined : sum((each) => each.successes) / runs,
    meanDurationMs: runs === 0 ? undefined : sum((each) => each.totalMs) / runs,
    lastRunAt: runs === 0 ? undefined : Math.max(...own.map((each) => each.lastRunAt)),
  };
}

function keyOf(playbook: string, resource: string): string {
  return JSON.stringify([playbook, resource]);
}
