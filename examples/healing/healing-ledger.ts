import type { ReportPart, ReportSection } from '@buddy/agents';
import {
  type Guardian,
  type GuardianEvents,
  type Incident,
  SYMPTOM_OUTCOMES,
} from '@buddy/guardian';
import type { BreakThings, FaultRecord } from './break-things.ts';
import type { FaultKind } from './fault-plan.ts';
import type { Rehearsal } from './rehearsals.ts';

/** What was broken and what became of it, for the summary. */
export interface HealingCounts {
  faults: readonly {
    kind: FaultKind;
    target: string;
    /** Ms from injected until it was gone and its incidents closed; null: it was not healed. */
    healedMs: number | null;
    problem: string | null;
    incidents: readonly string[];
  }[];
  injected: number;
  healed: number;
  /** By how they are: `restored`, `restored_with_cause`, ..., or `open` and `parked`. */
  incidents: Readonly<Record<string, number>>;
  mttr: {
    count: number;
    meanMs: number | null;
    p50Ms: number | null;
    p95Ms: number | null;
    oldestOpenMs: number | null;
  };
  /** Those that ran. */
  playbooks: Readonly<Record<string, { runs: number; successes: number }>>;
  /** Symptoms that were noticed, how each ended, and those without an end. */
  ledger: { symptoms: number; outcomes: Readonly<Record<string, number>>; pending: number };
  rehearsals: readonly { playbook: string; problem: string | null }[];
}

export interface HealingLedgerParts {
  guardian: Guardian;
  breaking: BreakThings;
  /** Ms since the epoch. */
  began: number;
}

/** Keeps the books of what broke and was mended: figures for the summary, and a section for the report. */
export class HealingLedger {
  readonly #parts: HealingLedgerParts;
  /** Set when they are over. */
  rehearsals: readonly Rehearsal[] = [];
  /** The playbooks that were run for each incident, in order. */
  readonly #playbooks = new Map<string, string[]>();
  readonly #alerts: GuardianEvents['alertRaised'][0][] = [];

  /** Before the guardian starts: it listens to it. */
  constructor(parts: HealingLedgerParts) {
    this.#parts = parts;
    parts.guardian.events.on('runEnded', ({ incidentId, run }) => {
      const known = this.#playbooks.get(incidentId) ?? [];
      this.#playbooks.set(incidentId, [...known, run.playbook]);
    });
    parts.guardian.events.on('alertRaised', (event) => this.#alerts.push(event));
  }

  counts(): HealingCounts {
    const { guardian, breaking } = this.#parts;
    const { mttr, playbookStats, ledger } = guardian.stats();
    const incidents: Record<string, number> = {};
    for (const incident of breaking.incidents) {
      const how = stateOf(incident);
      incidents[how] = (incidents[how] ?? 0) + 1;
    }
    const ran = Object.entries(playbookStats).filter(([, { runs }]) => runs > 0);
    return {
      faults: breaking.records.map(({ kind, target, at, healedAt, problem, incidents: of }) => ({
        kind,
        target,
        healedMs: healedAt === null ? null : healedAt - at,
        problem,
        incidents: of.map(({ id }) => id),
      })),
      injected: breaking.records.filter(isInjected).length,
      healed: breaking.records.filter(({ healedAt }) => healedAt !== null).length,
      incidents,
      mttr: {
        count: mttr.count,
        meanMs: mttr.meanMs ?? null,
        p50Ms: mttr.p50Ms ?? null,
        p95Ms: mttr.p95Ms ?? null,
        oldestOpenMs: mttr.oldestOpenMs ?? null,
      },
      playbooks: Object.fromEntries(
        ran.map(([id, { runs, successes }]) => [id, { runs, successes }]),
      ),
      ledger: {
        symptoms: ledger.symptoms,
        outcomes: { ...ledger.outcomes },
        pending: ledger.pending,
      },
      rehearsals: this.rehearsals.map(({ playbook, problem }) => ({
        playbook,
        problem: problem ?? null,
      })),
    };
  }

  sections(): ReportSection[] {
    const { healed, injected, faults } = this.counts();
    const unhealed = faults.length - healed;
    return [
      {
        title: 'Healing',
        nextStep:
          unhealed === 0
            ? null
            : `Look at what was not healed: ${unhealed} of ${faults.length} faults, with their incidents in state/healing/guardian.db.`,
        parts: [
          {
            kind: 'text',
            text:
              `The providers and a worker ran as processes of their own. They were broken for real, ${injected} times, by a plan drawn ` +
              `from the seed, and a guardian on the real clock mended them: ${healed} of ${faults.length} faults were healed. Times are ` +
              `in milliseconds since the guardian began.`,
          },
          this.#faultsTable(),
          this.#mttrTable(),
          this.#playbooksTable(),
          this.#ledgerTable(),
          this.#incidentsTable(),
          this.#alertsTable(),
          ...this.#rehearsalsParts(),
        ],
      },
    ];
  }

  #faultsTable(): ReportPart {
    return {
      kind: 'table',
      columns: [
        { number: 'at' },
        { name: 'fault' },
        { name: 'of' },
        'incidents',
        'playbooks',
        'what became of it',
        { number: 'after' },
      ],
      rows: this.#parts.breaking.records.map((record) => [
        this.#since(record.at),
        record.kind,
        record.target,
        record.incidents.map(({ resource, signal }) => `${resource} ${signal}`).join(', '),
        [...new Set(record.incidents.flatMap(({ id }) => this.#playbooksOf(id)))].join(', '),
        becameOf(record),
        record.healedAt === null ? '–' : rounded(record.healedAt - record.at),
      ]),
      file: null,
    };
  }

  #mttrTable(): ReportPart {
    const { mttr } = this.#parts.guardian.stats();
    return {
      kind: 'table',
      columns: ['time to restore, from noticed to well', { number: 'ms' }],
      rows: [
        ['mean of the last 10', roundedOrNone(mttr.meanMs)],
        ['half of the last 100 within', roundedOrNone(mttr.p50Ms)],
        ['95 % of the last 100 within', roundedOrNone(mttr.p95Ms)],
        ['age of the oldest incident that is open', roundedOrNone(mttr.oldestOpenMs)],
      ],
      file: null,
    };
  }

