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
import {
  GuardianConfigError,
  GuardianMisuseError,
  GuardianStoppedError,
  RehearsalError,
} from '../errors.ts';
import type { Incident } from '../incident/incident.ts';
import { Symptom, type SymptomInput, type SymptomOutcome } from '../incident/symptom.ts';
import { type Mttr, MttrTracker } from '../mttr/mttr-tracker.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import { createLagMeter, type LagMeter } from '../probes/lag-meter.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import type { Sample } from '../probes/sampler.ts';
import { prometheusText } from '../stats/prometheus.ts';
import type { GuardianHealth, GuardianStats, PlaybookView } from '../stats/stats.ts';
import { readResources, type Resource, type ResourceInput } from '../resource/registry.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type {
  Certificate,
  GuardianStore,
  JournaledRun,
  MaintenanceWindow,
  StoreChange,
} from '../store/store.ts';
import { armFor } from './arming.ts';
import { Autonomy } from './autonomy.ts';
import { Conditions } from './conditions.ts';
import type { GuardianEvents } from './events.ts';
import { Healer, symptomOf, type Verdict } from './healer.ts';
import { IncidentBook, type LiveIncident } from './incident-book.ts';
import { Maintenance } from './maintenance.ts';
import { type GuardianInput, GuardianOptions } from './options.ts';
import { alert, type Parts } from './parts.ts';
import type { Plan } from './plan.ts';
import { PlaybookRecord } from './playbook-record.ts';
import { describeUndo, PlaybookRunner } from './playbook-runner.ts';
import { isBad, Prober } from './prober.ts';
import type { RehearsedFault } from './rehearsal.ts';
import { type Govern, type StepCall, StepTools } from './step-tools.ts';
import { StormLimits } from './storm-limits.ts';

export interface GuardianPorts {
  clock?: Clock;
  random?: Random;
  newId?: NewId;
  /** Default: in memory, so that a restart forgets. */
  store?: GuardianStore;
  /** The gate in front of every step. Default: none but the guardian's own autonomy. */
  govern?: Govern;
  lag?: LagMeter;
  /** Their last look is part of `stats` and `health`. */
  layers?: LayerProbes;
}

export interface GuardianParts extends GuardianPorts {
  resources: readonly ResourceInput[];
  playbooks: readonly Playbook[];
}

/** What became of a report. */
export interface Reported {
  /** Its number in the ledger. */
  seq: number;
  /** The incident that it opened or belongs to. */
  incidentId: string | undefined;
  /** Resolves when it has its one outcome. */
  outcome: Promise<SymptomOutcome>;
}

export interface DryRun {
  plan: Plan;
  /** Effects that each step called, by step. None was done. */
  calls: Readonly<Record<string, readonly string[]>>;
  /** Steps that could not be followed to their end without doing anything, and why. */
  problems: Readonly<Record<string, string>>;
}

export interface RehearsalRequest {
  resource: string;
  fault: RehearsedFault;
  /** The symptom that the fault shows; it is reported when nobody else has after `detectWithinMs`. */
  symptom: Omit<SymptomInput, 'resource'>;
}

const MONITOR_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 3_600_000;

