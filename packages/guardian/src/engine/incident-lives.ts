import { describeFailure } from '@buddy/core';
import type { MttrTracker } from '../mttr/mttr-tracker.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import type { Background } from './background.ts';
import type { Conditions } from './conditions.ts';
import type { Healer } from './healer.ts';
import { type IncidentBook, type LiveIncident, whereOf } from './incident-book.ts';
import { alert, type Parts } from './parts.ts';
import { isBad, type Prober } from './prober.ts';
import type { StormLimits } from './storm-limits.ts';
import type { Verdict } from './verdict.ts';

interface LivesParts {
  parts: Parts;
  book: IncidentBook;
  prober: Prober;
  healer: Healer;
  limits: StormLimits;
  conditions: Conditions;
  mttr: MttrTracker;
  background: Background;
  onClosed: () => void;
}

/** Leads each incident from its opening to its close. */
export class IncidentLives {
  readonly #l: LivesParts;

  constructor(parts: LivesParts) {
    this.#l = parts;
  }

  /** Until it is closed, it is worked on, or looked at and tried again: there is no state without a way out. */
  async live(live: LiveIncident, resource: Resource): Promise<void> {
    const { background, book, parts } = this.#l;
    background.run(this.#watchDeadline(live));
    for (;;) {
      const verdict = await this.#round(live, resource);
      if ('closes' in verdict) {
        if (live.reports !== verdict.reports) continue; // news came meanwhile
        await this.close(live, verdict);
        return;
      }
      if (await this.#park(live, resource, verdict)) return;
      const retries = live.incident.retries + 1;
      await book.update(live, { status: 'open', retries });
      const { clock, emit } = parts;
      emit('incidentRetried', { at: clock.now(), incidentId: live.incident.id, retries });
    }
  }

  async #round(live: LiveIncident, resource: Resource): Promise<Verdict> {
    try {
      return await this.#l.healer.round(live, resource);
    } catch (error) {
      live.abort.signal.throwIfAborted();
      const { message } = describeFailure(error);
      alert(this.#l.parts, 'internal', message, whereOf(live));
      return { parks: 'escalated', reason: `an error in the guardian: ${message}` };
    }
  }

  async close(live: LiveIncident, verdict: Extract<Verdict, { closes: unknown }>): Promise<void> {
    const { resource } = live.incident;
    const { flapping } = this.#l.limits;
    const isHealed = verdict.closes === 'restored' || verdict.closes === 'restored_with_cause';
    if (isHealed) flapping.noteHealed(resource);
    else flapping.noteWellByItself(resource, this.#l.parts.clock.monotonic());
    const { restored, reason } = verdict;
    const closing = this.#l.book.close(live, { as: verdict.closes, restored, reason });
    this.#l.conditions.noteClosed(live.incident);
    this.#l.mttr.add(live.incident);
    await closing;
    this.#l.onClosed();
  }

  /** @returns True when it became well by itself and was closed, false when it is time to try again. */
  async #park(
    live: LiveIncident,
    resource: Resource,
    { parks, reason, retryAt }: Extract<Verdict, { parks: unknown }>,
  ): Promise<boolean> {
    const { clock, emit, options, random } = this.#l.parts;
    const { firstMs, longestMs } = options.retry;
    const wait = Math.min(longestMs, firstMs * 2 ** live.incident.retries);
    const backoffAt = clock.monotonic() + wait * (0.9 + 0.2 * random());
    const tryAt = Math.max(retryAt ?? backoffAt, clock.monotonic() + 1);
    const isNews = live.incident.status !== 'parked' || live.incident.reason !== reason;
    const isFirst = !live.isDecided;
    await this.#l.book.park(live, parks, reason);
    emit('incidentParked', {
      at: clock.now(),
      incidentId: live.incident.id,
      outcome: parks,
      reason,
      retryAt: clock.now() + tryAt - clock.monotonic(),
    });
    if (parks !== 'suppressed_maintenance' && (isFirst || isNews)) {
      const { signal } = live.incident;
      alert(this.#l.parts, parks, `${resource.id}, ${signal}: ${reason}`, whereOf(live));
    }
    for (;;) {
      const nextLook = resource.probeIntervalMs ?? options.probeIntervalMs;
      // A whole millisecond at least: a smaller rest would be lost in rounding, and time would stand still.
      const rest = Math.max(1, Math.min(nextLook, tryAt - clock.monotonic()));
      await clock.sleep(rest, live.abort.signal);
      const { reports } = live;
      const sample = await this.#l.prober.probe(resource);
      if (this.#isWell(resource, sample) && reports === live.reports) {
        const as = live.incident.causeId === null ? 'cleared_externally' : 'restored_with_cause';
        const why = 'it was well when it was looked at again';
        await this.close(live, { closes: as, restored: sample.at, reason: why, reports });
        return true;
      }
      if (clock.monotonic() >= tryAt) return false;
    }
  }

  /** Well, and not only for the moment: what flaps has to stay well until it does not count as flapping any more. */
  #isWell({ id }: Resource, sample: Sample): boolean {
    const { flapping } = this.#l.limits;
    const now = this.#l.parts.clock.monotonic();
    if (sample.status !== 'HEALTHY') {
      if (isBad(sample)) flapping.noteBad(id, now);
      return false;
    }
    if (flapping.flapsUntil(id, now) === undefined) return true;
    flapping.noteWellByItself(id, now);
    return flapping.flapsUntil(id, now) === undefined;
  }

  /** No symptom waits for its outcome for ever, whatever its incident is doing. */
  async #watchDeadline(live: LiveIncident): Promise<void> {
    if (live.isDecided) return;
    const { clock, options } = this.#l.parts;
    const over = new AbortController();
    const end = () => over.abort('over');
    live.abort.signal.addEventListener('abort', end, { once: true });
    const isOverdue = clock.sleep(options.outcomeDeadlineMs, over.signal).then(
      () => true,
      () => false,
    );
    void live.firstVerdict.promise.then(end);
    if (!(await isOverdue) || live.isDecided) return;
    const reason = `no outcome within ${options.outcomeDeadlineMs} ms`;
    await this.#l.book.decideOverdue(live, reason);
    alert(this.#l.parts, 'outcome_overdue', `${live.incident.resource}: ${reason}`, whereOf(live));
  }
}
