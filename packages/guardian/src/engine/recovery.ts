import { parseOrThrow } from '@buddy/core';
import { GuardianMisuseError } from '../errors.ts';
import type { Incident } from '../incident/incident.ts';
import { Symptom } from '../incident/symptom.ts';
import type { GuardianStore, JournaledRun, StoreChange } from '../store/store.ts';
import { type IncidentBook, type LiveIncident, whereOf } from './incident-book.ts';
import type { IncidentLives } from './incident-lives.ts';
import { alert, type Parts } from './parts.ts';
import type { Prober } from './prober.ts';
import type { StepUndo } from './step-undo.ts';
import type { StormLimits } from './storm-limits.ts';

interface RecoveryParts {
  parts: Parts;
  book: IncidentBook;
  prober: Prober;
  limits: StormLimits;
  undo: StepUndo;
  lives: IncidentLives;
}

/** Takes back what was begun: after the guardian died in its midst, or when an operator asks for it. */
export class Recovery {
  readonly #r: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.#r = parts;
  }

  /** A symptom whose incident was closed without it, or never kept: it is not left without an outcome. */
  async decideOrphans(
    undecided: readonly { seq: number; incidentId: string | null }[],
    open: readonly Incident[],
  ): Promise<void> {
    const openedBy = new Set(open.map((incident) => incident.openedBy));
    const at = this.#r.parts.clock.now();
    const reason = 'the guardian ended before it was decided';
    const changes = undecided
      .filter(({ seq }) => !openedBy.has(seq))
      .map(({ seq }): StoreChange => ({ kind: 'outcome', seq, at, outcome: 'escalated', reason }));
    await this.#r.book.keep(changes);
    if (changes.length > 0)
      alert(this.#r.parts, 'escalated', `${changes.length} symptoms: ${reason}`);
  }

  /** Looks first: what is whole and well is left alone. Else what was begun is taken back, and it starts over. */
  async takeUp(live: LiveIncident, runs: readonly JournaledRun[]): Promise<void> {
    const { lives } = this.#r;
    const resource = this.#r.parts.resources.get(live.incident.resource);
    if (!resource) {
      const reason = `resource "${live.incident.resource}" is not registered any more`;
      await this.#r.book.park(live, 'escalated', reason);
      alert(this.#r.parts, 'escalated', reason, whereOf(live));
      return;
    }
    const isHalfDone = runs.some(({ steps }) => steps.some(({ state }) => state !== 'done'));
    const sample = await this.#r.prober.probe(resource);
    const isWell = sample.status === 'HEALTHY' && !isHalfDone;
    for (const journaled of runs) {
      if (isWell) await this.#endRun(journaled, 'it was well after a restart of the guardian');
      else await this.takeBack(journaled, 'the guardian ended while it ran');
    }
    const after = isWell ? sample : await this.#r.prober.probe(resource);
    if (after.status === 'HEALTHY' && live.incident.rehearses === null) {
      await lives.close(live, {
        closes: 'cleared_externally',
        restored: after.at,
        reason: 'it was well after a restart of the guardian',
        reports: live.reports,
      });
      return;
    }
    await lives.live(live, resource);
  }

  async takeBack(journaled: JournaledRun, reason: string): Promise<void> {
    const { playbooks, clock, emit, store } = this.#r.parts;
    const { run, steps } = journaled;
    const playbook = playbooks.get(run.playbook);
    if (playbook) {
      const { release } = await this.#r.limits.locks.take(this.#r.limits.lockNames(run.roles));
      try {
        const symptom = symptomBehind(journaled, store);
        const { undone } = await this.#r.undo.undo(run, playbook, symptom, steps);
        emit('recovered', { at: clock.now(), incidentId: run.incidentId, runId: run.id, undone });
      } finally {
        release();
      }
    } else {
      const message = `Run ${run.id} cannot be taken back: playbook "${run.playbook}" is not registered any more.`;
      alert(this.#r.parts, 'undo_failed', message, { incidentId: run.incidentId });
    }
    await this.#endRun(journaled, reason);
  }

  async #endRun({ run }: JournaledRun, reason: string): Promise<void> {
    const ended = {
      ...run,
      endedAt: this.#r.parts.clock.now(),
      result: 'aborted' as const,
      reason,
    };
    await this.#r.book.keep([{ kind: 'run', run: ended }]);
  }

  /** See `Guardian.rollBack`. */
  async rollBack(runId: string): Promise<{ undone: number; isWhole: boolean }> {
    const { store, playbooks, clock, emit } = this.#r.parts;
    const { run } = this.#endedRun(runId);
    const playbook = playbooks.get(run.playbook);
    if (!playbook) throw new GuardianMisuseError(`Playbook "${run.playbook}" is not registered.`);
    const { release } = await this.#r.limits.locks.take(this.#r.limits.lockNames(run.roles));
    try {
      // As it is now: another may have taken it back while we waited.
      const journaled = this.#endedRun(runId);
      const symptom = symptomBehind(journaled, store);
      const back = await this.#r.undo.undo(run, playbook, symptom, journaled.steps);
      emit('rolledBack', { at: clock.now(), runId, undone: back.undone });
      return back;
    } finally {
      release();
    }
  }

  #endedRun(runId: string): JournaledRun {
    const journaled = this.#r.parts.store.journal(runId);
    if (!journaled) throw new GuardianMisuseError(`There is no run "${runId}".`);
    if (journaled.run.result !== 'running') return journaled;
    throw new GuardianMisuseError(`Run "${runId}" is under way.`);
  }
}

/** The symptom that a run was for; when its incident is not kept any more, one that names the resource alone. */
function symptomBehind({ run }: JournaledRun, store: GuardianStore): Symptom {
  const { symptom } = store.incident(run.incidentId) ?? {};
  const forgotten = { resource: run.resource, signal: 'incident.forgotten' };
  return symptom ?? parseOrThrow(Symptom, forgotten, 'symptom');
}