/** See `createGuardian`. */
export class Guardian {
  readonly events: EventEmitter<GuardianEvents>;
  readonly #parts: Parts;
  readonly #book: IncidentBook;
  readonly #prober: Prober;
  readonly #healer: Healer;
  readonly #runner: PlaybookRunner;
  readonly #tools: StepTools;
  readonly #autonomy: Autonomy;
  readonly #limits: StormLimits;
  readonly #conditions: Conditions;
  readonly #maintenance = new Maintenance();
  readonly #record = new PlaybookRecord();
  readonly #mttr = new MttrTracker();
  readonly #layers: LayerProbes | undefined;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  readonly #unwatch: (() => void)[] = [];
  #state: 'new' | 'started' | 'stopped' = 'new';

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
    this.#parts = {
      options: parseOrThrow(GuardianOptions, input, 'options of createGuardian'),
      clock,
      random,
      newId,
      store: ports.store ?? new MemoryStore(),
      resources: readResources(ports.resources),
      playbooks: readPlaybooks(ports.playbooks),
      emit,
    };
    const parts = this.#parts;
    this.#book = new IncidentBook(parts);
    this.#autonomy = new Autonomy(parts);
    this.#conditions = new Conditions(clock);
    this.#limits = new StormLimits(parts);
    this.#tools = new StepTools(parts.playbooks.values(), ports.govern ?? ((tool) => tool));
    this.#prober = new Prober({
      clock,
      lag: ports.lag ?? createLagMeter(clock),
      timeoutMs: parts.options.probeTimeoutMs,
      onSample: (resource, sample, from) => {
        if (sample.status === from) return;
        emit('resourceChanged', { at: sample.at, resource, from, reading: sample });
      },
    });
    this.#runner = new PlaybookRunner({
      parts,
      book: this.#book,
      prober: this.#prober,
      autonomy: this.#autonomy,
      tools: this.#tools,
      record: this.#record,
    });
    this.#healer = new Healer({
      parts,
      prober: this.#prober,
      conditions: this.#conditions,
      maintenance: this.#maintenance,
      limits: this.#limits,
      record: this.#record,
      runner: this.#runner,
      raise: async (symptom) => {
        const { incidentId } = await this.#take(parseOrThrow(Symptom, symptom, 'symptom'), null);
        return this.#book.find(incidentId ?? '');
      },
      openOn: (resource) => this.#book.on(resource),
      attach: (live, causeId) => this.#book.update(live, { causeId }),
    });
  }

  /**
   * Takes up what a former life left: looks at each open incident, takes back what was begun and not ended, goes on.
   * Then watches the resources.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new GuardianMisuseError('This guardian was started before.');
    this.#state = 'started';
    const { clock, store, emit, options, resources } = this.#parts;
    const longestWindow = Math.max(
      options.limits.budget.windowMs,
      options.limits.restarts.windowMs,
      options.limits.futility.longestRestMs,
    );
    const state = store.load({ now: clock.now(), runsSince: clock.now() - longestWindow });
    this.#book.startAfter(state.lastSeq);
    this.#record.load(state.totals);
    for (const incident of state.healed.toReversed()) this.#mttr.add(incident);
    for (const certificate of state.certificates) this.#autonomy.add(certificate);
    for (const window of state.maintenance) this.#await(this.#keepWindow(window));
    this.#limits.load(state.recentRuns);
    const undecided = new Set(state.undecided.map(({ seq }) => seq));
    await this.#decideOrphans(state.undecided, state.openIncidents);
    for (const incident of state.openIncidents) {
      const live = this.#book.adopt(incident, !undecided.has(incident.openedBy));
      this.#conditions.note(incident.resource, incident.id, incident.symptom.conditions);
      const runs = state.openRuns.filter(({ run }) => run.incidentId === incident.id);
      this.#await(this.#takeUp(live, runs));
    }
    for (const journaled of state.openRuns) {
      if (state.openIncidents.some(({ id }) => id === journaled.run.incidentId)) continue;
      await this.#takeBack(journaled, 'its incident was closed');
    }
    emit('started', { at: clock.now(), openIncidents: state.openIncidents.length });
    for (const resource of resources.values()) this.#watch(resource);
    this.#await(this.#monitor());
  }

  /**
   * Tells of trouble. Resolves when the report is kept; its outcome comes later.
   * @throws {InvalidInputError} When the symptom does not have the shape of one; it is in no ledger then.
   * @throws {GuardianMisuseError} Before `start`, and after `stop`.
   */
  async report(symptom: SymptomInput): Promise<Reported> {
    return this.#take(parseOrThrow(Symptom, symptom, 'symptom'), null);
  }

  /**
   * Stops watching and healing, and closes the store. A step that is under way is aborted and taken back; incidents stay
   * open, and go on with the next start.
   */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    for (const unwatch of this.#unwatch) unwatch();
    const reason = new GuardianStoppedError('the guardian was stopped');
    this.#stop.abort(reason);
    this.#prober.stop(reason);
    for (const { abort } of this.#book.open) abort.abort(reason);
    while (this.#working.size > 0) await Promise.all(this.#working);
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
    const { playbooks, store } = this.#parts;
    const playbookStats = Object.fromEntries(
      [...playbooks.keys()].map((id) => [id, this.#record.statsOf(id)]),
    );
    const all = this.#record.statsOfAll();
    const mttr = this.#mttrNow();
    return {
      totalRuns: all.runs,
      successfulRuns: all.successes,
      failedRuns: all.failures,
      successRate: all.successRate,
      mttrSeconds: mttr.meanMs === undefined ? undefined : mttr.meanMs / 1_000,
      mttrMinutes: mttr.meanMs === undefined ? undefined : mttr.meanMs / 60_000,
      mttr,
      lastRuns: store.runs(5),
      playbookStats,
      layerHealth: this.#layers?.summary(),
      ledger: store.ledger(),
    };
  }

  /** How things are, as far as was looked. */
  health(): GuardianHealth {
    const { clock, resources, playbooks } = this.#parts;
    const last = [...resources.keys()].map((id) => [id, this.#prober.lastOf(id)] as const);
    const known = last.filter(([, sample]) => sample && sample.status !== 'UNKNOWN');
    const isAllWell = last.every(([, sample]) => sample?.status === 'HEALTHY');
    const open = this.openIncidents;
    const parked = open.filter(({ status }) => status === 'parked').length;
    const isQuiet = isAllWell && open.length === 0;
    return {
      at: clock.now(),
      status: parked > 0 ? 'failing' : isQuiet ? 'healthy' : 'degraded',
      resources: Object.fromEntries(last),
      coverage: resources.size === 0 ? 0 : known.length / resources.size,
      openIncidents: open.length,
      parkedIncidents: parked,
      playbooks: playbooks.size,
      layerHealth: this.#layers?.summary(),
    };
  }

  /** All playbooks, the most urgent first: what each is armed for, how it is taken back, what became of it. */
  playbooks(): readonly PlaybookView[] {
    const { playbooks, resources } = this.#parts;
    const views = [...playbooks.values()].map((playbook): PlaybookView => {
      const armings = [...resources.values()].flatMap((resource) => {
        const arming = armFor(playbook, resource, resources);
        return arming ? [{ resource: resource.id, arming }] : [];
      });
      const armedFor = armings.filter(({ arming }) => arming.armed).map(({ resource }) => resource);
      return {
        id: playbook.id,
        name: playbook.name,
        description: playbook.description,
        category: playbook.category,
        tier: playbook.tier,
        priority: playbook.priority,
        mttrTargetMs: playbook.mttrTargetMs,
        steps: playbook.steps.map((step) => ({
          id: step.id,
          description: step.description,
          tier: step.tier,
          undo: describeUndo(step),
        })),
        isArmed: armedFor.length > 0,
        armedFor,
        notArmedFor: armings.flatMap(({ resource, arming }) =>
          arming.armed ? [] : [{ resource, missing: arming.missing }],
        ),
        certificate: this.#autonomy.certificateOf(playbook),
        stats: this.#record.statsOf(playbook.id),
      };
    });
    return views.toSorted((a, b) => b.priority - a.priority || a.id.localeCompare(b.id));
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
    return this.#runner.rehearseDry({ live, playbook, roles, signal: this.#stop.signal });
  }

  /**
   * Injects the playbook's fault, lets the playbook heal it, and keeps a certificate when it did: with it, its steps of tier 3
   * may run unattended, as long as it is not too old and the code is the same.
   * @throws {RehearsalError} When the fault did not show or did not go, or the playbook did not heal it.
   */
  async rehearse(
    playbookId: string,
    { resource: resourceId, fault, symptom }: RehearsalRequest,
  ): Promise<Certificate> {
    const { playbook, resource } = this.#armed(playbookId, resourceId);
    const { clock, store, emit } = this.#parts;
    const { signal } = this.#stop;
    const fail = (problem: string): never => {
      throw new RehearsalError(`Rehearsal of ${playbookId} with ${fault.name}: ${problem}`);
    };
    if (this.#book.on(resource.id).length > 0) fail('the resource has an open incident.');
    if ((await this.#prober.probe(resource)).status !== 'HEALTHY')
      fail('the resource is not well.');
    if (await fault.isPresent(signal)) fail('the fault is there before it was injected.');
    try {
      await fault.apply(signal);
      if (!(await fault.isPresent(signal))) fail('the fault does not show after it was injected.');
      const parsed = parseOrThrow(
        Symptom,
        { ...symptom, certainty: 'decisive', resource: resource.id },
        'symptom',
      );
      const { outcome } = await this.#take(parsed, playbookId);
      const became = await outcome;
      if (became !== 'restored') fail(`its outcome was ${became}.`);
      if (await fault.isPresent(signal)) fail('the fault is still there after the healing.');
    } finally {
      await fault.revert();
    }
    const certificate: Certificate = {
      playbook: playbook.id,
      codeHash: playbook.codeHash,
      resource: resource.id,
      fault: fault.name,
      at: clock.now(),
    };
    await store.write([{ kind: 'certificate', certificate }]);
    this.#autonomy.add(certificate);
    emit('rehearsed', { at: certificate.at, playbook: playbook.id, certificate });
    return certificate;
  }

  /**
   * Takes back a healing of the past: the undo of each step that was done, the last first.
   * @throws {GuardianMisuseError} When there is no such run, or its playbook is not registered.
   */
  async rollBack(runId: string): Promise<{ undone: number; isWhole: boolean }> {
    const { store, playbooks, clock, emit } = this.#parts;
    const journaled = store.journal(runId);
    if (!journaled) throw new GuardianMisuseError(`There is no run "${runId}".`);
    const playbook = playbooks.get(journaled.run.playbook);
    if (!playbook) {
      throw new GuardianMisuseError(`Playbook "${journaled.run.playbook}" is not registered.`);
    }
    if (journaled.run.result === 'running') {
      throw new GuardianMisuseError(`Run "${runId}" is under way.`);
    }
    const { release } = await this.#limits.locks.take(this.#limits.lockNames(journaled.run.roles));
    try {
      const symptom = symptomBehind(journaled, store);
      const back = await this.#runner.undo(journaled.run, playbook, symptom, journaled.steps);
      emit('rolledBack', { at: clock.now(), runId, undone: back.undone });
      return back;
    } finally {
      release();
    }
  }

  /**
   * Begins a maintenance window: symptoms of its resources end as `suppressed_maintenance`, nothing is healed. When it ends,
   * what was suppressed is looked at.
   */
  async beginMaintenance({
    resources = '*',
    untilMs,
    reason,
  }: {
    resources?: readonly string[] | '*';
    /** Ms since the epoch. */
    untilMs: number;
    reason: string;
  }): Promise<MaintenanceWindow> {
    const { clock, newId, store, emit } = this.#parts;
    const window = { id: newId(), resources, reason, from: clock.now(), until: untilMs };
    await store.write([{ kind: 'maintenance', window }]);
    this.#await(this.#keepWindow(window));
    emit('maintenanceBegan', { at: window.from, window });
    return window;
  }

  /** Ends a window before its time. */
  async endMaintenance(id: string): Promise<void> {
    const window = this.#maintenance.find(id);
    if (!window) throw new GuardianMisuseError(`There is no maintenance window "${id}".`);
    await this.#endWindow({ ...window, until: this.#parts.clock.now() });
  }

  // --- symptoms

  async #take(symptom: Symptom, rehearses: string | null): Promise<Reported> {
    if (this.#state !== 'started') {
      throw new GuardianMisuseError('This guardian is not started, or was stopped.');
    }
    const { clock, emit, resources } = this.#parts;
    const at = clock.now();
    const seq = this.#book.nextSeq();
    const { resource: resourceId, signal } = symptom;
    const resource = resources.get(resourceId);
    const window = this.#maintenance.covering(resourceId, at);
    const row = { kind: 'symptom', seq, at, resource: resourceId, signal } as const;
    const existing = this.#book.ofFingerprint(symptom);
    const decided = async (
      outcome: SymptomOutcome,
      incidentId: string | null,
      reason: string,
    ): Promise<Reported> => {
      await this.#book.keep([{ ...row, incidentId, outcome, reason }]);
      emit('symptomReported', { at, seq, resource: resourceId, signal });
      emit('outcomeDecided', { at, seq, resource: resourceId, outcome, reason });
      return { seq, incidentId: incidentId ?? undefined, outcome: Promise.resolve(outcome) };
    };
    if (!resource) {
      const reason = `no resource is "${resourceId}"`;
      const reported = await decided('unmatched', null, reason);
      alert(this.#parts, 'unmatched', `Symptom ${signal}: ${reason}`, { resource: resourceId });
      return reported;
    }
    if (existing) {
      existing.reports += 1;
      const { id } = existing.incident;
      this.#conditions.note(resourceId, id, symptom.conditions);
      return decided('deduplicated', id, `belongs to ${id}`);
    }
    if (window && rehearses === null) {
      this.#maintenance.noteSuppressed(window, resourceId);
      return decided('suppressed_maintenance', null, window.reason);
    }
    const live = this.#book.create(symptom, seq, rehearses);
    const { id: incidentId } = live.incident;
    this.#conditions.note(resourceId, incidentId, symptom.conditions);
    this.#limits.flapping.noteBad(resourceId, clock.monotonic());
    const outcome = this.#book.outcomeOf(seq);
    await this.#book.keep([
      { ...row, incidentId, outcome: null, reason: '' },
      { kind: 'incident', incident: live.incident },
    ]);
    emit('symptomReported', { at, seq, resource: resourceId, signal });
    emit('incidentOpened', { at, incidentId, incident: live.incident });
    this.#await(this.#live(live, resource));
    return { seq, incidentId, outcome };
  }

  // --- the life of an incident

  /** Until it is closed, it is worked on, or looked at and tried again: there is no state without a way out. */
  async #live(live: LiveIncident, resource: Resource): Promise<void> {
    this.#await(this.#watchDeadline(live));
    for (;;) {
      const verdict = await this.#round(live, resource);
      if ('closes' in verdict) {
        if (live.reports !== verdict.reports) continue; // news came meanwhile
        await this.#close(live, verdict);
        return;
      }
      if (await this.#park(live, resource, verdict)) return;
      const retries = live.incident.retries + 1;
      await this.#book.update(live, { status: 'open', retries });
      const { clock, emit } = this.#parts;
      emit('incidentRetried', { at: clock.now(), incidentId: live.incident.id, retries });
    }
  }

  async #round(live: LiveIncident, resource: Resource): Promise<Verdict> {
    try {
      return await this.#healer.round(live, resource);
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      const { message } = describeFailure(error);
      alert(this.#parts, 'internal', message, whereOf(live));
      return { parks: 'escalated', reason: `an error in the guardian: ${message}` };
    }
  }

  async #close(live: LiveIncident, verdict: Extract<Verdict, { closes: unknown }>): Promise<void> {
    const { resource } = live.incident;
    const { flapping } = this.#limits;
    const isHealed = verdict.closes === 'restored' || verdict.closes === 'restored_with_cause';
    if (isHealed) flapping.noteHealed(resource);
    else flapping.noteWellByItself(resource, this.#parts.clock.monotonic());
    const { restored, reason } = verdict;
    const closing = this.#book.close(live, { as: verdict.closes, restored, reason });
    this.#conditions.noteClosed(live.incident);
    this.#mttr.add(live.incident);
    await closing;
    this.#checkMttr();
  }

  /** @returns True when it became well by itself and was closed, false when it is time to try again. */
  async #park(
    live: LiveIncident,
    resource: Resource,
    { parks, reason, retryAt }: Extract<Verdict, { parks: unknown }>,
  ): Promise<boolean> {
    const { clock, emit, options, random } = this.#parts;
    const { firstMs, longestMs } = options.retry;
    const wait = Math.min(longestMs, firstMs * 2 ** live.incident.retries);
    const backoffAt = clock.monotonic() + wait * (0.9 + 0.2 * random());
    const tryAt = Math.max(retryAt ?? backoffAt, clock.monotonic() + 1);
    const isNews = live.incident.status !== 'parked' || live.incident.reason !== reason;
    const isFirst = !live.isDecided;
    await this.#book.park(live, parks, reason);
    emit('incidentParked', {
      at: clock.now(),
      incidentId: live.incident.id,
      outcome: parks,
      reason,
      retryAt: clock.now() + tryAt - clock.monotonic(),
    });
    if (parks !== 'suppressed_maintenance' && (isFirst || isNews)) {
      const { signal } = live.incident;
      alert(this.#parts, parks, `${resource.id}, ${signal}: ${reason}`, whereOf(live));
    }
    for (;;) {
      const nextLook = resource.probeIntervalMs ?? options.probeIntervalMs;
      // A whole millisecond at least: a smaller rest would be lost in rounding, and time would stand still.
      const rest = Math.max(1, Math.min(nextLook, tryAt - clock.monotonic()));
      await clock.sleep(rest, live.abort.signal);
      const { reports } = live;
      const sample = await this.#prober.probe(resource);
      if (this.#isWell(resource, sample) && reports === live.reports) {
        const as = live.incident.causeId === null ? 'cleared_externally' : 'restored_with_cause';
        const why = 'it was well when it was looked at again';
        await this.#close(live, { closes: as, restored: sample.at, reason: why, reports });
        return true;
      }
      if (clock.monotonic() >= tryAt) return false;
    }
  }

  /** Well, and not only for the moment: what flaps has to stay well until it does not count as flapping any more. */
  #isWell({ id }: Resource, sample: Sample): boolean {
    const { flapping } = this.#limits;
    const now = this.#parts.clock.monotonic();
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
    const { clock, options } = this.#parts;
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
    await this.#book.decideOverdue(live, reason);
    alert(this.#parts, 'outcome_overdue', `${live.incident.resource}: ${reason}`, whereOf(live));
  }

  // --- after a restart

  /** A symptom whose incident was closed without it, or never kept: it is not left without an outcome. */
  async #decideOrphans(
    undecided: readonly { seq: number; incidentId: string | null }[],
    open: readonly Incident[],
  ): Promise<void> {
    const openedBy = new Set(open.map((incident) => incident.openedBy));
    const at = this.#parts.clock.now();
    const reason = 'the guardian ended before it was decided';
    const changes = undecided
      .filter(({ seq }) => !openedBy.has(seq))
      .map(({ seq }): StoreChange => ({ kind: 'outcome', seq, at, outcome: 'escalated', reason }));
    await this.#book.keep(changes);
    if (changes.length > 0)
      alert(this.#parts, 'escalated', `${changes.length} symptoms: ${reason}`);
  }

  /** Looks first: what is whole and well is left alone. Else what was begun is taken back, and it starts over. */
  async #takeUp(live: LiveIncident, runs: readonly JournaledRun[]): Promise<void> {
    const resource = this.#parts.resources.get(live.incident.resource);
    if (!resource) {
      const reason = `resource "${live.incident.resource}" is not registered any more`;
      await this.#book.park(live, 'escalated', reason);
      alert(this.#parts, 'escalated', reason, whereOf(live));
      return;
    }
    const isHalfDone = runs.some(({ steps }) => steps.some(({ state }) => state !== 'done'));
    const sample = await this.#prober.probe(resource);
    const isWell = sample.status === 'HEALTHY' && !isHalfDone;
    for (const journaled of runs) {
      if (isWell) await this.#endRun(journaled, 'it was well after a restart of the guardian');
      else await this.#takeBack(journaled, 'the guardian ended while it ran');
    }
    const after = isWell ? sample : await this.#prober.probe(resource);
    if (after.status === 'HEALTHY' && live.incident.rehearses === null) {
      await this.#close(live, {
        closes: 'cleared_externally',
        restored: after.at,
        reason: 'it was well after a restart of the guardian',
        reports: live.reports,
      });
      return;
    }
    await this.#live(live, resource);
  }

  async #takeBack(journaled: JournaledRun, reason: string): Promise<void> {
    const { playbooks, clock, emit, store } = this.#parts;
    const { run, steps } = journaled;
    const playbook = playbooks.get(run.playbook);
    if (playbook) {
      const { release } = await this.#limits.locks.take(this.#limits.lockNames(run.roles));
      try {
        const symptom = symptomBehind(journaled, store);
        const { undone } = await this.#runner.undo(run, playbook, symptom, steps);
        emit('recovered', { at: clock.now(), incidentId: run.incidentId, runId: run.id, undone });
      } finally {
        release();
      }
    } else {
      const message = `Run ${run.id} cannot be taken back: playbook "${run.playbook}" is not registered any more.`;
      alert(this.#parts, 'undo_failed', message, { incidentId: run.incidentId });
    }
    await this.#endRun(journaled, reason);
  }

  async #endRun({ run }: JournaledRun, reason: string): Promise<void> {
    const ended = { ...run, endedAt: this.#parts.clock.now(), result: 'aborted' as const, reason };
    await this.#book.keep([{ kind: 'run', run: ended }]);
  }

  // --- watching

  #watch(resource: Resource): void {
    const unwatch = resource.adapter.watch?.((sign) => {
      const { clock } = this.#parts;
      void this.#seen(resource, { ...sign, at: clock.now(), latencyMs: 0 });
    });
    if (unwatch) this.#unwatch.push(unwatch);
    this.#await(this.#lookRegularly(resource));
  }

  async #lookRegularly(resource: Resource): Promise<void> {
    const { clock, random, options } = this.#parts;
    const draw = random.child(resource.id);
    const interval = resource.probeIntervalMs ?? options.probeIntervalMs;
    // Not all at once: each begins at a moment of its own.
    for (let pause = interval * draw(); ; pause = interval * (0.9 + 0.2 * draw())) {
      await clock.sleep(pause, this.#stop.signal);
      const sample = await this.#prober.probe(resource);
      if (isBad(sample)) await this.#seen(resource, sample);
    }
  }

  async #seen({ id }: Resource, sample: Sample): Promise<void> {
    if (this.#state !== 'started') return;
    try {
      await this.#take(parseOrThrow(Symptom, symptomOf(id, sample), `sign of ${id}`), null);
    } catch (error) {
      alert(this.#parts, 'internal', describeFailure(error).message, { resource: id });
    }
  }

  async #monitor(): Promise<void> {
    const { clock, store, options } = this.#parts;
    let prunedAt = clock.monotonic();
    for (;;) {
      await clock.sleep(MONITOR_EVERY_MS, this.#stop.signal);
      this.#checkMttr();
      if (clock.monotonic() - prunedAt < PRUNE_EVERY_MS) continue;
      prunedAt = clock.monotonic();
      await store.prune(clock.now() - options.retentionMs);
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

  #mttrNow(): Mttr {
    return this.#mttr.at(this.#parts.clock.now(), this.#book.oldestDetected);
  }

  // --- maintenance

  async #keepWindow(window: MaintenanceWindow): Promise<void> {
    this.#maintenance.add(window);
    const { clock } = this.#parts;
    await clock.sleep(window.until - clock.now(), this.#stop.signal);
    if (this.#maintenance.find(window.id) === window) await this.#endWindow(window);
  }

  async #endWindow(window: MaintenanceWindow): Promise<void> {
    const { clock, store, emit, resources } = this.#parts;
    const suppressed = this.#maintenance.remove(window.id);
    await store.write([{ kind: 'maintenance', window }]);
    emit('maintenanceEnded', { at: clock.now(), window });
    for (const id of suppressed) {
      const resource = resources.get(id);
      if (!resource) continue;
      const sample = await this.#prober.probe(resource);
      if (isBad(sample)) await this.#seen(resource, sample);
    }
  }

  // --- below

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

  /** Work in the background: it ends with the guardian, and an error in it is told. */
  #await(work: Promise<void>): void {
    const working = work
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        alert(this.#parts, 'internal', describeFailure(error).message);
      })
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
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

function whereOf({ incident }: LiveIncident): { incidentId: string; resource: string } {
  return { incidentId: incident.id, resource: incident.resource };
}

/** The symptom that a run was for; when its incident is not kept any more, one that names the resource alone. */
function symptomBehind({ run }: JournaledRun, store: GuardianStore): Symptom {
  const { symptom } = store.incident(run.incidentId) ?? {};
  const forgotten = { resource: run.resource, signal: 'incident.forgotten' };
  return symptom ?? parseOrThrow(Symptom, forgotten, 'symptom');
}
