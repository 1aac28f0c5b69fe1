import { type Clock, describeFailure, type GuardedEmitter, type Logger } from '@buddy/core';
import type { Engine } from '../durable/engine.ts';
import { RunFailedError } from '../errors.ts';
import type { AgentManager } from '../manager/agent-manager.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { ActiveRun } from './active-run.ts';
import type { HarnessEvents } from './events.ts';
import type { KnownToHarness, RunFiles } from './run-files.ts';
import type { RunResult, RunStatus } from './run-result.ts';

interface RunEndingParts {
  manager: AgentManager;
  monitor: Monitor;
  clock: Clock;
  engine: Engine;
  logger: Logger;
  files: RunFiles;
  emit: GuardedEmitter<HarnessEvents>['emit'];
  /** Asked each time a report is written. */
  known: () => Promise<KnownToHarness>;
}

/** How a run ends, or comes to wait for people: result, files, and whoever listens. */
export class RunEnding {
  readonly #parts: RunEndingParts;
  #standingStill: Promise<RunResult> | undefined;

  constructor(parts: RunEndingParts) {
    this.#parts = parts;
  }

  /** Waits until there is nothing more to do without people; whoever asks meanwhile gets the same answer. */
  standStill(run: ActiveRun): Promise<RunResult> {
    this.#standingStill ??= this.#settle(run).finally(() => (this.#standingStill = undefined));
    return this.#standingStill;
  }

  async #settle(run: ActiveRun): Promise<RunResult> {
    try {
      for (;;) {
        await run.standStill();
        const result = await this.#write(run);
        if (run.isStill) return result; // else somebody decided while it was written
      }
    } catch (error) {
      throw await this.failed(run, error);
    }
  }

  async #write(run: ActiveRun): Promise<RunResult> {
    const { files, known, logger, engine, emit } = this.#parts;
    const result = this.#resultOf(run);
    const { runId, status, counts, endedAt: at } = result;
    await files.writeEnd(run, result, await known());
    logger.info({ runId, status, counts }, 'The run has ended');
    if (run.hasEnded && run.wasBegun) await engine.compact(runId);
    emit('runCompleted', { at, runId, result });
    return result;
  }

  #resultOf(run: ActiveRun): RunResult {
    const { manager, monitor, clock } = this.#parts;
    const { host, policy, waves, startedAt, cancelReason } = run;
    const { counts, wavesDone, waiting } = host;
    const status: RunStatus =
      cancelReason !== undefined ? 'cancelled' : counts.waiting > 0 ? 'waiting' : 'completed';
    return {
      runId: policy.runId,
      status,
      startedAt,
      endedAt: clock.now(),
      tasks: Object.values(counts).reduce((sum, count) => sum + count, 0),
      counts: { ...counts },
      waves: [...wavesDone],
      unfinishedWaves: waves.filter((wave) => !wavesDone.includes(wave)),
      health: monitor.health(),
      waiting: [...waiting.values()].map(({ outcome, approvalId, why }) => ({
        taskId: outcome.taskId,
        approvalId,
        why,
      })),
      problems: manager.loaded.problems.length,
    };
  }

  /** As well as can be: when it was the output that failed, this fails too, and the first failure is what counts. */
  async failed(run: ActiveRun, error: unknown): Promise<RunFailedError> {
    const { logger, files } = this.#parts;
    const { runId } = run.policy;
    logger.error({ err: error, runId }, 'The run failed');
    const failed =
      error instanceof RunFailedError
        ? error
        : new RunFailedError(describeFailure(error), { cause: error });
    try {
      await files.writeFailure(run, failed.failure);
    } catch (writeError) {
      logger.error({ err: writeError, runId }, 'That the run failed could not be written');
    }
    return failed;
  }
}