  #playbooksTable(): ReportPart {
    const { playbookStats } = this.#parts.guardian.stats();
    const ran = Object.entries(playbookStats).filter(([, { runs }]) => runs > 0);
    return {
      kind: 'table',
      columns: [
        { name: 'playbook' },
        { number: 'runs' },
        { number: 'successes' },
        { number: 'mean ms' },
      ],
      rows: ran.map(([id, { runs, successes, meanDurationMs }]) => [
        id,
        String(runs),
        String(successes),
        meanDurationMs === undefined ? '–' : rounded(meanDurationMs),
      ]),
      file: null,
    };
  }

  #ledgerTable(): ReportPart {
    const { ledger } = this.#parts.guardian.stats();
    const outcomes = SYMPTOM_OUTCOMES.filter((outcome) => ledger.outcomes[outcome] > 0);
    return {
      kind: 'table',
      columns: ['symptoms, and how each ended', { number: 'symptoms' }],
      rows: [
        ['all', String(ledger.symptoms)],
        ...outcomes.map((outcome) => [
          outcome.replaceAll('_', ' '),
          String(ledger.outcomes[outcome]),
        ]),
        ['without an end', String(ledger.pending)],
      ],
      file: null,
    };
  }

  #incidentsTable(): ReportPart {
    return {
      kind: 'table',
      columns: [
        { number: 'noticed at' },
        { name: 'resource' },
        { name: 'signal' },
        'playbooks',
        'ended',
        { number: 'well after' },
      ],
      rows: this.#parts.breaking.incidents.map((incident) => [
        this.#since(incident.detected),
        incident.resource,
        incident.signal,
        this.#playbooksOf(incident.id).join(', '),
        `${stateOf(incident).replaceAll('_', ' ')}${incident.rehearses === null ? '' : ' (rehearsal)'}`,
        incident.restored === null
          ? '–'
          : rounded(Math.max(0, incident.restored - incident.detected)),
      ]),
      file: null,
    };
  }

  /** What somebody would have been called for. */
  #alertsTable(): ReportPart {
    return {
      kind: 'table',
      columns: [{ number: 'at' }, { name: 'alert' }, { name: 'resource' }, 'why'],
      rows: this.#alerts.map(({ at, alert, resource, message }) => [
        this.#since(at),
        alert,
        resource ?? '–',
        message,
      ]),
      file: null,
    };
  }

  #rehearsalsParts(): ReportPart[] {
    const failed = this.rehearsals.flatMap(({ playbook, problem }) =>
      problem === undefined ? [] : [`${playbook}: ${problem}`],
    );
    const text =
      'Before the first task, the playbooks that restart something showed on one provider each that they heal their fault here; ' +
      'without that, the gate lets none of their steps run unattended. Every step is in the log.';
    return [
      { kind: 'text', text },
      ...failed.map((problem) => ({ kind: 'text' as const, text: `Not shown: ${problem}` })),
    ];
  }

  #playbooksOf(incidentId: string): string[] {
    return this.#playbooks.get(incidentId) ?? [];
  }

  #since(at: number): string {
    return rounded(at - this.#parts.began);
  }
}

function becameOf({ healedAt, problem, incidents, isAfterWork }: FaultRecord): string {
  const when = isAfterWork ? ', after the last task' : '';
  if (problem !== null) return `not injected, or not taken back: ${problem}`;
  if (healedAt !== null) return `healed${when}`;
  const open = incidents.filter(({ status }) => status !== 'closed');
  const why = open.map(({ reason }) => reason).join('; ');
  return incidents.length === 0 ? `not noticed${when}` : `not healed${when}: ${why}`;
}

function isInjected({ problem }: FaultRecord): boolean {
  return problem === null;
}

function stateOf({ status, closedAs }: Incident): string {
  return closedAs ?? status;
}

/** Whole milliseconds, for Markdown would take `1.2` at the beginning of a cell for a list. */
function rounded(ms: number): string {
  return String(Math.round(ms));
}

function roundedOrNone(ms: number | undefined): string {
  return ms === undefined ? 'none' : rounded(ms);
}
