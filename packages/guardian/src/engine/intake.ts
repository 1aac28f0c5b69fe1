import type { Symptom, SymptomOutcome } from '../incident/symptom.ts';
import { dataWithoutSecrets, withoutSecrets } from '../incident/without-secrets.ts';
import type { Resource } from '../resource/registry.ts';
import type { Conditions } from './conditions.ts';
import type { IncidentBook, LiveIncident } from './incident-book.ts';
import type { Maintenance } from './maintenance.ts';
import { alert, type Parts } from './parts.ts';
import type { StormLimits } from './storm-limits.ts';

/** What became of a report. */
export interface Reported {
  /** Its number in the ledger. */
  seq: number;
  /** The incident that it opened or belongs to. */
  incidentId: string | undefined;
  /**
   * Resolves when it has its one outcome. Rejects with a `GuardianStoppedError` when the guardian is stopped first: the next
   * one on the same store decides it.
   */
  outcome: Promise<SymptomOutcome>;
}

interface IntakeParts {
  parts: Parts;
  book: IncidentBook;
  conditions: Conditions;
  maintenance: Maintenance;
  limits: StormLimits;
  begin: (live: LiveIncident, resource: Resource) => void;
}

/** A symptom with its number in the ledger. */
interface Numbered {
  symptom: Symptom;
  seq: number;
  at: number;
}

/** Takes symptoms in: each is counted, and has its outcome at once or opens the incident that will decide it. */
export class Intake {
  readonly #i: IntakeParts;
  /** Resources on which a playbook is being rehearsed: their incidents are the rehearsal's, whoever notices first. */
  readonly rehearsals = new Map<string, string>();

  constructor(parts: IntakeParts) {
    this.#i = parts;
  }

  async take(symptom: Symptom): Promise<Reported> {
    const { parts, book, conditions, maintenance } = this.#i;
    const numbered = { symptom, seq: book.nextSeq(), at: parts.clock.now() };
    const resource = parts.resources.get(symptom.resource);
    if (!resource) {
      const reason = `no resource is "${symptom.resource}"`;
      const reported = await this.#decide(numbered, 'unmatched', null, reason);
      const where = { resource: symptom.resource };
      alert(parts, 'unmatched', `Symptom ${symptom.signal}: ${reason}`, where);
      return reported;
    }
    const existing = book.ofFingerprint(symptom);
    if (existing) {
      const { id } = existing.incident;
      existing.reports += 1;
      conditions.note(resource.id, id, symptom.conditions);
      return this.#decide(numbered, 'deduplicated', id, `belongs to ${id}`);
    }
    const window = maintenance.covering(resource.id, numbered.at);
    if (window && !this.rehearsals.has(resource.id)) {
      maintenance.noteSuppressed(window, resource.id);
      conditions.noteLasting(resource.id, '', symptom.conditions);
      return this.#decide(numbered, 'suppressed_maintenance', null, window.reason);
    }
    return this.#open(numbered, resource);
  }

  async #decide(
    { symptom: { resource, signal }, seq, at }: Numbered,
    outcome: SymptomOutcome,
    incidentId: string | null,
    reason: string,
  ): Promise<Reported> {
    const { book, parts } = this.#i;
    await book.keep([{ kind: 'symptom', seq, at, resource, signal, incidentId, outcome, reason }]);
    parts.emit('symptomReported', { at, seq, resource, signal });
    parts.emit('outcomeDecided', { at, seq, resource, outcome, reason });
    return { seq, incidentId: incidentId ?? undefined, outcome: Promise.resolve(outcome) };
  }

  async #open(numbered: Numbered, resource: Resource): Promise<Reported> {
    const { parts, book, conditions, limits, begin } = this.#i;
    const { seq, at } = numbered;
    const symptom = {
      ...numbered.symptom,
      note: withoutSecrets(numbered.symptom.note),
      data: dataWithoutSecrets(numbered.symptom.data),
    };
    const live = book.create(symptom, seq, this.rehearsals.get(resource.id) ?? null);
    const { id: incidentId, signal } = live.incident;
    conditions.note(resource.id, incidentId, symptom.conditions);
    limits.flapping.noteBad(resource.id, parts.clock.monotonic());
    const outcome = book.outcomeOf(seq);
    const row = { seq, at, resource: resource.id, signal, incidentId, outcome: null, reason: '' };
    await book.keep([
      { kind: 'symptom', ...row },
      { kind: 'incident', incident: live.incident },
    ]);
    parts.emit('symptomReported', { at, seq, resource: resource.id, signal });
    parts.emit('incidentOpened', { at, incidentId, incident: live.incident });
    begin(live, resource);
    return { seq, incidentId, outcome };
  }
}
