import { describeFailure } from '@buddy/core';
import type { Closing, Incident } from '../incident/incident.ts';
import { fingerprintOf, type Symptom, type SymptomOutcome } from '../incident/symptom.ts';
import { withoutSecrets } from '../incident/without-secrets.ts';
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
  /** The last run in which each step began, by `playbook/step`: an approval for it from before is used up. */
  readonly lastBegun: Map<string, string>;
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
  /** Changes that could not be kept when they were made, the oldest first. */
  readonly #unkept: (readonly StoreChange[])[] = [];
  #catchingUp: Promise<void> | undefined;
  #lastSeq = 0;
  #stopped: Error | undefined;

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
      lastBegun: new Map(),
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
      lastBegun: new Map(),
      abort: new AbortController(),
      firstVerdict: Promise.withResolvers(),
    };
    this.#index(live);
    return live;
  }

  /** Resolves with the outcome of a symptom that has none yet; rejects when the guardian is stopped first. */
  outcomeOf(seq: number): Promise<SymptomOutcome> {
    let waiting = this.#waiting.get(seq);
    if (!waiting) {
      waiting = Promise.withResolvers<SymptomOutcome>();
      waiting.promise.catch(() => undefined); // nobody has to wait for it
      if (this.#stopped) waiting.reject(this.#stopped);
      this.#waiting.set(seq, waiting);
    }
    return waiting.promise;
  }

  /** Tells who still waits for an outcome that it does not come in this life. */
  stop(reason: Error): void {
    this.#stopped = reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  async update(live: LiveIncident, change: Partial<Incident>): Promise<void> {
    live.incident = { ...live.incident, ...change };
    await this.keep([{ kind: 'incident', incident: live.incident }]);
  }

  /** The resource is well: the incident is over, and its symptom has its outcome if it had none. */
  async close(
    live: LiveIncident,
    { as, restored, ...told }: { as: Closing; restored: number | null; reason: string },
  ): Promise<void> {
    const { clock, emit } = this.#parts;
    const reason = withoutSecrets(told.reason);
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
  async park(live: LiveIncident, as: SymptomOutcome, why: string): Promise<void> {
    const reason = withoutSecrets(why);
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

  /**
   * Keeps what happened. That it could not be kept is told, and does not undo that it happened: it is kept as soon as the
   * store can be written again, in its order.
   */
  async keep(changes: readonly StoreChange[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      if (this.#unkept.length > 0) await this.#writeUnkept();
      await this.#parts.keep(changes);
    } catch (error) {
      this.#noteUnkept(changes, error);
    }
  }

  /** Keeps what could not be kept before, if it can be now. */
  async catchUp(): Promise<void> {
    if (this.#unkept.length === 0) return;
    await this.#writeUnkept().catch(() => undefined); // it was told, and stays to be kept
  }

  #writeUnkept(): Promise<void> {
    this.#catchingUp ??= this.#writeEachUnkept().finally(() => (this.#catchingUp = undefined));
    return this.#catchingUp;
  }

  async #writeEachUnkept(): Promise<void> {
    for (let [first] = this.#unkept; first; [first] = this.#unkept) {
      try {
        await this.#parts.keep(first);
      } catch (error) {
        if (isPassing(error)) throw error;
        this.#tellLost(error);
      }
      this.#unkept.shift();
    }
  }

  #noteUnkept(changes: readonly StoreChange[], error: unknown): void {
    if (!isPassing(error) || this.#unkept.length >= MOST_UNKEPT) {
      this.#tellLost(error);
      return;
    }
    this.#unkept.push(changes);
    if (this.#unkept.length > 1) return; // told already
    const message = `Not kept, and tried again: ${describeFailure(error).message}`;
    alert(this.#parts, 'store', message);
  }

  #tellLost(error: unknown): void {
    alert(this.#parts, 'store', `Not kept: ${describeFailure(error).message}`);
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

/** What waits while the store cannot be written is in memory: some tens of megabytes at most. */
const MOST_UNKEPT = 10_000;

/** Whether the same may be kept later: the disk was full. */
function isPassing(error: unknown): boolean {
  return describeFailure(error).retryable;
}

/** Where an alert leads. */
export function whereOf({ incident }: LiveIncident): { incidentId: string; resource: string } {
  return { incidentId: incident.id, resource: incident.resource };
}
