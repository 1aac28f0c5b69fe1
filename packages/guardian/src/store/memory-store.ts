import { StoreWriteError } from '../errors.ts';
import type { Incident, Run, StepEntry } from '../incident/incident.ts';
import { countOutcomes, type SymptomOutcome } from '../incident/symptom.ts';
import type {
  Certificate,
  GuardianStore,
  JournaledRun,
  Ledger,
  MaintenanceWindow,
  PlaybookTotals,
  StoreChange,
  StoredState,
} from './store.ts';

interface SymptomRow {
  seq: number;
  at: number;
  incidentId: string | null;
  outcome: SymptomOutcome | null;
}

/** Keeps everything in memory: for tests, and for whoever can do without what happened before a restart. */
export class MemoryStore implements GuardianStore {
  readonly #symptoms = new Map<number, SymptomRow>();
  readonly #incidents = new Map<string, Incident>();
  /** Open incidents by their fingerprints. */
  readonly #open = new Map<string, string>();
  readonly #runs = new Map<string, Run>();
  readonly #steps = new Map<string, StepEntry[]>();
  readonly #certificates: Certificate[] = [];
  readonly #maintenance = new Map<string, MaintenanceWindow>();
  readonly #counts = new Map<SymptomOutcome, number>();
  #counted = 0;
  #lastSeq = 0;

  async write(changes: readonly StoreChange[]): Promise<void> {
    for (const change of changes) this.#refuse(change, changes);
    for (const change of changes) this.#apply(change);
  }

  /** All or nothing: what cannot be kept is found before anything is. */
  #refuse(change: StoreChange, all: readonly StoreChange[]): void {
    if (change.kind === 'outcome') {
      const { seq } = change;
      const isNew = all.some((other) => other.kind === 'symptom' && other.seq === seq);
      if (isNew || this.#symptoms.get(seq)?.outcome === null) return;
      throw new StoreWriteError(`Symptom ${seq} is not there or has its outcome.`);
    }
    if (change.kind === 'incident' && change.incident.status !== 'closed') {
      const { id, fingerprint } = change.incident;
      if ((this.#open.get(fingerprint) ?? id) === id) return;
      throw new StoreWriteError(
        `It could not be written: there is an open incident for "${fingerprint}" already.`,
      );
    }
  }

  load({ now, runsSince }: { now: number; runsSince: number }): StoredState {
    const runs = [...this.#runs.values()];
    const incidents = [...this.#incidents.values()];
    return {
      lastSeq: this.#lastSeq,
      openIncidents: incidents.filter(({ status }) => status !== 'closed'),
      undecided: [...this.#symptoms.values()].filter(({ outcome }) => outcome === null),
      openRuns: runs
        .filter(({ result }) => result === 'running')
        .map((run) => ({ run, steps: this.#stepsOf(run.id) })),
      healed: incidents
        .filter(({ closedAs }) => closedAs === 'restored' || closedAs === 'restored_with_cause')
        .toSorted((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0))
        .slice(0, 100),
      recentRuns: runs.filter(({ startedAt }) => startedAt >= runsSince).toReversed(),
      totals: totalsOf(runs),
      certificates: [...this.#certificates],
      maintenance: [...this.#maintenance.values()].filter(({ until }) => until > now),
    };
  }

  ledger(): Ledger {
    const undecided = [...this.#symptoms.values()].filter(({ outcome }) => outcome === null);
    return {
      symptoms: this.#counted,
      outcomes: countOutcomes((outcome) => this.#counts.get(outcome) ?? 0),
      pending: undecided.length,
    };
  }

  runs(limit: number): readonly Run[] {
    return [...this.#runs.values()].toReversed().slice(0, limit);
  }

  journal(runId: string): JournaledRun | undefined {
    const run = this.#runs.get(runId);
    return run && { run, steps: this.#stepsOf(runId) };
  }

  incidents(limit: number): readonly Incident[] {
    return [...this.#incidents.values()].toReversed().slice(0, limit);
  }

  incident(id: string): Incident | undefined {
    return this.#incidents.get(id);
  }

  async prune(before: number): Promise<void> {
    for (const { seq, at, outcome } of this.#symptoms.values()) {
      if (outcome !== null && at < before) this.#symptoms.delete(seq);
    }
    for (const { id, closedAt } of this.#incidents.values()) {
      if (closedAt !== null && closedAt < before) this.#incidents.delete(id);
    }
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  #apply(change: StoreChange): void {
    switch (change.kind) {
      case 'symptom':
        this.#symptoms.set(change.seq, change);
        this.#counted += 1;
        this.#lastSeq = Math.max(this.#lastSeq, change.seq);
        if (change.outcome !== null) this.#count(change.outcome);
        break;
      case 'outcome': {
        const row = this.#symptoms.get(change.seq);
        if (row) this.#symptoms.set(change.seq, { ...row, outcome: change.outcome });
        this.#count(change.outcome);
        break;
      }
      case 'incident':
        this.#index(change.incident);
        this.#incidents.set(change.incident.id, change.incident);
        break;
      case 'run':
        this.#runs.set(change.run.id, change.run);
        break;
      case 'step': {
        const { step } = change;
        const others = this.#stepsOf(step.runId).filter(({ index }) => index !== step.index);
        this.#steps.set(step.runId, [...others, step]);
        break;
      }
      case 'certificate':
        this.#certificates.push(change.certificate);
        break;
      case 'maintenance':
        this.#maintenance.set(change.window.id, change.window);
        break;
    }
  }

  #index({ id, fingerprint, status }: Incident): void {
    if (status !== 'closed') this.#open.set(fingerprint, id);
    else if (this.#open.get(fingerprint) === id) this.#open.delete(fingerprint);
  }

  #count(outcome: SymptomOutcome): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  #stepsOf(runId: string): StepEntry[] {
    return (this.#steps.get(runId) ?? []).toSorted((a, b) => a.index - b.index);
  }
}

function totalsOf(runs: readonly Run[]): PlaybookTotals[] {
  const totals = new Map<string, PlaybookTotals>();
  for (const { playbook, resource, startedAt, endedAt, result } of runs) {
    if (endedAt === null || result === 'refused' || result === 'aborted') continue;
    const key = JSON.stringify([playbook, resource]);
    const before = totals.get(key);
    totals.set(key, {
      playbook,
      resource,
      runs: (before?.runs ?? 0) + 1,
      successes: (before?.successes ?? 0) + (result === 'restored' ? 1 : 0),
      failures: (before?.failures ?? 0) + (result === 'restored' ? 0 : 1),
      totalMs: (before?.totalMs ?? 0) + endedAt - startedAt,
      lastRunAt: Math.max(before?.lastRunAt ?? 0, startedAt),
    });
  }
  return [...totals.values()];
}
