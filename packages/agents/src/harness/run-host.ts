import type { GuardedEmitter, Tool } from '@buddy/core';
import type { ActivityResult } from '../durable/durable-context.ts';
import type { HistoryEntry } from '../durable/workflow-store.ts';
import { systemTool } from '../execution/system-tool.ts';
import type { Fact } from '../orchestration/facts.ts';
import { SYSTEM_TOOLS } from '../orchestration/policy.ts';
import type { ClosedWave, OpenedWave } from '../orchestration/run.ts';
import type { Attempt, Outcome, OutcomeStatus } from '../task/outcome.ts';
import type { Claim } from '../task/work.ts';
import type { HarnessEvents } from './events.ts';
import { attemptRecord, folderOf, outcomeRecord } from './records.ts';
import { noCounts } from './run-result.ts';
import { RunTeller } from './run-teller.ts';
import { WaveBooks, type WaveBooksPorts } from './wave-books.ts';

export interface RunHostPorts extends WaveBooksPorts {
  emit: GuardedEmitter<HarnessEvents>['emit'];
}

/** Who claimed in which wave: for whoever restores the books. */
interface Claimed {
  wave: number;
  agentId: string;
}

export type RunHistoryEntry = HistoryEntry<Fact, ActivityResult<unknown>>;
type RecordedCall = Extract<RunHistoryEntry, { kind: 'recorded' }>;

/** What one of our own tools has answered comes back as it was. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows which tool it was
function answerOf<Answer>(answer: unknown): Answer {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what that tool gave was kept under its name
  return answer as Answer;
}

/** The side of a run that touches the world: hands out work, writes files, feeds what learns and what watches. */
export class RunHost {
  readonly runId: string;
  readonly counts: Record<OutcomeStatus, number> = noCounts();
  /** Tasks that wait, and the workflow to tell when somebody decides. */
  readonly waiting = new Map<string, Extract<Fact, { kind: 'taskWaiting' }>>();
  readonly #ports: RunHostPorts;
  readonly #teller: RunTeller;
  readonly #waves: WaveBooks;
  /** Tasks that wait, and those that depend on them. */
  readonly #waitingIds = new Set<string>();

  constructor(runId: string, ports: RunHostPorts) {
    this.runId = runId;
    this.#ports = ports;
    this.#teller = new RunTeller(runId, ports);
    this.#waves = new WaveBooks(this.#teller, ports);
  }

  /** Waves that were gone through, in order. */
  get wavesDone(): readonly number[] {
    return this.#waves.done;
  }

  /** Brings the books to where they were when this was answered: tells nobody, and writes the files anew. */
  async restoreCall({ at, tool, value }: RecordedCall): Promise<void> {
    if (tool === null || value.kind !== 'succeeded') return;
    await this.#teller.silentlyAsOf(at, () => this.#restoreAnswer(tool, value.value));
  }

  /** As `restoreCall`, for a fact that was told at this time. */
  restoreFact(fact: Fact, at: number): void {
    this.#teller.silently(() => this.onFact(fact, at));
  }

