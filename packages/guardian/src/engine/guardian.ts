import {
  type Clock,
  createGuardedEmitter,
  describeFailure,
  type NewId,
  parseOrThrow,
  randomId,
  type Random,
  systemClock,
  systemRandom,
  type Tool,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { GuardianConfigError, GuardianMisuseError, GuardianStoppedError } from '../errors.ts';
import type { Incident } from '../incident/incident.ts';
import { Symptom, type SymptomInput } from '../incident/symptom.ts';
import { type Mttr, MttrTracker } from '../mttr/mttr-tracker.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import { createLagMeter, type LagMeter } from '../probes/lag-meter.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import { readResources, type ResourceInput } from '../resource/registry.ts';
import { prometheusText } from '../stats/prometheus.ts';
import type { GuardianHealth, GuardianStats, PlaybookView } from '../stats/stats.ts';
import { healthOf, playbooksOf, statsOf, type Viewed } from '../stats/views.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { Certificate, GuardianStore, MaintenanceWindow } from '../store/store.ts';
import { armFor } from './arming.ts';
import { Autonomy } from './autonomy.ts';
import { Background } from './background.ts';
import { Causes } from './causes.ts';
import { Conditions } from './conditions.ts';
import { Confirmation } from './confirmation.ts';
import type { GuardianEvents } from './events.ts';
import { Healer } from './healer.ts';
import { Healings } from './healings.ts';
import { IncidentBook } from './incident-book.ts';
import { IncidentLives } from './incident-lives.ts';
import { Intake, type Reported } from './intake.ts';
import { Maintenance, type MaintenanceRequest } from './maintenance.ts';
import { type GuardianInput, GuardianOptions } from './options.ts';
import { alert, type Parts } from './parts.ts';
import type { Plan } from './plan.ts';
import { PlaybookRecord } from './playbook-record.ts';
import { PlaybookRunner } from './playbook-runner.ts';
import { Prober } from './prober.ts';
import { Recovery } from './recovery.ts';
import { type RehearsalRequest, Rehearsals } from './rehearsal.ts';
import { StepJournal } from './step-journal.ts';
import { type Govern, type StepCall, StepTools } from './step-tools.ts';
import { StepUndo } from './step-undo.ts';
import { StormLimits } from './storm-limits.ts';
import { Watcher } from './watcher.ts';

export interface GuardianPorts {
  clock?: Clock;
  random?: Random;
  newId?: NewId;
  /** Default: in memory, so that a restart forgets. */
  store?: GuardianStore;
  /** The gate in front of every step. Default: none but the guardian's own autonomy. */
  govern?: Govern;
  lag?: LagMeter;
  /** Looked at as often as resources; their last look is part of `stats` and `health`, what turns bad is an alert. */
  layers?: LayerProbes;
}

export interface GuardianParts extends GuardianPorts {
  resources: readonly ResourceInput[];
  playbooks: readonly Playbook[];
}

export interface DryRun {
  plan: Plan;
  /** Effects that each step called, by step. None was done. */
  calls: Readonly<Record<string, readonly string[]>>;
  /** Steps that could not be followed to their end without doing anything, and why. */
  problems: Readonly<Record<string, string>>;
}

const MONITOR_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 3_600_000;

/** See `createGuardian`. */
export class Guardian {
  readonly events: EventEmitter<GuardianEvents>;
  readonly #parts: Parts;
  readonly #background: Background;
  readonly #book: IncidentBook;
  readonly #prober: Prober;
  readonly #conditions: Conditions;
  readonly #limits: StormLimits;
  readonly #maintenance: Maintenance;
  readonly #autonomy: Autonomy;
  readonly #tools: StepTools;
  readonly #record = new PlaybookRecord();
  readonly #mttr = new MttrTracker();
  readonly #runner: PlaybookRunner;
  readonly #intake: Intake;
  readonly #watcher: Watcher;
  readonly #recovery: Recovery;
  readonly #rehearsals: Rehearsals;
  readonly #layers: LayerProbes | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #stopping: Promise<void> | undefined;

  /** @internal Made by `createGuardian`. */
  constructor(input: GuardianInput, ports: GuardianParts) {
    const { clock = systemClock, random = systemRandom, newId = randomId('grd') } = ports;
    const { events, emit } = createGuardedEmitter<GuardianEvents>((error, event) => {
      if (event === 'alertRaised') return; // an alert about the alert's listener would go to that listener
      const message = `a listener of ${event} threw: ${describeFailure(error).message}`;
      alert(this.#parts, 'internal', message);
    });
    this.events = events;
    this.#layers = ports.layers;
    const store = ports.store ?? new MemoryStore();
    this.#parts = {
      options: parseOrThrow(GuardianOptions, input, 'options of createGuardian'),
      clock,
      random,
      newId,
      store,
      keep: (changes) => clock.external(() => store.write(changes)),
      resources: readResources(ports.resources),
      playbooks: readPlaybooks(ports.playbooks),
      emit,
    };
    const parts = this.#parts;
    const record = this.#record;
    const background = (this.#background = new Background(parts));
    const book = (this.#book = new IncidentBook(parts));
    const autonomy = (this.#autonomy = new Autonomy(parts));
    const conditions = (this.#conditions = new Conditions(clock));
    const limits = (this.#limits = new StormLimits(parts));
    const tools = new StepTools(parts.playbooks.values(), ports.govern ?? ((tool) => tool));
    this.#tools = tools;
    const prober = new Prober({
      clock,
      lag: ports.lag ?? createLagMeter(clock),
      timeoutMs: parts.options.probeTimeoutMs,
      onSample: (resource, sample, from) => {
        if (sample.status === from) return;
        emit('resourceChanged', { at: sample.at, resource, from, reading: sample });
      },
    });
    this.#prober = prober;
    const healings = new Healings();
    const journal = new StepJournal(parts, book);
    const undo = new StepUndo(parts, journal);
    const runner = new PlaybookRunner({
      parts,
      book,
      prober,
      autonomy,
      tools,
      record,
      journal,
      undo,
    });
    this.#runner = runner;
    const maintenance = new Maintenance({
      parts,
      background,
      look: (resource) => this.#watcher.look(resource),
    });
    this.#maintenance = maintenance;
    const healer = new Healer({
      parts,
      prober,
      conditions,
      maintenance,
      limits,
      record,
      runner,
      confirmation: new Confirmation({ parts, prober, healings }),
      causes: new Causes({
        parts,
        prober,
        healings,
        raise: async (symptom) => {
          const { incidentId } = await this.#take(parseOrThrow(Symptom, symptom, 'symptom'));
          return book.find(incidentId ?? '');
        },
        openOn: (resource) => book.on(resource),
        attach: (live, causeId) => book.update(live, { causeId }),
      }),
      healings,
    });
    const lives = new IncidentLives({
      parts,
      book,
      prober,
      healer,
      limits,
      conditions,
      mttr: this.#mttr,
      background,
      onClosed: () => this.#checkMttr(),
    });
    this.#intake = new Intake({
      parts,
      book,
      conditions,
      maintenance,
      limits,
      begin: (live, resource) => background.run(lives.live(live, resource)),
    });
    this.#watcher = new Watcher({
      parts,
      prober,
      background,
      take: (symptom) => this.#take(symptom),
      healings,
    });
    this.#recovery = new Recovery({ parts, book, prober, limits, undo, lives });
    this.#rehearsals = new Rehearsals({
      parts,
      book,
      prober,
      autonomy,
      intake: this.#intake,
      signal: background.signal,
    });
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
    const { clock, store, emit, options, resources } = this.#parts;
    const longestWindow = Math.max(
      options.limits.budget.windowMs,
      // A loop is known by the restarts with which it began, however far apart its trials are by now.
      options.limits.restarts.longestWaitMs * 24,
      options.limits.futility.longestRestMs,
    );
    const state = store.load({ now: clock.now(), runsSince: clock.now() - longestWindow });
    this.#book.startAfter(state.lastSeq);
    this.#record.load(state.totals);
    for (const incident of state.healed.toReversed()) {
      this.#mttr.add(incident);
      this.#conditions.noteLasting(incident.resource, incident.id, incident.symptom.conditions);
    }
    for (const certificate of state.certificates) this.#autonomy.add(certificate);
    for (const window of state.maintenance) this.#maintenance.resume(window);
    this.#limits.load(state);
    const undecided = new Set(state.undecided.map(({ seq }) => seq));
    await this.#recovery.decideOrphans(state.undecided, state.openIncidents);
    for (const incident of state.openIncidents) {
      const live = this.#book.adopt(incident, !undecided.has(incident.openedBy));
      this.#conditions.note(incident.resource, incident.id, incident.symptom.conditions);
      const runs = state.openRuns.filter(({ run }) => run.incidentId === incident.id);
      this.#background.run(this.#recovery.takeUp(live, runs));
    }
    for (const journaled of state.openRuns) {
      if (state.openIncidents.some(({ id }) => id === journaled.run.incidentId)) continue;
      await this.#recovery.takeBack(journaled, 'its incident was closed');
    }
    this.#background.signal.throwIfAborted(); // it was stopped meanwhile
    emit('started', { at: clock.now(), openIncidents: state.openIncidents.length });
    for (const resource of resources.values()) this.#watcher.watch(resource);
    if (this.#layers) this.#watcher.watchLayers(this.#layers);
    this.#background.run(this.#monitor());
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
    this.#state = 'stopped';
    this.#watcher.stop();
    const reason = new GuardianStoppedError('the guardian was stopped');
    this.#background.abort(reason);
    this.#prober.stop(reason);
    for (const { abort } of this.#book.open) abort.abort(reason);
    await this.#background.rest();
    await this.#book.catchUp();
    this.#book.stop(reason);
    this.#parts.emit('stopped', { at: this.#parts.clock.now() });
    await this.#parts.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The steps of all playbooks as tools with the gate in front, for `assertCovered` and for policies. They run by the guardian only. */
  get tools(): readonly Tool<StepCall, null>[] {
    return this.#tools.all;
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
    return this.#book.open.map(({ incident }) => incident);
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
    const live = new IncidentBook(this.#parts).create(assumed, 0, null);
    return this.#runner.runDry({ live, playbook, roles, signal: this.#background.signal });
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
    return this.#rehearsals.rehearse(playbook, resource, request);
  }

  /**
   * Takes back a healing of the past: the undo of each step that was done, the last first.
   * Waits for whoever is at work on its resources. What was taken back before is not taken back twice.
   * @throws {GuardianMisuseError} When there is no such run, it is under way, its playbook is not registered, or after `stop`.
   */
  async rollBack(runId: string): Promise<{ undone: number; isWhole: boolean }> {
    if (this.#state === 'stopped') throw notStarted();
    return this.#recovery.rollBack(runId);
  }

  /**
   * Begins a maintenance window: symptoms of its resources end as `suppressed_maintenance`, nothing is healed. When it ends,
   * what was suppressed is looked at.
   */
  async beginMaintenance(request: MaintenanceRequest): Promise<MaintenanceWindow> {
    return this.#maintenance.begin(request);
  }

  /** Ends a window before its time. */
  async endMaintenance(id: string): Promise<void> {
    await this.#maintenance.end(id);
  }

  async #take(symptom: Symptom): Promise<Reported> {
    if (this.#state === 'started') return this.#intake.take(symptom);
    throw notStarted();
  }

  async #monitor(): Promise<void> {
    const { clock, store, options } = this.#parts;
    let prunedAt = clock.monotonic();
    for (;;) {
      await clock.sleep(MONITOR_EVERY_MS, this.#background.signal);
      this.#checkMttr();
      await this.#book.catchUp();
      if (clock.monotonic() - prunedAt < PRUNE_EVERY_MS) continue;
      prunedAt = clock.monotonic();
      try {
        await clock.external(() => store.prune(clock.now() - options.retentionMs));
      } catch (error) {
        const { message } = describeFailure(error);
        alert(this.#parts, 'store', `What is old could not be forgotten: ${message}`);
      }
    }
  }

  #checkMttr(): void {
    const { options } = this.#parts;
    const mttr = this.#mttrNow();
    for (const { figure, ms } of this.#mttr.newlyExceeded(mttr, options.mttrAlertMs)) {
      const kind = figure === 'oldestOpenMs' ? 'oldest_open' : 'mttr';
      const message = `${figure} is ${Math.round(ms)} ms, above ${options.mttrAlertMs} ms`;
      alert(this.#parts, kind, message);
    }
  }

  #viewed(): Viewed {
    return {
      parts: this.#parts,
      prober: this.#prober,
      record: this.#record,
      autonomy: this.#autonomy,
      layers: this.#layers,
      mttr: this.#mttrNow(),
      open: this.openIncidents,
    };
  }

  #mttrNow(): Mttr {
    return this.#mttr.at(this.#parts.clock.now(), this.#book.oldestDetected);
  }

  #armed(playbookId: string, resourceId: string) {
    const { playbooks, resources } = this.#parts;
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

function readPlaybooks(playbooks: readonly Playbook[]): ReadonlyMap<string, Playbook> {
  const byId = new Map<string, Playbook>();
  for (const playbook of playbooks) {
    if (byId.has(playbook.id)) {
      throw new GuardianConfigError(`Two playbooks are "${playbook.id}".`);
    }
    byId.set(playbook.id, playbook);
  }
  return byId;
}
