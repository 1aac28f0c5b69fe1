import type { Incident, Run, StepEntry } from '../incident/incident.ts';
import type { SymptomOutcome } from '../incident/symptom.ts';

/** A certificate that a playbook healed its fault here, with this code. */
export interface Certificate {
  readonly playbook: string;
  readonly codeHash: string;
  readonly resource: string;
  readonly fault: string;
  readonly at: number;
}

/** A time in which somebody works on resources, and symptoms of them are no news. */
export interface MaintenanceWindow {
  readonly id: string;
  /** Ids of resources, or `*` for all. */
  readonly resources: readonly string[] | '*';
  readonly reason: string;
  readonly from: number;
  readonly until: number;
}

/** One change of what is kept. All changes of one `write` are kept, or none. */
export type StoreChange =
  | {
      kind: 'symptom';
      seq: number;
      at: number;
      resource: string;
      signal: string;
      incidentId: string | null;
      /** Null while it is undecided. */
      outcome: SymptomOutcome | null;
      reason: string;
    }
  | { kind: 'outcome'; seq: number; at: number; outcome: SymptomOutcome; reason: string }
  | { kind: 'incident'; incident: Incident }
  | { kind: 'run'; run: Run }
  | { kind: 'step'; step: StepEntry }
  | { kind: 'certificate'; certificate: Certificate }
  | { kind: 'maintenance'; window: MaintenanceWindow };

/** What became of the runs of one playbook on one resource. */
export interface PlaybookTotals {
  readonly playbook: string;
  readonly resource: string;
  readonly runs: number;
  readonly successes: number;
  readonly failures: number;
  readonly totalMs: number;
  readonly lastRunAt: number;
}

export interface JournaledRun {
  readonly run: Run;
  /** In the order of the playbook. */
  readonly steps: readonly StepEntry[];
}

/** All that a guardian has to know of its former life. */
export interface StoredState {
  lastSeq: number;
  openIncidents: readonly Incident[];
  /** Symptoms that have no outcome yet. */
  undecided: readonly { seq: number; incidentId: string | null }[];
  /** Runs that no process ended. */
  openRuns: readonly JournaledRun[];
  /** Closed incidents that were healed, the newest first, 100 at most. */
  healed: readonly Incident[];
  /** Runs that began at or after `runsSince`, the newest first. */
  recentRuns: readonly Run[];
  totals: readonly PlaybookTotals[];
  certificates: readonly Certificate[];
  /** That have not ended. */
  maintenance: readonly MaintenanceWindow[];
}

/** Symptoms and their outcomes, counted since the store was made. */
export interface Ledger {
  symptoms: number;
  outcomes: Readonly<Record<SymptomOutcome, number>>;
  /** Symptoms without an outcome yet. `symptoms` is always `pending` plus all outcomes. */
  pending: number;
}

/** Where a guardian keeps what must outlive it. */
export interface GuardianStore {
  /**
   * Resolves when all changes are kept, and would be after a kill -9.
   * @throws {StoreWriteError} When they are not; none of them is.
   */
  write(changes: readonly StoreChange[]): Promise<void>;
  load(query: { now: number; runsSince: number }): StoredState;
  ledger(): Ledger;
  /** The newest first. */
  runs(limit: number): readonly Run[];
  journal(runId: string): JournaledRun | undefined;
  incidents(limit: number): readonly Incident[];
  incident(id: string): Incident | undefined;
  /** Forgets decided symptoms and closed incidents from before `at`; the ledger keeps counting them. */
  prune(before: number): Promise<void>;
  close(): Promise<void>;
}
