import type { Playbook } from '../playbook/define-playbook.ts';
import { FlapDetector } from '../limits/flap-detector.ts';
import { FutilityBreaker } from '../limits/futility-breaker.ts';
import { HealBudget } from '../limits/heal-budget.ts';
import { KeyedLocks, Slots } from '../limits/keyed-locks.ts';
import { RestartIntensity } from '../limits/restart-intensity.ts';
import type { Resource } from '../resource/registry.ts';
import type { StoredState } from '../store/store.ts';
import type { Parts } from './parts.ts';
import type { Roles } from './playbook-context.ts';
import type { Prober } from './prober.ts';

/** What keeps healing from becoming the trouble. */
export class StormLimits {
  readonly #parts: Parts;
  readonly #intensity: RestartIntensity;
  readonly #budget: HealBudget;
  readonly #futility: FutilityBreaker;
  readonly flapping: FlapDetector;
  readonly locks = new KeyedLocks();
  readonly slots: Slots;

  constructor(parts: Parts) {
    const { restarts, budget, futility, flapping, concurrent } = parts.options.limits;
    this.#parts = parts;
    this.#intensity = new RestartIntensity(restarts);
    this.#budget = new HealBudget(budget);
    this.#futility = new FutilityBreaker(futility);
    this.flapping = new FlapDetector(flapping);
    this.slots = new Slots(concurrent);
  }

  /** Counts what a former life did, so that a restart of the guardian is no hole. */
  load({ recentRuns, healed, openIncidents }: StoredState): void {
    const { clock, playbooks } = this.#parts;
    const monotonic = (at: number) => clock.monotonic() - (clock.now() - at);
    const incidents = [...healed, ...openIncidents];
    const detected = new Map(incidents.map((incident) => [incident.id, incident.detected]));
    for (const run of recentRuns.toReversed()) {
      if (run.result === 'refused') continue;
      const at = monotonic(run.startedAt);
      this.#budget.count(at);
      const playbook = playbooks.get(run.playbook);
      const badAt = monotonic(detected.get(run.incidentId) ?? run.startedAt);
      for (const id of playbook ? interrupted(playbook, run.roles) : []) {
        this.#seenBad(id, badAt);
        this.#intensity.count(id, at);
        if (run.result === 'restored') this.#intensity.noteWell(id, monotonic(run.endedAt ?? 0));
      }
      if (run.result === 'restored') this.#futility.noteSuccess(run.resource, run.playbook);
      // What was cut off says nothing of whether it would have helped.
      if (run.result === 'not_helped' || run.result === 'failed') {
        this.#futility.noteFailure(run.resource, run.playbook, at);
      }
    }
    for (const incident of openIncidents) {
      this.#seenBad(incident.resource, monotonic(incident.detected));
    }
  }

  /** As when a restart was asked for then: that is when its trials began. */
  #seenBad(id: string, at: number): void {
    this.#intensity.noteBad(id, at);
    this.#intensity.check(id, at);
  }

  /** Why a playbook may not run on a resource now, and when it may (monotonic ms); undefined when it may. */
  refusal(
    playbook: Playbook,
    resource: Resource,
    roles: Roles,
  ): { reason: string; retryAt: number } | undefined {
    const now = this.#parts.clock.monotonic();
    const rests = this.#futility.restsUntil(resource.id, playbook.id, now);
    if (rests !== undefined) {
      return { reason: `${playbook.id} did not help here lately and rests`, retryAt: rests };
    }
    for (const id of interrupted(playbook, roles)) {
      this.#intensity.noteBad(id, now);
      const restarts = this.#intensity.check(id, now);
      if (!restarts.allowed) {
        return { reason: `${id} was restarted too often`, retryAt: restarts.retryAt };
      }
    }
    const budget = this.#budget.check(resource.isCause, now);
    if (!budget.allowed) {
      const whose = resource.isCause ? 'all resources' : 'resources on which nothing depends';
      return { reason: `the budget of healings for ${whose} is used up`, retryAt: budget.retryAt };
    }
    return undefined;
  }

  /** @returns What takes the count back, for a healing that was refused before it did anything. */
  count(playbook: Playbook, roles: Roles): () => void {
    const now = this.#parts.clock.monotonic();
    const takeBack = [this.#budget.count(now), ...this.#countRestarts(playbook, roles, now)];
    return () => {
      for (const each of takeBack) each();
    };
  }

  noteHelped(playbook: string, resource: string, roles: Roles): void {
    this.#futility.noteSuccess(resource, playbook);
    const now = this.#parts.clock.monotonic();
    for (const id of [resource, ...Object.values(roles)]) this.#intensity.noteWell(id, now);
  }

  noteFutile(playbook: string, resource: string): void {
    this.#futility.noteFailure(resource, playbook, this.#parts.clock.monotonic());
  }

  /** Names of the locks that a healing holds. Of a group, one member at a time is touched. */
  lockNames(roles: Roles): string[] {
    const { resources } = this.#parts;
    return Object.values(roles).flatMap((id) => {
      const group = resources.get(id)?.group;
      return group === undefined ? [`resource ${id}`] : [`resource ${id}`, `group ${group}`];
    });
  }

  /** The member that would be taken away although no other serves; undefined when there is none. */
  async lastServing(playbook: Playbook, roles: Roles, prober: Prober): Promise<string | undefined> {
    const { resources } = this.#parts;
    for (const id of interrupted(playbook, roles)) {
      const resource = resources.get(id);
      if (resource?.group === undefined) continue;
      const others = [...resources.values()].filter(
        (other) => other.group === resource.group && other.id !== id,
      );
      const [own, ...rest] = await Promise.all(
        [resource, ...others].map((member) => prober.probe(member)),
      );
      const serves = own?.status === 'HEALTHY' || own?.status === 'DEGRADED';
      if (serves && !rest.some(({ status }) => status === 'HEALTHY')) return id;
    }
    return undefined;
  }

  #countRestarts(playbook: Playbook, roles: Roles, at: number): (() => void)[] {
    return interrupted(playbook, roles).map((id) => this.#intensity.count(id, at));
  }
}

function interrupted({ interruptedRoles }: Playbook, roles: Roles): string[] {
  return interruptedRoles.flatMap((role) => roles[role] ?? []);
}
