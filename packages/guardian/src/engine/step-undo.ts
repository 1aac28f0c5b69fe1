import { describeFailure } from '@buddy/core';
import type { Run, StepEntry, StepState } from '../incident/incident.ts';
import type { Symptom } from '../incident/symptom.ts';
import type { JsonValue, Needs } from '../playbook/context.ts';
import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import type { RunnableStep, Undo } from '../playbook/step.ts';
import type { EffectPermit } from '../resource/guarded-adapter.ts';
import { withDeadlineOf } from './deadline.ts';
import { alert, type Parts } from './parts.ts';
import { contextFor } from './playbook-context.ts';
import type { StepJournal } from './step-journal.ts';

/** Takes steps back that were done, wholly or by half. */
export class StepUndo {
  readonly #parts: Parts;
  readonly #journal: StepJournal;

  constructor(parts: Parts, journal: StepJournal) {
    this.#parts = parts;
    this.#journal = journal;
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
        await this.#journal.note(run, { ...entry, state: 'undo_failed' });
        alert(
          this.#parts,
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

  async #undoStep(
    run: Run,
    playbook: Playbook,
    symptom: Symptom,
    step: RunnableStep,
    entry: StepEntry,
  ): Promise<StepState> {
    const action = undoOf(step);
    if (!action) return (await this.#journal.note(run, { ...entry, state: 'kept' })).state;
    const parts = this.#parts;
    await this.#journal.note(run, { ...entry, state: 'undoing' });
    const signal = new AbortController().signal; // it is finished even while the guardian stops
    const permit: EffectPermit = { declared: action.effects, isDryRun: false };
    try {
      const context = contextFor(parts, {
        playbook,
        roles: run.roles,
        symptom,
        signal,
        permit,
      });
      const before: JsonValue = JSON.parse(entry.before);
      await withDeadlineOf(
        parts,
        {
          what: `undo of ${step.id} of ${playbook.id}`,
          timeoutMs: parts.options.undoTimeoutMs,
          signal,
        },
        (own) => action.run({ ...context, before, signal: own }),
      );
      return (await this.#journal.note(run, { ...entry, state: 'undone' })).state;
    } catch (error) {
      const message = `Step ${step.id} of run ${run.id} on ${run.resource} could not be taken back: ${describeFailure(error).message}`;
      alert(parts, 'undo_failed', message, {
        incidentId: run.incidentId,
        resource: run.resource,
      });
      return (await this.#journal.note(run, { ...entry, state: 'undo_failed' })).state;
    }
  }
}

function undoOf(step: RunnableStep): Undo<Needs, JsonValue> | undefined {
  return 'irreversible' in step.undo ? step.undo.compensate : step.undo;
}
