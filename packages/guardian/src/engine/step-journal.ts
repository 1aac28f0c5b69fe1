import type { Run, StepEntry } from '../incident/incident.ts';
import type { JsonValue } from '../playbook/context.ts';
import type { RunnableStep } from '../playbook/step.ts';
import type { IncidentBook } from './incident-book.ts';
import type { Parts } from './parts.ts';

/** Writes down what becomes of each step. */
export class StepJournal {
  readonly #parts: Parts;
  readonly #book: IncidentBook;

  constructor(parts: Parts, book: IncidentBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /** Written down before the step begins; a step whose intent cannot be written is not begun. */
  async intend(run: Run, index: number, step: RunnableStep, before: JsonValue): Promise<StepEntry> {
    const { keep, clock, emit } = this.#parts;
    const entry: StepEntry = {
      runId: run.id,
      index,
      step: step.id,
      state: 'intent',
      before: JSON.stringify(before),
      at: clock.now(),
    };
    await keep([{ kind: 'step', step: entry }]);
    emit('stepChanged', {
      at: entry.at,
      incidentId: run.incidentId,
      runId: run.id,
      step: entry,
    });
    return entry;
  }

  /** What has happened has happened, also when it cannot be written down: that is told. */
  async note(run: Run, changed: StepEntry): Promise<StepEntry> {
    const step = { ...changed, at: this.#parts.clock.now() };
    await this.#book.keep([{ kind: 'step', step }]);
    this.#parts.emit('stepChanged', {
      at: step.at,
      incidentId: run.incidentId,
      runId: run.id,
      step,
    });
    return step;
  }
}
