import { parseOrThrow, type Tool } from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { GuardianMisuseError, GuardianStoppedError } from '../errors.ts';
import type { Incident } from '../incident/incident.ts';
import { Symptom, type SymptomInput } from '../incident/symptom.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import { prometheusText } from '../stats/prometheus.ts';
import type { GuardianHealth, GuardianStats, PlaybookView } from '../stats/stats.ts';
import { healthOf, playbooksOf, statsOf, type Viewed } from '../stats/views.ts';
import type { Certificate, MaintenanceWindow } from '../store/store.ts';
import { armFor } from './arming.ts';
import { assemble, type Assembly, type GuardianParts } from './assemble.ts';
import type { GuardianEvents } from './events.ts';
import { takeUpFormerLife } from './former-life.ts';
import { IncidentBook } from './incident-book.ts';
import type { Reported } from './intake.ts';
import type { MaintenanceRequest } from './maintenance.ts';
import type { GuardianInput } from './options.ts';
import type { DryRun } from './plan.ts';
import type { RehearsalRequest } from './rehearsal.ts';
import type { StepCall } from './step-tools.ts';

/** See `createGuardian`. */
export class Guardian {
  readonly events: EventEmitter<GuardianEvents>;
  readonly #g: Assembly;
  readonly #layers: LayerProbes | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #stopping: Promise<void> | undefined;

  /** @internal Made by `createGuardian`. */
  constructor(input: GuardianInput, ports: GuardianParts) {
    this.#g = assemble(input, ports, (symptom) => this.#take(symptom));
    this.events = this.#g.events;
    this.#layers = ports.layers;
  }

  /**
   * Takes up what a former life left: looks at each open incident, takes back what was begun and not ended, goes on.
   * Then watches the resources.
   * @throws {GuardianMisuseError} When it was started before.
   * @throws {GuardianStoppedError} When it is stopped while it starts.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new GuardianMisuseError('This guardian was started before.');
    this.#state = 'started';
    const { parts, background, watcher, upkeep } = this.#g;
    const { clock, emit, resources } = parts;
    const openIncidents = await takeUpFormerLife(this.#g);
    background.signal.throwIfAborted(); // it was stopped meanwhile
    emit('started', { at: clock.now(), openIncidents });
    for (const resource of resources.values()) watcher.watch(resource);
    if (this.#layers) watcher.watchLayers(this.#layers);
    background.run(upkeep.run());
  }

  /**
   * Tells of trouble. Resolves when the report is kept; its outcome comes later.
   * @throws {InvalidInputError} When the symptom does not have the shape of one; it is in no ledger then.
   * @throws {GuardianMisuseError} Before `start`, and after `stop`.
   */
  async report(symptom: SymptomInput): Promise<Reported> {
    return this.#take(parseOrThrow(Symptom, symptom, 'symptom'));
  }

  /**
   * Stops watching and healing, and closes the store. A step that is under way is aborted and taken back; incidents stay
   * open, and go on with the next start.
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const { parts, background, book, prober, watcher } = this.#g;
    this.#state = 'stopped';
    watcher.stop();
    const reason = new GuardianStoppedError('the guardian was stopped');
    background.abort(reason);
    prober.stop(reason);
    for (const { abort } of book.open) abort.abort(reason);
    await background.rest();
    await book.catchUp();
    book.stop(reason);
    parts.emit('stopped', { at: parts.clock.now() });
    await parts.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The steps of all playbooks as tools with the gate in front, for `assertCovered` and for policies. They run by the guardian only. */
  get tools(): readonly Tool<StepCall, null>[] {
    return this.#g.tools.all;
  }

