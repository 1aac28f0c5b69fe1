import { type Clock, describeFailure, type Tier } from '@buddy/core';
import { AutonomyError, GuardianMisuseError } from '../errors.ts';
import type { Run, RunResult, StepEntry, StepState } from '../incident/incident.ts';
import type { Symptom } from '../incident/symptom.ts';
import type { JsonValue, Needs, PlaybookContext, RoleAdapters } from '../playbook/context.ts';
import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import type { RunnableStep, Step, Undo } from '../playbook/step.ts';
import { type EffectPermit, guardAdapter, READ_ONLY } from '../resource/guarded-adapter.ts';
import type { Autonomy } from './autonomy.ts';
import { withDeadline } from './deadline.ts';
import type { IncidentBook, LiveIncident } from './incident-book.ts';
import { alert, type Parts } from './parts.ts';
import type { Plan, PlannedStep } from './plan.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { Prober } from './prober.ts';
import type { StepTools } from './step-tools.ts';
import { verify } from './verify.ts';

export type Roles = Readonly<Record<string, string>>;

export interface RunRequest {
  live: LiveIncident;
  playbook: Playbook;
  roles: Roles;
  /** Aborted when the guardian stops. */
  signal: AbortSignal;
}

export type RunEnd =
  | { result: 'restored'; restored: number }
  | {
      /** `for_people`: it came to a step for people. */
      result: 'not_helped' | 'failed' | 'aborted' | 'refused' | 'for_people';
      reason: string;
      /** Whether all that could be taken back was. */
      isUndone: boolean;
      /** Whether any step was begun. */
      hasActed: boolean;
      /** It helped, and not for long. */
      hasRelapsed?: boolean;
    };

/** Why the steps came to an end before the last. */
type Stop = { why: 'failed' | 'aborted' | 'refused' | 'for_people'; reason: string };

interface RunnerParts {
  parts: Parts;
  book: IncidentBook;
  prober: Prober;
  autonomy: Autonomy;
  tools: StepTools;
  record: PlaybookRecord;
}

