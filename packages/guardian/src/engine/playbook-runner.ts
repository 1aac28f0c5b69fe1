import { describeFailure } from '@buddy/core';
import type { Run, RunResult, StepEntry } from '../incident/incident.ts';
import { withoutSecrets } from '../incident/without-secrets.ts';
import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import { READ_ONLY } from '../resource/guarded-adapter.ts';
import type { IncidentBook, LiveIncident } from './incident-book.ts';
import { alert, type Parts } from './parts.ts';
import type { Plan } from './plan.ts';
import type { Planner } from './planner.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { Prober } from './prober.ts';
import { contextOf, type RunRequest } from './run-request.ts';
import type { Stop, StepRunner } from './step-runner.ts';
import type { StepUndo } from './step-undo.ts';
import { verify } from './verify.ts';

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

interface RunnerParts {
  parts: Parts;
  book: IncidentBook;
  prober: Prober;
  record: PlaybookRecord;
  planner: Planner;
  steps: StepRunner;
  undo: StepUndo;
}

/** Runs one playbook on one incident: plan, steps, verification, and back again when it did not help. */
export class PlaybookRunner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  async run(request: RunRequest): Promise<RunEnd> {
    const { parts, book, record, planner, steps } = this.#parts;
    const { live, playbook, roles, signal } = request;
    const { clock, emit } = parts;
    const plan = await planner.plan(request);
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
    const { acted, stop } = await steps.run(request, run, plan);
    const end = await this.#conclude(request, run, acted, stop);
    if (end.result === 'aborted' && signal.aborted && !end.isUndone && !stop) {
      return end; // stopped while verifying: the next life of the guardian looks, and decides
    }
    const ended: Run = {
      ...run,
      endedAt: clock.now(),
      result: resultOf(end),
      reason: end.result === 'restored' ? 'verified' : withoutSecrets(end.reason),
    };
    record.add(ended);
    await book.keep([{ kind: 'run', run: ended }]);
    emit('runEnded', { at: clock.now(), incidentId: run.incidentId, runId: run.id, run: ended });
    return end;
  }

  /** What could be done alone was done, and it is well; the rest is for a person all the same. */
  #handOver({ incidentId, resource }: Run, { id }: Playbook, instructions: string): void {
    const message = `${id} did what it may on ${resource}; the rest is for a person: ${instructions}`;
    alert(this.#parts.parts, 'for_people', message, { incidentId, resource });
  }

  /** Verifies what was done, and takes it back when it did not help. */
  async #conclude(
    request: RunRequest,
    run: Run,
    acted: readonly StepEntry[],
    stop: Stop | undefined,
  ): Promise<RunEnd> {
    const { parts, prober, undo } = this.#parts;
    const { live, playbook, roles, signal } = request;
    const actedAt = parts.clock.now();
    let reason = stop?.reason ?? '';
    let hasRelapsed = false;
    const isWorthALook =
      !stop || (acted.length > 0 && (stop.why === 'refused' || stop.why === 'for_people'));
    if (isWorthALook) {
      try {
        const verified = await verify({
          playbook,
          context: contextOf(parts, request, READ_ONLY),
          prober,
          clock: parts.clock,
          longestStableMs: parts.options.longestStableMs,
          reports: () => live.reports,
          newSign: prober.listen(Object.values(roles)),
          superseded: () => this.#cameUpSince(actedAt, run, playbook, live),
        });
        parts.emit('verified', {
          at: parts.clock.now(),
          incidentId: run.incidentId,
          runId: run.id,
          isGood: verified.isGood,
          reason: verified.isGood ? '' : verified.reason,
        });
        if (verified.isGood) {
          if (stop?.why === 'for_people') this.#handOver(run, playbook, stop.reason);
          return { result: 'restored', restored: verified.restored };
        }
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
    const { isWhole } = await undo.undo(run, playbook, live.incident.symptom, acted);
    const hasActed = acted.length > 0;
    return { result: stop?.why ?? 'not_helped', reason, isUndone: isWhole, hasActed, hasRelapsed };
  }

  /**
   * A sign of what the playbook itself started: that ended with another sign than the one it was started for. What is seen
   * of its neighbours while it boots (a port that refuses) is no such sign, nor what was noticed before the steps were done:
   * that may be the end of what was there before.
   */
  #cameUpSince(
    actedAt: number,
    { roles }: Run,
    { interruptedRoles }: Playbook,
    { incident }: LiveIncident,
  ): string | undefined {
    const others = interruptedRoles.flatMap((role) => this.#parts.book.on(roles[role] ?? ''));
    return others.find(
      (other) =>
        other.incident.signal !== incident.signal &&
        other.incident.status === 'open' &&
        other.incident.detected > actedAt &&
        other.incident.symptom.certainty === 'decisive',
    )?.incident.signal;
  }
}

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
