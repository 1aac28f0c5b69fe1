import { describeFailure, type Tier } from '@buddy/core';
import { AutonomyError } from '../errors.ts';
import type { Run, RunResult, StepEntry } from '../incident/incident.ts';
import type { Needs, PlaybookContext } from '../playbook/context.ts';
import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import type { RunnableStep } from '../playbook/step.ts';
import { type EffectPermit, READ_ONLY } from '../resource/guarded-adapter.ts';
import type { Autonomy } from './autonomy.ts';
import { withDeadline } from './deadline.ts';
import type { IncidentBook, LiveIncident } from './incident-book.ts';
import type { Parts } from './parts.ts';
import { describeUndo, type Plan, type PlannedStep } from './plan.ts';
import { contextFor, type Roles } from './playbook-context.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { Prober } from './prober.ts';
import type { StepJournal } from './step-journal.ts';
import type { StepTools } from './step-tools.ts';
import type { StepUndo } from './step-undo.ts';
import { verify } from './verify.ts';

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
  journal: StepJournal;
  undo: StepUndo;
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
    const context = this.#context({ live, playbook, roles, signal }, READ_ONLY);
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
    await parts.keep([{ kind: 'run', run }]);
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

  /** Runs the steps against adapters that note effects and do none. */
  async runDry(request: RunRequest): Promise<{
    plan: Plan;
    calls: Readonly<Record<string, readonly string[]>>;
    problems: Readonly<Record<string, string>>;
  }> {
    const { playbook, signal } = request;
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
      const context = this.#context(request, permit);
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
    const { tools, journal } = this.#parts;
    const { incident } = live;
    const since = live.lastActedRun ?? 'first';
    const permit: EffectPermit = { declared: step.effects, isDryRun: false };
    const context = this.#context({ live, playbook, roles, signal }, permit);
    const act = async (gateSignal: AbortSignal): Promise<void> => {
      await this.#withDeadline(
        `step ${step.id} of ${playbook.id}`,
        step.timeoutMs,
        gateSignal,
        async (own) => {
          const before = (await step.before?.({ ...context, diagnosis, signal: own })) ?? null;
          own.throwIfAborted();
          const entry = await journal.intend(run, index, step, before);
          acted.push(entry);
          live.lastActedRun = run.id;
          const place = acted.length - 1;
          try {
            own.throwIfAborted();
            await step.run({ ...context, diagnosis, before, signal: own });
            acted[place] = await journal.note(run, { ...entry, state: 'done' });
          } catch (error) {
            acted[place] = await journal.note(run, { ...entry, state: 'failed' });
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
          context: this.#context({ live, playbook, roles, signal }, READ_ONLY),
          prober,
          clock: parts.clock,
          longestStableMs: parts.options.longestStableMs,
          reports: () => live.reports,
          newSign: prober.listen(Object.values(roles)),
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
    const { isWhole } = await this.#parts.undo.undo(run, playbook, live.incident.symptom, acted);
    const hasActed = acted.length > 0;
    return { result: stop?.why ?? 'not_helped', reason, isUndone: isWhole, hasActed, hasRelapsed };
  }

  #context(
    { live, playbook, roles, signal }: RunRequest,
    permit: EffectPermit,
  ): PlaybookContext<Needs> {
    const { symptom } = live.incident;
    return contextFor(this.#parts.parts, { playbook, roles, symptom, signal, permit });
  }

  #withDeadline<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, options } = this.#parts.parts;
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
