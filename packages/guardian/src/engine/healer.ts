import { describeFailure } from '@buddy/core';
import type { Closing } from '../incident/incident.ts';
import type { SymptomInput, SymptomOutcome } from '../incident/symptom.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import { isTriggered } from '../playbook/trigger.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import { armFor } from './arming.ts';
import type { Conditions } from './conditions.ts';
import type { LiveIncident } from './incident-book.ts';
import type { Maintenance } from './maintenance.ts';
import { alert, type Parts } from './parts.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { Roles } from './playbook-context.ts';
import type { PlaybookRunner, RunEnd } from './playbook-runner.ts';
import { isBad, type Prober } from './prober.ts';
import type { StormLimits } from './storm-limits.ts';

/** What one round of work on an incident came to. */
export type Verdict =
  | {
      closes: Closing;
      restored: number | null;
      reason: string;
      /** Reports that were known when it was seen to be well. */
      reports: number;
    }
  | {
      parks: Extract<
        SymptomOutcome,
        | 'refused_limit'
        | 'refused_governance'
        | 'contraindicated'
        | 'suppressed_maintenance'
        | 'unmatched'
        | 'escalated'
      >;
      reason: string;
      /** Monotonic ms; left out, by the usual backoff. */
      retryAt?: number;
    };

interface HealerParts {
  parts: Parts;
  prober: Prober;
  conditions: Conditions;
  maintenance: Maintenance;
  limits: StormLimits;
  record: PlaybookRecord;
  runner: PlaybookRunner;
  /** The open incident of a resource that was seen to fail; undefined when it is suppressed. */
  raise: (symptom: SymptomInput) => Promise<LiveIncident | undefined>;
  openOn: (resource: string) => readonly LiveIncident[];
  attach: (live: LiveIncident, causeId: string) => Promise<void>;
}

interface Candidate {
  playbook: Playbook;
  roles: Roles;
}

/** Works on an incident: is it so, what made it, what may be done, does it help. */
export class Healer {
  readonly #h: HealerParts;
  /** When each resource was last healed, ms since the epoch. */
  readonly #healedAt = new Map<string, number>();
  /** Resources on which a playbook is at work. */
  readonly #inHealing = new Set<string>();

  constructor(parts: HealerParts) {
    this.#h = parts;
  }

  async round(live: LiveIncident, resource: Resource): Promise<Verdict> {
    const { maintenance, limits, parts } = this.#h;
    const window = maintenance.covering(resource.id, parts.clock.now());
    if (window && live.incident.rehearses === null) {
      maintenance.noteSuppressed(window, resource.id);
      const reason = `maintenance: ${window.reason}`;
      const inMs = window.until - parts.clock.now();
      return { parks: 'suppressed_maintenance', reason, retryAt: parts.clock.monotonic() + inMs };
    }
    const flapsUntil = limits.flapping.flapsUntil(resource.id, parts.clock.monotonic());
    if (flapsUntil !== undefined) {
      const reason = `${resource.id} is flapping: it goes bad and well by itself`;
      return { parks: 'refused_limit', reason, retryAt: flapsUntil };
    }
    return (
      (await this.#confirm(live, resource)) ??
      (await this.#healCauseFirst(live, resource)) ??
      (await this.#tryCandidates(live, resource))
    );
  }

  async #confirm(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    if (live.isConfirmed) return undefined;
    const { prober, parts } = this.#h;
    const { samples, intervalMs } = parts.options.confirm;
    const { signal } = live.abort;
    let bad = 0;
    let last: Sample | undefined;
    // What cannot be known is asked for again, as often as it would have to be bad.
    for (let look = 0; look < samples * 2 && bad < samples; look += 1) {
      if (look > 0) await parts.clock.sleep(intervalMs, signal);
      const { reports } = live;
      last = await prober.probe(resource);
      if (last.status === 'HEALTHY') {
        if (this.#isByUs(live, resource)) return withCause(last, reports);
        return {
          closes: 'false_positive',
          restored: null,
          reason: 'it was well when it was looked at again',
          reports,
        };
      }
      if (isBad(last)) bad += 1;
    }
    if (bad < samples) {
      const why = last?.status === 'UNKNOWN' ? `${last.reason}: ${last.note}` : 'no clear answer';
      return { parks: 'escalated', reason: `it could not be confirmed (${why})` };
    }
    live.isConfirmed = true;
    parts.emit('incidentConfirmed', { at: parts.clock.now(), incidentId: live.incident.id });
    return undefined;
  }

  /** When something that it depends on is sick, that is healed first; most of the time that is enough. */
  async #healCauseFirst(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    const { parts } = this.#h;
    const cause = await this.#findCause(resource);
    if (cause === undefined) return undefined;
    if (cause === 'suppressed') {
      return { parks: 'suppressed_maintenance', reason: 'what it depends on is in maintenance' };
    }
    const { id: causeId, resource: causeResource } = cause.incident;
    await this.#h.attach(live, causeId);
    parts.emit('causeFound', {
      at: parts.clock.now(),
      incidentId: live.incident.id,
      causeId,
      resource: causeResource,
    });
    await until(cause.firstVerdict.promise, live.abort.signal);
    if (cause.incident.status !== 'closed') {
      const reason = `${causeResource}, on which it depends, is not mended: ${cause.incident.reason}`;
      return { parks: 'escalated', reason };
    }
    return this.#waitUntilWell(live, resource, {
      withinMs: parts.options.causeGraceMs,
      reason: `${causeResource}, on which it depends, was mended`,
    });
  }