/** Runs one playbook on one incident: plan, steps, verification, and back again when it did not help. */
export class PlaybookRunner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** What the playbook would do now. Looks, and changes nothing. */
  async plan({
    live,
    playbook,
    roles,
    signal,
  }: RunRequest): Promise<Plan & { diagnosis: unknown }> {
    const { autonomy, record, parts } = this.#parts;
    const { incident } = live;
    const context = this.#context(playbook, roles, incident.symptom, signal, READ_ONLY);
    const diagnosis = await this.#withDeadline(
      `diagnose of ${playbook.id}`,
      playbook.verify.withinMs + parts.options.probeTimeoutMs,
      signal,
      (own) => playbook.diagnose({ ...context, signal: own }),
    );
    const isRehearsal = incident.rehearses === playbook.id;
    const steps = playbook.steps.map((step): PlannedStep => {
      const isCalledFor = !isRunnable(step) || !step.when || step.when({ ...context, diagnosis });
      return {
        id: step.id,
        description: step.description,
        tier: step.tier,
        isCalledFor,
        refusal: isCalledFor ? autonomy.refusal(playbook, step.tier, isRehearsal) : undefined,
        effects: step.effects ?? [],
        undo: describeUndo(step),
        timeoutMs: isRunnable(step) ? step.timeoutMs : 0,
      };
    });
    const called = steps.filter(({ isCalledFor }) => isCalledFor);
    return {
      playbook: playbook.id,
      resource: incident.resource,
      roles,
      tier: called.reduce<Tier>((highest, { tier }) => (tier > highest ? tier : highest), 1),
      steps,
      effects: [...new Set(called.flatMap(({ effects }) => effects))],
      expectedMs: record.meanMs(playbook.id, incident.resource) ?? playbook.mttrTargetMs,
      diagnosis,
    };
  }

  async run(request: RunRequest): Promise<RunEnd> {
    const { parts, book, record } = this.#parts;
    const { live, playbook, roles, signal } = request;
    const { clock, emit } = parts;
    const plan = await this.plan(request);
    const refusal = refusalAtOnce(playbook, plan);
    if (refusal !== undefined) {
      return { result: 'refused', reason: refusal, isUndone: true, hasActed: false };
    }
    const run: Run = {
      id: parts.newId(),
      incidentId: live.incident.id,
      playbook: playbook.id,
      resource: live.incident.resource,
      roles,
      startedAt: clock.now(),
      endedAt: null,
      result: 'running',
      reason: '',
      interrupts: playbook.interruptedRoles.length > 0,
      isRehearsal: live.incident.rehearses === playbook.id,
    };
    await parts.store.write([{ kind: 'run', run }]);
    const { diagnosis: _diagnosis, ...told } = plan;
    emit('runPlanned', {
      at: clock.now(),
      incidentId: run.incidentId,
      runId: run.id,
      plan: told,
    });
    const acted: StepEntry[] = [];
    const stop = await this.#runSteps(request, run, plan, acted);
    const end = await this.#conclude(request, run, acted, stop);
    if (end.result === 'aborted' && signal.aborted && !end.isUndone && !stop) {
      return end; // stopped while verifying: the next life of the guardian looks, and decides
    }
    const ended: Run = {
      ...run,
      endedAt: clock.now(),
      result: resultOf(end),
      reason: end.result === 'restored' ? 'verified' : end.reason,
    };
    record.add(ended);
    await book.keep([{ kind: 'run', run: ended }]);
    emit('runEnded', { at: clock.now(), incidentId: run.incidentId, runId: run.id, run: ended });
    return end;
  }

  /**
   * Takes steps back, the last first. Bears that some of them were done by half, or taken back already.
   * @returns How many were taken back, and whether all that could be were.
   */
  async undo(
    run: Run,
    playbook: Playbook,
    symptom: Symptom,
    entries: readonly StepEntry[],
  ): Promise<{ undone: number; isWhole: boolean }> {
    let undone = 0;
    let isWhole = true;
    for (const entry of entries.toSorted((a, b) => b.index - a.index)) {
      if (entry.state === 'undone' || entry.state === 'kept') continue;
      const step = playbook.steps.find(({ id }) => id === entry.step);
      if (!step || !isRunnable(step)) {
        isWhole = false;
        await this.#note(run, { ...entry, state: 'undo_failed' });
        alert(
          this.#parts.parts,
          'undo_failed',
          `Run ${run.id} cannot be taken back: ${playbook.id} has no step "${entry.step}" any more.`,
        );
        continue;
      }
      const state = await this.#undoStep(run, playbook, symptom, step, entry);
      if (state === 'undone') undone += 1;
      if (state === 'undo_failed') isWhole = false;
    }
    return { undone, isWhole };
  }

  /** Runs the steps against adapters that note effects and do none. */
  async rehearseDry(request: RunRequest): Promise<{
    plan: Plan;
    calls: Readonly<Record<string, readonly string[]>>;
    problems: Readonly<Record<string, string>>;
  }> {
    const { playbook, roles, live, signal } = request;
    const { diagnosis, ...plan } = await this.plan(request);
    const calls: Record<string, readonly string[]> = {};
    const problems: Record<string, string> = {};
    for (const [index, step] of playbook.steps.entries()) {
      if (!isRunnable(step) || !plan.steps[index]?.isCalledFor) continue;
      const made: string[] = [];
      calls[step.id] = made;
      const permit: EffectPermit = {
        declared: step.effects,
        isDryRun: true,
        onEffect: (effect) => made.push(effect),
      };
      const context = this.#context(playbook, roles, live.incident.symptom, signal, permit);
      try {
        await this.#withDeadline(step.id, step.timeoutMs, signal, async (own) => {
          const before = (await step.before?.({ ...context, diagnosis, signal: own })) ?? null;
          await step.run({ ...context, diagnosis, before, signal: own });
        });
      } catch (error) {
        const failure = describeFailure(error);
        if (failure.code === 'GUARDIAN_UNDECLARED_EFFECT') throw error;
        problems[step.id] = failure.message;
      }
    }
    return { plan, calls, problems };
  }

  async #runSteps(
    { live, playbook, roles, signal }: RunRequest,
    run: Run,
    plan: Plan & { diagnosis: unknown },
    acted: StepEntry[],
  ): Promise<Stop | undefined> {
    for (const [index, step] of playbook.steps.entries()) {
      if (!isRunnable(step)) return { why: 'for_people', reason: step.instructions.join(' ') };
      const planned = plan.steps[index];
      if (!planned?.isCalledFor) continue;
      try {
        if (planned.refusal !== undefined) throw new AutonomyError(planned.refusal);
        await this.#runStep(
          { live, playbook, roles, signal },
          run,
          { index, step },
          plan.diagnosis,
          acted,
        );
      } catch (error) {
        const failure = describeFailure(error);
        if (signal.aborted) return { why: 'aborted', reason: failure.message };
        if (!REFUSALS.has(failure.code)) {
          return { why: 'failed', reason: `${step.id}: ${failure.message}` };
        }
        if (step.ifRefused !== 'skip') {
          return { why: 'refused', reason: `${step.id}: ${failure.message}` };
        }
      }
    }
    return undefined;
  }

  async #runStep(
    { live, playbook, roles, signal }: RunRequest,
    run: Run,
    { index, step }: { index: number; step: RunnableStep },
    diagnosis: unknown,
    acted: StepEntry[],
  ): Promise<void> {
    const { tools } = this.#parts;
    const { incident } = live;
    const since = live.lastActedRun ?? 'first';
    const permit: EffectPermit = { declared: step.effects, isDryRun: false };
    const context = this.#context(playbook, roles, incident.symptom, signal, permit);
    const act = async (gateSignal: AbortSignal): Promise<void> => {
      await this.#withDeadline(
        `step ${step.id} of ${playbook.id}`,
        step.timeoutMs,
        gateSignal,
        async (own) => {
          const before = (await step.before?.({ ...context, diagnosis, signal: own })) ?? null;
          own.throwIfAborted();
          const entry = await this.#intend(run, index, step, before);
          acted.push(entry);
          live.lastActedRun = run.id;
          const place = acted.length - 1;
          try {
            own.throwIfAborted();
            await step.run({ ...context, diagnosis, before, signal: own });
            acted[place] = await this.#note(run, { ...entry, state: 'done' });
          } catch (error) {
            acted[place] = await this.#note(run, { ...entry, state: 'failed' });
            throw error;
          }
        },
      );
    };
    await tools.run({
      playbook,
      step,
      call: {
        incident: incident.id,
        run: run.id,
        resource: incident.resource,
        effects: [...step.effects],
      },
      // The same until a step was really begun, so that an approval that somebody gave meanwhile is found.
      idempotencyKey: `${incident.id}/${playbook.id}/${step.id}/${since}`,
      rationale: `${playbook.id} heals ${incident.resource}: ${incident.signal}`,
      signal,
      act,
    });
  }

  /** Written down before the step begins; a step whose intent cannot be written is not begun. */
  async #intend(
    run: Run,
    index: number,
    step: RunnableStep,
    before: JsonValue,
  ): Promise<StepEntry> {
    const { store, clock, emit } = this.#parts.parts;
    const entry: StepEntry = {
      runId: run.id,
      index,
      step: step.id,
      state: 'intent',
      before: JSON.stringify(before),
      at: clock.now(),
    };
    await store.write([{ kind: 'step', step: entry }]);
    emit('stepChanged', {
      at: entry.at,
      incidentId: run.incidentId,
      runId: run.id,
      step: entry,
    });
    return entry;
  }

  async #note(run: Run, changed: StepEntry): Promise<StepEntry> {
    const { book, parts } = this.#parts;
    const step = { ...changed, at: parts.clock.now() };
    await book.keep([{ kind: 'step', step }]);
    parts.emit('stepChanged', { at: step.at, incidentId: run.incidentId, runId: run.id, step });
    return step;
  }

  /** Verifies what was done, and takes it back when it did not help. */
  async #conclude(
    { live, playbook, roles, signal }: RunRequest,
    run: Run,
    acted: readonly StepEntry[],
    stop: Stop | undefined,
  ): Promise<RunEnd> {
    const { parts, prober } = this.#parts;
    let reason = stop?.reason ?? '';
    let hasRelapsed = false;
    const isWorthALook =
      !stop || (acted.length > 0 && (stop.why === 'refused' || stop.why === 'for_people'));
    if (isWorthALook) {
      try {
        const verified = await verify({
          playbook,
          context: this.#context(playbook, roles, live.incident.symptom, signal, READ_ONLY),
          prober,
          clock: parts.clock,
          longestStableMs: parts.options.longestStableMs,
          reports: () => live.reports,
        });
        parts.emit('verified', {
          at: parts.clock.now(),
          incidentId: run.incidentId,
          runId: run.id,
          isGood: verified.isGood,
          reason: verified.isGood ? '' : verified.reason,
        });
        if (verified.isGood) return { result: 'restored', restored: verified.restored };
        reason = stop ? stop.reason : verified.reason;
        hasRelapsed = verified.hasRelapsed;
      } catch (error) {
        if (!signal.aborted) throw error;
        if (!stop) {
          const { message } = describeFailure(error);
          return { result: 'aborted', reason: message, isUndone: false, hasActed: true };
        }
      }
    }
    const { isWhole } = await this.undo(run, playbook, live.incident.symptom, acted);
    const hasActed = acted.length > 0;
    return { result: stop?.why ?? 'not_helped', reason, isUndone: isWhole, hasActed, hasRelapsed };
  }

  async #undoStep(
    run: Run,
    playbook: Playbook,
    symptom: Symptom,
    step: RunnableStep,
    entry: StepEntry,
  ): Promise<StepState> {
    const action = undoOf(step);
    if (!action) return (await this.#note(run, { ...entry, state: 'kept' })).state;
    const { parts } = this.#parts;
    await this.#note(run, { ...entry, state: 'undoing' });
    const signal = new AbortController().signal; // it is finished even while the guardian stops
    const permit: EffectPermit = { declared: action.effects, isDryRun: false };
    try {
      const context = this.#context(playbook, run.roles, symptom, signal, permit);
      const before: JsonValue = JSON.parse(entry.before);
      await this.#withDeadline(
        `undo of ${step.id} of ${playbook.id}`,
        parts.options.undoTimeoutMs,
        signal,
        (own) => action.run({ ...context, before, signal: own }),
      );
      return (await this.#note(run, { ...entry, state: 'undone' })).state;
    } catch (error) {
      const message = `Step ${step.id} of run ${run.id} on ${run.resource} could not be taken back: ${describeFailure(error).message}`;
      alert(parts, 'undo_failed', message, {
        incidentId: run.incidentId,
        resource: run.resource,
      });
      return (await this.#note(run, { ...entry, state: 'undo_failed' })).state;
    }
  }

  #context(
    playbook: Playbook,
    roles: Roles,
    symptom: Symptom,
    signal: AbortSignal,
    permit: EffectPermit,
  ): PlaybookContext<Needs> {
    const { resources, clock } = this.#parts.parts;
    const adapters = Object.keys(playbook.needs).map((role) => {
      const resource = resources.get(roles[role] ?? '');
      if (!resource) {
        throw new GuardianMisuseError(
          `Nothing fills the role "${role}" of ${playbook.id} any more.`,
        );
      }
      return [role, guardAdapter(role, resource.adapter, permit)];
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each role is filled by a resource of its kind
    const filled = Object.fromEntries(adapters) as RoleAdapters<Needs>;
    return { resources: filled, symptom, clock, signal };
  }

  #withDeadline<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, options }: { clock: Clock; options: { abortGraceMs: number } } =
      this.#parts.parts;
    return withDeadline({ clock, what, timeoutMs, graceMs: options.abortGraceMs, signal }, work);
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'GUARDIAN_AUTONOMY',
  'CORE_TOOL_DENIED',
  'CORE_APPROVAL_REQUIRED',
]);

function resultOf(end: RunEnd): RunResult {
  return end.result === 'for_people' ? 'refused' : end.result;
}

/** Why not even the first step may run: then there is no run to speak of. */
function refusalAtOnce({ steps }: Playbook, plan: Plan): string | undefined {
  const first = plan.steps.find(({ isCalledFor }) => isCalledFor);
  const step = steps.find(({ id }) => id === first?.id);
  if (!step || !isRunnable(step) || step.ifRefused === 'skip') return undefined;
  return first?.refusal === undefined ? undefined : `${step.id}: ${first.refusal}`;
}

function undoOf(step: RunnableStep): Undo<Needs, JsonValue> | undefined {
  return 'irreversible' in step.undo ? step.undo.compensate : step.undo;
}

export function describeUndo(step: Step): string {
  if (!isRunnable(step)) return 'nothing to take back: a person does it';
  if (!('irreversible' in step.undo)) return step.undo.description;
  const { irreversible, compensate } = step.undo;
  return compensate
    ? `cannot be taken back (${irreversible}); instead: ${compensate.description}`
    : `cannot be taken back: ${irreversible}`;
}
