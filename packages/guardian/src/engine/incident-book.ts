import { describeFailure } from '@buddy/core';
import type { Closing, Incident } from '../incident/incident.ts';
import { fingerprintOf, type Symptom, type SymptomOutcome } from '../incident/symptom.ts';
import type { StoreChange } from '../store/store.ts';
import { alert, type Parts } from './parts.ts';

/** An incident that is not closed, and what only this process has to know of it. */
export interface LiveIncident {
  incident: Incident;
  /** Whether the symptom that opened it has its outcome. */
  isDecided: boolean;
  isConfirmed: boolean;
  /** How often a symptom of it was reported. */
  reports: number;
  /** The last run in which a step began: approvals for the same step before it are used up. */
  lastActedRun: string | undefined;
  /** Aborted when the guardian stops. Its own: one that all listen to is searched by each that stops listening. */
  readonly abort: AbortController;
  /** Resolves when it is parked or closed for the first time. */
  readonly firstVerdict: PromiseWithResolvers<void>;
}

/** The open incidents and the symptoms without an outcome. Changes in memory at once; what is kept follows. */
export class IncidentBook {
  readonly #parts: Parts;
  readonly #byId = new Map<string, LiveIncident>();
  readonly #byFingerprint = new Map<string, LiveIncident>();
  readonly #waiting = new Map<number, PromiseWithResolvers<SymptomOutcome>>();
  #lastSeq = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  startAfter(lastSeq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
  }

  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  get open(): readonly LiveIncident[] {
    return [...this.#byId.values()];
  }

  /** When the incident that is open longest was detected. They stand in the order in which they were. */
  get oldestDetected(): number | undefined {
    const [oldest] = this.#byId.values();
    return oldest?.incident.detected;
  }

  find(id: string): LiveIncident | undefined {
    return this.#byId.get(id);
  }

  ofFingerprint(symptom: Pick<Symptom, 'resource' | 'signal'>): LiveIncident | undefined {
    return this.#byFingerprint.get(fingerprintOf(symptom));
  }

  /** Open incidents of a resource, the oldest first. */
  on(resource: string): LiveIncident[] {
    return this.open.filter(({ incident }) => incident.resource === resource);
  }

  /** Takes up an incident that a former life left open. */
  adopt(incident: Incident, isDecided: boolean): LiveIncident {
    const live: LiveIncident = {
      incident,
      isDecided,
      isConfirmed: true,
      reports: 0,
      lastActedRun: undefined,
      abort: new AbortController(),
      firstVerdict: Promise.withResolvers(),
    };
    this.#index(live);
    return live;
  }

  create(symptom: Symptom, seq: number, rehearses: string | null): LiveIncident {
    const { clock, newId } = this.#parts;
    const now = clock.now();
    const live: LiveIncident = {
      incident: {
        id: newId(),
        fingerprint: fingerprintOf(symptom),
        resource: symptom.resource,
        signal: symptom.signal,
        status: 'open',
        symptom,
        openedBy: seq,
        firstBad: Math.min(symptom.firstBad ?? now, now),
        detected: now,
        restored: null,
        closedAt: null,
        closedAs: null,
        causeId: null,
        retries: 0,
        reason: symptom.note,
        rehearses,
      },
      isDecided: false,
      isConfirmed: symptom.certainty === 'decisive',
      reports: 1,
      lastActedRun: undefined,
      abort: new AbortController(),
      firstVerdict: Promise.withResolvers(),
    };
    this.#index(live);
    return live;
  }

  /** Resolves with the outcome of a symptom that has none yet. */
  outcomeOf(seq: number): Promise<SymptomOutcome> {
    let waiting = this.#waiting.get(seq);
    if (!waiting) {
      waiting = Promise.withResolvers<SymptomOutcome>();
      this.#waiting.set(seq, waiting);
    }
    return waiting.promise;
  }

  async update(live: LiveIncident, change: Partial<Incident>): Promise<void> {
    live.incident = { ...live.incident, ...change };
    await this.keep([{ kind: 'incident', incident: live.incident }]);
  }

  /** The resource is well: the incident is over, and its symptom has its outcome if it had none. */
  async close(
    live: LiveIncident,
    { as, restored, reason }: { as: Closing; restored: number | null; reason: string },
  ): Promise<void> {
    const { clock, emit } = this.#parts;
    live.incident = {
      ...live.incident,
      status: 'closed',
      closedAs: as,
      closedAt: clock.now(),
      restored,
      reason,
    };
    const { id, fingerprint } = live.incident;
    this.#byId.delete(id);
    if (this.#byFingerprint.get(fingerprint) === live) this.#byFingerprint.delete(fingerprint);
    const outcome = this.#decide(live, as, reason);
    await this.keep([{ kind: 'incident', incident: live.incident }, ...outcome.changes]);
    outcome.tell();
    emit('incidentClosed', { at: clock.now(), incidentId: id, incident: live.incident });
    live.firstVerdict.resolve();
  }

  /** Nothing can be done for now: its symptom has its outcome, and the incident stays open. */
  async park(live: LiveIncident, as: SymptomOutcome, reason: string): Promise<void> {
    live.incident = { ...live.incident, status: 'parked', reason };
    const outcome = this.#decide(live, as, reason);
    await this.keep([{ kind: 'incident', incident: live.incident }, ...outcome.changes]);
    outcome.tell();
    live.firstVerdict.resolve();
  }

  /** Its symptom has waited long enough for an outcome; the incident goes on. */
  async decideOverdue(live: LiveIncident, reason: string): Promise<void> {
    const outcome = this.#decide(live, 'escalated', reason);
    await this.keep(outcome.changes);
    outcome.tell();
  }

  /** Keeps what happened. That it could not be kept is told, and does not undo that it happened. */
  async keep(changes: readonly StoreChange[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      await this.#parts.keep(changes);
    } catch (error) {
      alert(this.#parts, 'store', `Not kept: ${describeFailure(error).message}`);
    }
  }

  #decide(live: LiveIncident, outcome: SymptomOutcome, reason: string) {
    const { clock, emit } = this.#parts;
    const changes: StoreChange[] = [];
    if (live.isDecided) return { changes, tell: () => undefined };
    live.isDecided = true;
    const { openedBy: seq, resource } = live.incident;
    const at = clock.now();
    changes.push({ kind: 'outcome', seq, at, outcome, reason });
    return {
      changes,
      tell: () => {
        emit('outcomeDecided', { at, seq, resource, outcome, reason });
        this.#waiting.get(seq)?.resolve(outcome);
        this.#waiting.delete(seq);
      },
    };
  }

  #index(live: LiveIncident): void {
    this.#byId.set(live.incident.id, live);
    this.#byFingerprint.set(live.incident.fingerprint, live);
  }
}

/** Where an alert leads. */
export function whereOf({ incident }: LiveIncident): { incidentId: string; resource: string } {
  return { incidentId: incident.id, resource: incident.resource };
}
