import { describeFailure } from '@buddy/core';
import type { Resource } from '../resource/registry.ts';
import { type Candidate, candidatesFor } from './candidates.ts';
import type { Causes } from './causes.ts';
import type { Conditions } from './conditions.ts';
import type { Confirmation } from './confirmation.ts';
import type { Healings } from './healings.ts';
import type { LiveIncident } from './incident-book.ts';
import type { Maintenance } from './maintenance.ts';
import { alert, type Parts } from './parts.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { PlaybookRunner, RunEnd } from './playbook-runner.ts';
import type { Prober } from './prober.ts';
import type { StormLimits } from './storm-limits.ts';
import type { Sample } from '../probes/sampler.ts';
import { type Verdict, withCause } from './verdict.ts';

interface HealerParts {
  parts: Parts;
  prober: Prober;
  conditions: Conditions;
  maintenance: Maintenance;
  limits: StormLimits;
  record: PlaybookRecord;
  runner: PlaybookRunner;
  confirmation: Confirmation;
  causes: Causes;
  healings: Healings;
}

/** Works on an incident: is it so, what made it, what may be done, does it help. */
export class Healer {
  readonly #h: HealerParts;

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
      (await this.#h.confirmation.confirm(live, resource)) ??
      (await this.#h.causes.healFirst(live, resource)) ??
      (await this.#tryCandidates(live, resource))
    );
  }

  async #tryCandidates(live: LiveIncident, resource: Resource): Promise<Verdict> {
    const { candidates, missing } = candidatesFor(this.#h, live.incident, resource);
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
    const { limits, parts, healings } = this.#h;
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
        healings.noteHealed(Object.values(roles), parts.clock.now());
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

  /** What no playbook knows may be another sign of trouble that one knows: a look that came upon a service as it died. */
  async #mendedByOthers(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    const { parts, prober, healings } = this.#h;
    do await parts.clock.sleep(parts.options.confirm.intervalMs, live.abort.signal);
    while (healings.isAtWorkOn(resource.id));
    if (!healings.isByUs(live.incident, resource)) return undefined;
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
    const { limits, prober } = this.#h;
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
      return await this.#run(live, candidate);
    } catch (error) {
      signal.throwIfAborted();
      const { message } = describeFailure(error);
      return { result: 'failed', reason: message, isUndone: true, hasActed: false };
    } finally {
      slot.release();
      locks.release();
    }
  }

  async #run(live: LiveIncident, { playbook, roles }: Candidate): Promise<RunEnd> {
    const { limits, healings, runner } = this.#h;
    const takeBack = limits.count(playbook, roles);
    const endHealing = healings.begin(Object.values(roles));
    try {
      const end = await runner.run({ live, playbook, roles, signal: live.abort.signal });
      if (end.result !== 'restored' && !end.hasActed) takeBack();
      return end;
    } finally {
      endHealing();
    }
  }

  /** It became well while it waited for its turn. */
  #wellMeanwhile(
    live: LiveIncident,
    resource: Resource,
    { sample, reports }: { sample: Sample; reports: number },
  ): Verdict {
    if (this.#h.healings.isByUs(live.incident, resource)) return withCause(sample, reports);
    const reason = 'it became well by itself';
    return { closes: 'cleared_externally', restored: sample.at, reason, reports };
  }
}
