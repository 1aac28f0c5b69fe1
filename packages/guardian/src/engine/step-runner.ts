import { describeFailure } from '@buddy/core';
import { AutonomyError } from '../errors.ts';
import type { Run, StepEntry } from '../incident/incident.ts';
import { isRunnable } from '../playbook/define-playbook.ts';
import type { RunnableStep } from '../playbook/step.ts';
import type { EffectPermit } from '../resource/guarded-adapter.ts';
import type { Autonomy } from './autonomy.ts';
import { withDeadlineOf } from './deadline.ts';
import { alert, type Parts } from './parts.ts';
import type { DiagnosedPlan } from './planner.ts';
import { contextOf, type RunRequest } from './run-request.ts';
import type { StepJournal } from './step-journal.ts';
import type { StepTools } from './step-tools.ts';

/** Why the steps came to an end before the last. */
export interface Stop {
  /** `for_people`: it came to a step for people. */
  why: 'failed' | 'aborted' | 'refused' | 'for_people';
  reason: string;
}

interface StepParts {
  parts: Parts;
  autonomy: Autonomy;
  tools: StepTools;
  journal: StepJournal;
}

/** Runs the steps of a playbook, each in its time, behind the gate, and written down before it begins. */
export class StepRunner {
  readonly #s: StepParts;

  constructor(parts: StepParts) {
    this.#s = parts;
  }

  /** Those that the plan calls for, in their order, until one stops it. What was begun is answered, however it ends. */
  async run(
    request: RunRequest,
    run: Run,
    plan: DiagnosedPlan,
  ): Promise<{ acted: readonly StepEntry[]; stop: Stop | undefined }> {
    const acted: StepEntry[] = [];
    const stop = await this.#runAll(request, run, plan, acted);
    return { acted, stop };
  }

  async #runAll(
    request: RunRequest,
    run: Run,
    plan: DiagnosedPlan,
    acted: StepEntry[],
  ): Promise<Stop | undefined> {
    const { playbook, signal } = request;
    for (const [index, step] of playbook.steps.entries()) {
      if (!isRunnable(step)) return { why: 'for_people', reason: step.instructions.join(' ') };
      const planned = plan.steps[index];
      if (!planned?.isCalledFor) continue;
      try {
        if (planned.refusal !== undefined) throw new AutonomyError(planned.refusal);
        await this.#runStep(request, run, { index, step }, plan.diagnosis, acted);
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
    request: RunRequest,
    run: Run,
    { index, step }: { index: number; step: RunnableStep },
    diagnosis: unknown,
    acted: StepEntry[],
  ): Promise<void> {
    const { parts, autonomy, tools, journal } = this.#s;
    const { live, playbook, signal } = request;
    const { incident } = live;
    const place = `${playbook.id}/${step.id}`;
    const since = live.lastBegun.get(place) ?? 'first';
    const permit: EffectPermit = { declared: step.effects, isDryRun: false };
    const context = contextOf(parts, request, permit);
    let isGivenUp = false;
    const act = async (gateSignal: AbortSignal): Promise<void> => {
      const acting = withDeadlineOf(
        parts,
        {
          what: `step ${step.id} of ${playbook.id}`,
          timeoutMs: step.timeoutMs,
          signal: gateSignal,
        },
        async (own) => {
          const before = (await step.before?.({ ...context, diagnosis, signal: own })) ?? null;
          own.throwIfAborted();
          const entry = await journal.intend(run, index, step, before);
          acted.push(entry);
          live.lastBegun.set(place, run.id);
          const last = acted.length - 1;
          try {
            own.throwIfAborted();
            await step.run({ ...context, diagnosis, before, signal: own });
            if (isGivenUp) {
              this.#tellLate(run, step);
              return;
            }
            acted[last] = await journal.note(run, { ...entry, state: 'done' });
          } catch (error) {
            if (isGivenUp) throw error; // its undo has had its turn
            acted[last] = await journal.note(run, { ...entry, state: 'failed' });
            throw error;
          }
        },
      );
      try {
        await acting;
      } finally {
        isGivenUp = true; // if it has not ended by now
      }
    };
    await tools.run({
      playbook,
      step,
      call: {
        incident: incident.id,
        resource: incident.resource,
        effects: [...step.effects],
        certified: run.isRehearsal || autonomy.certificateOf(playbook) !== undefined,
      },
      // The same until this step was really begun, so that an approval that somebody gave meanwhile is found.
      idempotencyKey: `${incident.id}/${place}/${since}`,
      rationale: `${playbook.id} heals ${incident.resource}: ${incident.signal}`,
      signal,
      act,
    });
  }

  /** It heeded neither its time nor its signal: the undo came before the end of what it takes back. */
  #tellLate({ id, incidentId, resource }: Run, step: RunnableStep): void {
    const message = `Step ${step.id} of run ${id} on ${resource} was given up and taken back, and was done all the same after that: somebody has to look.`;
    alert(this.#s.parts, 'step_late', message, { incidentId, resource });
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'GUARDIAN_AUTONOMY',
  'CORE_TOOL_DENIED',
  'CORE_APPROVAL_REQUIRED',
]);