  /** What was done so far. */
  stats(): GuardianStats {
    return statsOf(this.#viewed());
  }

  /** How things are, as far as was looked. */
  health(): GuardianHealth {
    return healthOf(this.#viewed());
  }

  /** All playbooks, the most urgent first: what each is armed for, how it is taken back, what became of it. */
  playbooks(): readonly PlaybookView[] {
    return playbooksOf(this.#viewed());
  }

  /** All figures in Prometheus' text format. */
  metricsText(): string {
    return prometheusText(this.stats(), this.health(), this.playbooks());
  }

  get openIncidents(): readonly Incident[] {
    return this.#g.book.open.map(({ incident }) => incident);
  }

  /**
   * What a playbook would do to a resource now: steps, effects, tier, expected time. Looks for real, and does nothing:
   * steps run against adapters that note each declared effect.
   * @throws {UndeclaredEffectError} When a step calls an effect that it does not declare.
   */
  async dryRun(
    playbookId: string,
    resourceId: string,
    symptom: Partial<Omit<SymptomInput, 'resource'>> = {},
  ): Promise<DryRun> {
    const { playbook, resource, roles } = this.#armed(playbookId, resourceId);
    const [trigger] = playbook.triggers;
    const assumed = parseOrThrow(
      Symptom,
      { signal: trigger.signals[0], ...symptom, resource: resource.id },
      'symptom',
    );
    const live = new IncidentBook(this.#g.parts).create(assumed, 0, null);
    return this.#g.planner.dryRun({ live, playbook, roles, signal: this.#g.background.signal });
  }

  /**
   * Injects the playbook's fault, lets the playbook heal it, and keeps a certificate when it did: with it, its steps of tier 3
   * may run unattended, as long as it is not too old and the code is the same.
   * @throws {RehearsalError} When the fault did not show or did not go, or the playbook did not heal it.
   * @throws {GuardianMisuseError} Before `start`, and after `stop`: nobody would heal the fault.
   */
  async rehearse(playbookId: string, request: RehearsalRequest): Promise<Certificate> {
    if (this.#state !== 'started') throw notStarted();
    const { playbook, resource } = this.#armed(playbookId, request.resource);
    return this.#g.rehearsals.rehearse(playbook, resource, request);
  }

  /**
   * Takes back a healing of the past: the undo of each step that was done, the last first.
   * Waits for whoever is at work on its resources. What was taken back before is not taken back twice.
   * @throws {GuardianMisuseError} When there is no such run, it is under way, its playbook is not registered, or after `stop`.
   */
  async rollBack(runId: string): Promise<{ undone: number; isWhole: boolean }> {
    if (this.#state === 'stopped') throw notStarted();
    return this.#g.recovery.rollBack(runId);
  }

  /**
   * Begins a maintenance window: symptoms of its resources end as `suppressed_maintenance`, nothing is healed. When it ends,
   * what was suppressed is looked at.
   */
  async beginMaintenance(request: MaintenanceRequest): Promise<MaintenanceWindow> {
    return this.#g.maintenance.begin(request);
  }

  /** Ends a window before its time. */
  async endMaintenance(id: string): Promise<void> {
    await this.#g.maintenance.end(id);
  }

  async #take(symptom: Symptom): Promise<Reported> {
    if (this.#state === 'started') return this.#g.intake.take(symptom);
    throw notStarted();
  }

  #viewed(): Viewed {
    const { parts, prober, record, autonomy, upkeep } = this.#g;
    return {
      parts,
      prober,
      record,
      autonomy,
      layers: this.#layers,
      mttr: upkeep.mttrNow(),
      open: this.openIncidents,
    };
  }

  #armed(playbookId: string, resourceId: string) {
    const { playbooks, resources } = this.#g.parts;
    const playbook = playbooks.get(playbookId);
    const resource = resources.get(resourceId);
    if (!playbook) throw new GuardianMisuseError(`There is no playbook "${playbookId}".`);
    if (!resource) throw new GuardianMisuseError(`There is no resource "${resourceId}".`);
    const arming = armFor(playbook, resource, resources);
    if (arming?.armed === true) return { playbook, resource, roles: arming.roles };
    const lacks = arming?.missing.join(', ') ?? `a role of kind ${resource.adapter.kind}`;
    throw new GuardianMisuseError(
      `${playbookId} is not armed for ${resourceId}: it lacks ${lacks}.`,
    );
  }
}

/**
 * Makes a guardian: it notices what breaks, mends it by a playbook, checks that it is mended, takes back what did not help,
 * and accounts for every symptom.
 * @throws {InvalidInputError} When the options are not usable.
 * @throws {GuardianConfigError} When resources or playbooks do not fit each other.
 * @example
 * await using guardian = createGuardian({}, { resources: [{ id: 'api', adapter: service }], playbooks: [serviceCrashed] });
 * await guardian.start();
 * const { outcome } = await guardian.report({ resource: 'api', signal: 'process.exited', certainty: 'decisive' });
 * await outcome; // 'restored'
 */
export function createGuardian(input: GuardianInput, parts: GuardianParts): Guardian {
  return new Guardian(input, parts);
}

function notStarted(): GuardianMisuseError {
  return new GuardianMisuseError('This guardian is not started, or was stopped.');
}