  async #findCause(resource: Resource): Promise<LiveIncident | 'suppressed' | undefined> {
    const { prober, parts, openOn, raise } = this.#h;
    const ancestors = resource.ancestors.flatMap((id) => parts.resources.get(id) ?? []);
    const samples = await Promise.all(
      ancestors.map(async (ancestor) => {
        const isKnown = openOn(ancestor.id).some(({ isConfirmed }) => isConfirmed);
        return isKnown ? undefined : prober.probe(ancestor);
      }),
    );
    // The roots come first, so the first that is sick has no sick cause itself.
    for (const [index, ancestor] of ancestors.entries()) {
      const [known] = openOn(ancestor.id);
      const sample = samples[index];
      if (known && (!sample || sample.status === 'FAILED')) return known;
      if (sample?.status !== 'FAILED') continue;
      return (await raise({ ...symptomOf(ancestor.id, sample) })) ?? 'suppressed';
    }
    return undefined;
  }

  async #waitUntilWell(
    live: LiveIncident,
    resource: Resource,
    { withinMs, reason }: { withinMs: number; reason: string },
  ): Promise<Verdict | undefined> {
    const { prober, parts } = this.#h;
    const deadline = parts.clock.monotonic() + withinMs;
    for (;;) {
      const { reports } = live;
      const sample = await prober.probe(resource);
      if (sample.status === 'HEALTHY') {
        return { closes: 'restored_with_cause', restored: sample.at, reason, reports };
      }
      if (parts.clock.monotonic() >= deadline) return undefined;
      await parts.clock.sleep(parts.options.confirm.intervalMs, live.abort.signal);
    }
  }

  async #tryCandidates(live: LiveIncident, resource: Resource): Promise<Verdict> {
    const { candidates, missing } = this.#candidates(live, resource);
    if (candidates.length === 0) {
      const isUnknown = missing.length === 0;
      const mended = isUnknown ? await this.#mendedByOthers(live, resource) : undefined;
      return mended ?? this.#unmatched(live, missing);
    }
    let refused: Verdict | undefined;
    let failure: string | undefined;
    for (const candidate of candidates) {
      const end = await this.#tryOne(live, resource, candidate);
      if ('closes' in end) return end;
      if ('parks' in end) {
        refused ??= end;
        continue;
      }
      const { playbook } = candidate;
      if (!end.isUndone) {
        const reason = `${playbook.id} could not be taken back whole; nothing more is tried until somebody looks`;
        return { parks: 'escalated', reason };
      }
      switch (end.result) {
        case 'refused':
          refused ??= { parks: 'refused_governance', reason: `${playbook.id}: ${end.reason}` };
          break;
        case 'for_people':
          failure ??= `${playbook.id} needs a person: ${end.reason}`;
          break;
        case 'aborted':
        case 'failed':
        case 'not_helped':
          failure ??= `${playbook.id} did not help: ${end.reason}`;
          break;
      }
    }
    if (failure !== undefined) return { parks: 'escalated', reason: failure };
    return refused ?? { parks: 'escalated', reason: 'no playbook could be run' };
  }

  /** One playbook, and once more when it helped and not for long: as often as the limits let it. */
  async #tryOne(
    live: LiveIncident,
    resource: Resource,
    candidate: Candidate,
  ): Promise<Verdict | Exclude<RunEnd, { result: 'restored' }>> {
    const { limits, parts } = this.#h;
    const { playbook, roles } = candidate;
    let last: Exclude<RunEnd, { result: 'restored' }> | undefined;
    for (;;) {
      const refusal = this.#refusal(live, resource, candidate);
      if (refusal) return last ?? refusal;
      const end = await this.#runLocked(live, resource, candidate);
      live.abort.signal.throwIfAborted();
      if ('closes' in end) return end;
      if ('parks' in end) return last ?? end;
      if (end.result === 'restored') {
        limits.noteHelped(playbook.id, resource.id, roles);
        for (const id of Object.values(roles)) this.#healedAt.set(id, parts.clock.now());
        const reason = `healed by ${playbook.id}`;
        return { closes: 'restored', restored: end.restored, reason, reports: live.reports };
      }
      if (end.result === 'failed' || end.result === 'not_helped') {
        limits.noteFutile(playbook.id, resource.id);
      }
      if (end.hasRelapsed !== true || !end.isUndone) return end;
      last = end;
    }
  }

  /** By priority, then the tamer, then what helped here more often. */
  #candidates(
    { incident }: LiveIncident,
    resource: Resource,
  ): { candidates: Candidate[]; missing: string[] } {
    const { parts, record } = this.#h;
    const missing: string[] = [];
    const candidates: Candidate[] = [];
    for (const playbook of parts.playbooks.values()) {
      if (incident.rehearses !== null && incident.rehearses !== playbook.id) continue;
      if (!isTriggered(playbook.triggers, incident.symptom)) continue;
      const arming = armFor(playbook, resource, parts.resources);
      if (arming?.armed === true) candidates.push({ playbook, roles: arming.roles });
      if (arming?.armed === false)
        missing.push(`${playbook.id} lacks ${arming.missing.join(', ')}`);
    }
    const success = ({ playbook }: Candidate) => record.successOn(playbook.id, resource.id);
    candidates.sort(
      (a, b) =>
        b.playbook.priority - a.playbook.priority ||
        a.playbook.tier - b.playbook.tier ||
        success(b) - success(a) ||
        a.playbook.id.localeCompare(b.playbook.id),
    );
    return { candidates, missing };
  }

  /** What no playbook knows may be another sign of trouble that one knows: a look that came upon a service as it died. */
  async #mendedByOthers(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    const { parts, prober } = this.#h;
    do await parts.clock.sleep(parts.options.confirm.intervalMs, live.abort.signal);
    while (this.#inHealing.has(resource.id));
    if (!this.#isByUs(live, resource)) return undefined;
    const { reports } = live;
    const sample = await prober.probe(resource);
    return sample.status === 'HEALTHY' ? withCause(sample, reports) : undefined;
  }

  #unmatched({ incident }: LiveIncident, missing: readonly string[]): Verdict {
    if (missing.length === 0) {
      return { parks: 'unmatched', reason: `no playbook is for ${incident.signal}` };
    }
    const reason = `no playbook for ${incident.signal} is armed: ${missing.join('; ')}`;
    const where = { incidentId: incident.id, resource: incident.resource };
    alert(this.#h.parts, 'not_armed', reason, where);
    return { parks: 'unmatched', reason };
  }

  #refusal(
    live: LiveIncident,
    resource: Resource,
    { playbook, roles }: Candidate,
  ): Verdict | undefined {
    const { conditions, limits, parts } = this.#h;
    const involved = Object.values(roles).flatMap((id) => parts.resources.get(id) ?? []);
    const forbidden = conditions.forbids(playbook, live.incident, involved);
    if (forbidden) {
      const { reason, until: ends } = forbidden;
      return {
        parks: 'contraindicated',
        reason: `${playbook.id} is forbidden by ${reason}`,
        ...(ends !== undefined && {
          retryAt: parts.clock.monotonic() + Math.max(0, ends - parts.clock.now()),
        }),
      };
    }
    const refusal = limits.refusal(playbook, resource, roles);
    return refusal && { parks: 'refused_limit', ...refusal };
  }

  async #runLocked(
    live: LiveIncident,
    resource: Resource,
    candidate: Candidate,
  ): Promise<Verdict | RunEnd> {
    const { limits, prober, runner } = this.#h;
    const { playbook, roles } = candidate;
    const { signal } = live.abort;
    const locks = await limits.locks.take(limits.lockNames(roles));
    const slot = await limits.slots.take(resource.isCause);
    try {
      signal.throwIfAborted();
      if (locks.hasWaited || slot.hasWaited) {
        const { reports } = live;
        const sample = await prober.probe(resource);
        if (sample.status === 'HEALTHY') {
          return this.#wellMeanwhile(live, resource, { sample, reports });
        }
      }
      const last = await limits.lastServing(playbook, roles, prober);
      if (last !== undefined) {
        const reason = `${last} is the last of its group that serves`;
        return { parks: 'refused_limit', reason };
      }
      // Others may have used up what was left when this was asked before.
      const refusal = this.#refusal(live, resource, candidate);
      if (refusal) return refusal;
      const takeBack = limits.count(playbook, roles);
      for (const id of Object.values(roles)) this.#inHealing.add(id);
      const end = await runner.run({ live, playbook, roles, signal });
      if (end.result !== 'restored' && !end.hasActed) takeBack();
      return end;
    } catch (error) {
      signal.throwIfAborted();
      const { message } = describeFailure(error);
      return { result: 'failed', reason: message, isUndone: true, hasActed: false };
    } finally {
      for (const id of Object.values(roles)) this.#inHealing.delete(id);
      slot.release();
      locks.release();
    }
  }

  /** Whether a playbook is at work on a resource. */
  isAtWorkOn(resource: string): boolean {
    return this.#inHealing.has(resource);
  }

  /** It became well while it waited for its turn. */
  #wellMeanwhile(
    live: LiveIncident,
    resource: Resource,
    { sample, reports }: { sample: Sample; reports: number },
  ): Verdict {
    if (this.#isByUs(live, resource)) return withCause(sample, reports);
    const reason = 'it became well by itself';
    return { closes: 'cleared_externally', restored: sample.at, reason, reports };
  }

  /** Whether it, or something that it depends on, was healed since it was seen to be bad, or is being healed. */
  #isByUs({ incident }: LiveIncident, { id, ancestors }: Resource): boolean {
    return [id, ...ancestors].some(
      (each) =>
        this.#inHealing.has(each) || (this.#healedAt.get(each) ?? -Infinity) >= incident.detected,
    );
  }
}

function withCause(sample: Sample, reports: number): Verdict {
  const reason = 'it became well with what else was healed';
  return { closes: 'restored_with_cause', restored: sample.at, reason, reports };
}

/** What a bad reading is, told as a symptom. */
export function symptomOf(resource: string, sample: Sample): SymptomInput {
  switch (sample.status) {
    case 'FAILED': {
      const { signal, certainty, note, data = {}, conditions = [], at } = sample;
      return {
        resource,
        signal,
        certainty,
        note,
        firstBad: at,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is checked where it enters
        data: data as NonNullable<SymptomInput['data']>,
        conditions: [...conditions],
      };
    }
    case 'DEGRADED':
      return {
        resource,
        signal: sample.signal,
        certainty: 'ambiguous',
        note: sample.note,
        firstBad: sample.at,
      };
    case 'HEALTHY':
    case 'UNKNOWN':
      return { resource, signal: 'probe.not_bad', note: sample.note ?? '' };
  }
}

/** Waits for a promise that nobody can abort, as long as nobody aborts. */
async function until(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
