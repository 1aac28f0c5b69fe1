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
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { GuardianConfigError } from '../errors.ts';
import { Symptom } from '../incident/symptom.ts';
import { MttrTracker } from '../mttr/mttr-tracker.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import { createLagMeter, type LagMeter } from '../probes/lag-meter.ts';
import type { LayerProbes } from '../probes/layers/layer-probes.ts';
import { readResources, type ResourceInput } from '../resource/registry.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { GuardianStore } from '../store/store.ts';
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
import { Maintenance } from './maintenance.ts';
import { type GuardianInput, GuardianOptions } from './options.ts';
import { alert, type Parts } from './parts.ts';
import { Planner } from './planner.ts';
import { PlaybookRecord } from './playbook-record.ts';
import { PlaybookRunner } from './playbook-runner.ts';
import { Prober } from './prober.ts';
import { Recovery } from './recovery.ts';
import { Rehearsals } from './rehearsal.ts';
import { StepJournal } from './step-journal.ts';
import { StepRunner } from './step-runner.ts';
import { type Govern, StepTools } from './step-tools.ts';
import { StepUndo } from './step-undo.ts';
import { StormLimits } from './storm-limits.ts';
import { Upkeep } from './upkeep.ts';
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

/** What a guardian consists of, as far as it speaks to it. */
export interface Assembly {
  readonly parts: Parts;
  readonly events: EventEmitter<GuardianEvents>;
  readonly background: Background;
  readonly book: IncidentBook;
  readonly prober: Prober;
  readonly conditions: Conditions;
  readonly limits: StormLimits;
  readonly maintenance: Maintenance;
  readonly autonomy: Autonomy;
  readonly tools: StepTools;
  readonly record: PlaybookRecord;
  readonly mttr: MttrTracker;
  readonly upkeep: Upkeep;
  readonly planner: Planner;
  readonly intake: Intake;
  readonly watcher: Watcher;
  readonly recovery: Recovery;
  readonly rehearsals: Rehearsals;
}

/**
 * Makes each part of a guardian, and hands it to those that need it.
 * @param take Takes in what a part itself has noticed, as a report from outside is taken in.
 */
export function assemble(
  input: GuardianInput,
  ports: GuardianParts,
  take: (symptom: Symptom) => Promise<Reported>,
): Assembly {
  const { clock = systemClock, random = systemRandom, newId = randomId('grd') } = ports;
  const { events, emit } = createGuardedEmitter<GuardianEvents>((error, event) => {
    if (event === 'alertRaised') return; // an alert about the alert's listener would go to that listener
    const message = `a listener of ${event} threw: ${describeFailure(error).message}`;
    alert(parts, 'internal', message);
  });
  const store = ports.store ?? new MemoryStore();
  const parts: Parts = {
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
  const record = new PlaybookRecord();
  const mttr = new MttrTracker();
  const background = new Background(parts);
  const book = new IncidentBook(parts);
  const autonomy = new Autonomy(parts);
  const conditions = new Conditions(clock);
  const limits = new StormLimits(parts);
  const tools = new StepTools(parts.playbooks.values(), ports.govern ?? ((tool) => tool));
  const prober = new Prober({
    clock,
    lag: ports.lag ?? createLagMeter(clock),
    timeoutMs: parts.options.probeTimeoutMs,
    onSample: (resource, sample, from) => {
      if (sample.status === from) return;
      emit('resourceChanged', { at: sample.at, resource, from, reading: sample });
    },
  });
  const healings = new Healings();
  const journal = new StepJournal(parts, book);
  const undo = new StepUndo(parts, journal);
  const planner = new Planner({ parts, autonomy, record });
  const steps = new StepRunner({ parts, autonomy, tools, journal });
  const runner = new PlaybookRunner({ parts, book, prober, record, planner, steps, undo });
  const maintenance = new Maintenance({
    parts,
    background,
    look: (resource) => watcher.look(resource),
  });
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
        const { incidentId } = await take(parseOrThrow(Symptom, symptom, 'symptom'));
        return book.find(incidentId ?? '');
      },
      openOn: (resource) => book.on(resource),
      attach: (live, causeId) => book.update(live, { causeId }),
    }),
    healings,
  });
  const upkeep = new Upkeep({ parts, book, mttr, signal: background.signal });
  const lives = new IncidentLives({
    parts,
    book,
    prober,
    healer,
    limits,
    conditions,
    mttr,
    background,
    onClosed: () => upkeep.checkMttr(),
  });
  const intake = new Intake({
    parts,
    book,
    conditions,
    maintenance,
    limits,
    begin: (live, resource) => background.run(lives.live(live, resource)),
  });
  const watcher = new Watcher({
    parts,
    prober,
    background,
    take,
    healings,
  });
  const recovery = new Recovery({ parts, book, prober, limits, undo, lives });
  const rehearsals = new Rehearsals({
    parts,
    book,
    prober,
    autonomy,
    intake,
    signal: background.signal,
  });
  return {
    parts,
    events,
    background,
    book,
    prober,
    conditions,
    limits,
    maintenance,
    autonomy,
    tools,
    record,
    mttr,
    upkeep,
    planner,
    intake,
    watcher,
    recovery,
    rehearsals,
  };
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