  async #restoreAnswer(tool: string, answer: unknown): Promise<void> {
    switch (tool) {
      case SYSTEM_TOOLS.openWave: {
        const { wave, startedAt } = answerOf<OpenedWave>(answer);
        await this.#waves.open(wave, startedAt);
        return;
      }
      case SYSTEM_TOOLS.closeWave:
        await this.#waves.close(answerOf<ClosedWave>(answer));
        return;
      case SYSTEM_TOOLS.claim: {
        const { wave, agentId, ...claim } = answerOf<Claim & Claimed>(answer);
        this.#waves.retake(wave, claim, agentId);
        return;
      }
      case SYSTEM_TOOLS.claimHeld:
      case SYSTEM_TOOLS.claimAny: {
        const claim = answerOf<Claim>(answer);
        if (claim.kind !== 'done') this.#waves.retake(claim.work.wave, claim, undefined);
        return;
      }
      default: // the tools of tasks: what came of them is told as facts
    }
  }

  /** What orchestration calls by name. */
  systemTools(): Tool[] {
    return [
      systemTool(SYSTEM_TOOLS.openWave, 'Plans a wave', ({ wave }: { wave: number }) =>
        this.#waves.open(wave, this.#teller.now()),
      ),
      systemTool(SYSTEM_TOOLS.closeWave, 'Settles a wave', ({ wave }: { wave: number }) =>
        this.#waves.close({
          wave,
          endedAt: this.#teller.now(),
          isWhole: !this.#waves.isCancelled,
        }),
      ),
      systemTool(SYSTEM_TOOLS.claim, 'Takes a task', (input: { wave: number; agentId: string }) =>
        this.#claim(input),
      ),
      systemTool(
        SYSTEM_TOOLS.claimHeld,
        'Takes a task that waits for a waiting one',
        async ({ wave }: { wave: number }) => this.#waves.claimHeld(wave),
      ),
      systemTool(SYSTEM_TOOLS.claimAny, 'Takes a task that was freed late', async () =>
        this.#waves.claimAny(),
      ),
    ].map((tool) => this.#vital(tool));
  }

  /** Hands nothing out any more. */
  cancel(reason: string): void {
    this.#waves.cancel(reason);
  }

  /** Lets go of the timers of waves that came to no end. */
  stopWatching(): void {
    this.#waves.stopWatching();
  }

  /** @param at When it was told, in ms since the Unix epoch. */
  onFact(fact: Fact, at: number): void {
    this.#teller.asOf(at, () => this.#hear(fact));
  }

  #hear(fact: Fact): void {
    switch (fact.kind) {
      case 'taskStarted': {
        const { kind, ...started } = fact;
        this.#event(kind, started);
        return;
      }
      case 'attemptEnded':
        this.#onAttempt(fact.attempt);
        return;
      case 'taskWaiting':
        this.#onWaiting(fact);
        return;
      case 'taskSettled':
        this.#onSettled(fact.outcome, fact.output);
        return;
      case 'healingEnded':
        this.#onHealing(fact);
        return;
      case 'runBegan':
      case 'verdictTaken':
      case 'verdictDone':
      case 'onlyWaiting':
        return;
    }
  }

  /** What goes wrong in one of these is the run's failure, not a task's. */
  #vital(tool: Tool): Tool {
    return {
      ...tool,
      execute: async (input, context) => {
        try {
          return await tool.execute(input, context);
        } catch (error) {
          this.#ports.onBroken(error);
          throw error;
        }
      },
    };
  }

  async #claim({ wave, agentId }: Claimed): Promise<Claim & Claimed> {
    const { output } = this.#ports;
    // The one place where every agent passes between two tasks: memory is bounded here.
    if (output.isCongested) await output.flush();
    return { ...(await this.#waves.claim(wave, agentId)), wave, agentId };
  }

  #onAttempt(attempt: Attempt): void {
    const { output, monitor, observer } = this.#ports;
    output.append(
      `${folderOf(attempt.wave, attempt.agentId)}/attempts.jsonl`,
      attemptRecord(attempt),
    );
    if (this.#waves.isOpen(attempt.wave)) monitor.observeAttempt(attempt);
    observer.onAttempt(attempt);
    if (attempt.backoffMs === null) return;
    const { taskId, attempt: n, backoffMs, failure } = attempt;
    this.#teller.log('taskRetrying', {
      task_id: taskId,
      attempt: n,
      backoff_ms: backoffMs,
      code: failure?.code ?? null,
    });
    this.#teller.emit('taskRetrying', {
      at: this.#teller.now(),
      runId: this.runId,
      taskId,
      attempt,
    });
  }

  #onHealing({ taskId, isHealed, failure }: Extract<Fact, { kind: 'healingEnded' }>): void {
    this.#teller.log('healingEnded', {
      task_id: taskId,
      is_healed: isHealed,
      code: failure?.code ?? null,
    });
    this.#teller.emit('healingEnded', {
      at: this.#teller.now(),
      runId: this.runId,
      taskId,
      isHealed,
      failure,
    });
  }

  #onWaiting(fact: Extract<Fact, { kind: 'taskWaiting' }>): void {
    const { outcome, why, approvalId } = fact;
    const { taskId } = outcome;
    this.waiting.set(taskId, fact);
    this.#record(outcome);
    this.#teller.log('taskWaiting', { task_id: taskId, why, approval_id: approvalId });
    this.#teller.emit('taskWaiting', {
      at: this.#teller.now(),
      runId: this.runId,
      taskId,
      why,
      approvalId,
      outcome,
    });
  }

  #onSettled(outcome: Outcome, output: unknown): void {
    const { taskId } = outcome;
    this.waiting.delete(taskId);
    this.#record(outcome);
    this.#teller.log('taskSettled', { task_id: taskId, status: outcome.status });
    this.#teller.emit('taskSettled', {
      at: this.#teller.now(),
      runId: this.runId,
      taskId,
      outcome,
      output,
    });
  }

  /** Writes an outcome down and tells everybody who learns from it. */
  #record(outcome: Outcome): void {
    const { output, monitor, feedback, observer } = this.#ports;
    const { taskId, wave, status } = outcome;
    this.#count(taskId, status);
    output.append(`${folderOf(wave, outcome.agentId)}/outcomes.jsonl`, outcomeRecord(outcome));
    feedback.settle(outcome);
    if (this.#waves.isOpen(wave)) monitor.observe(outcome);
    observer.onOutcome(outcome);
    this.#waves.settle(taskId, status);
  }

  /** A task that waits is counted once as waiting, and as what it becomes in the end. */
  #count(taskId: string, status: OutcomeStatus): void {
    if (this.#waitingIds.delete(taskId)) this.counts.waiting -= 1;
    if (status === 'waiting') this.#waitingIds.add(taskId);
    this.counts[status] += 1;
  }

  #event(
    name: 'taskStarted',
    started: { taskId: string; wave: number; agentId: string; action: string },
  ): void {
    const { taskId, wave, agentId, action } = started;
    this.#teller.log(name, { task_id: taskId, wave, agent_id: agentId, action });
    this.#teller.emit(name, { at: this.#teller.now(), runId: this.runId, ...started });
  }
}
