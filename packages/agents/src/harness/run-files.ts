import type { FailureDescription } from '@buddy/core';
import { systemHealthRecord } from '../monitor/health-record.ts';
import type { Output } from '../output/output.ts';
import type { LoadProblem } from '../prediction/load-problem.ts';
import { renderReport } from '../report/render-report.ts';
import type { ActiveRun } from './active-run.ts';
import type { HarnessOptions } from './options.ts';
import { isoTime, json, problemRecord, type RecordedStatus, runRecord } from './records.ts';
import type { ReportSource } from './run-observer.ts';
import type { RunResult } from './run-result.ts';

/** What the report tells that only the harness knows. */
export type KnownToHarness = Omit<
  ReportSource,
  'result' | 'options' | 'cancelReason' | 'problemsFile' | 'waiting'
>;

const PROBLEMS_FILE = 'load_problems.jsonl';

/** The files that tell of a run as a whole; those of a wave are the host's. */
export class RunFiles {
  readonly #output: Output;
  readonly #options: HarnessOptions;

  constructor(output: Output, options: HarnessOptions) {
    this.#output = output;
    this.#options = options;
  }

  async writeStart(
    run: ActiveRun,
    loaded: { taskCount: number; problems: readonly LoadProblem[] },
  ) {
    for (const problem of loaded.problems) {
      this.#output.append(`phase21/${PROBLEMS_FILE}`, problemRecord(problem));
    }
    await this.#writeRun(run, 'running');
    const { startedAt, waves } = run;
    this.#log(run, 'runStarted', startedAt, { tasks: loaded.taskCount, waves });
  }

  /** Again each time the run stands still: the last one counts. */
  async writeEnd(run: ActiveRun, result: RunResult, known: KnownToHarness): Promise<void> {
    const { status, endedAt, health } = result;
    this.#log(run, 'runCompleted', endedAt, { status });
    await this.#writeRun(run, status, { result });
    const record = systemHealthRecord(health, run.observer.anomalies, endedAt);
    await this.#output.write('phase21/system_health.json', json(record));
    const { markdown, pictures } = renderReport(
      run.observer.reportData({
        ...known,
        result,
        options: this.#options,
        cancelReason: run.cancelReason,
        problemsFile: PROBLEMS_FILE,
        waiting: [...run.host.waiting.values()],
      }),
    );
    await this.#output.write('phase21/report.md', markdown);
    for (const { path, svg } of pictures) await this.#output.write(`phase21/${path}`, svg);
    await this.#output.flush();
  }

  async writeFailure(run: ActiveRun, error: FailureDescription): Promise<void> {
    await this.#writeRun(run, 'failed', { error });
    await this.#output.flush();
  }

  #writeRun(
    { policy: { runId }, startedAt, waves }: ActiveRun,
    status: RecordedStatus,
    {
      result = null,
      error = null,
    }: { result?: RunResult | null; error?: FailureDescription | null } = {},
  ): Promise<void> {
    const options = this.#options;
    const record = runRecord({ runId, status, startedAt, waves, options, result, error });
    return this.#output.write('phase21/run.json', json(record));
  }

  #log({ policy: { runId } }: ActiveRun, event: string, at: number, details: object): void {
    const line = { event, at: isoTime(at), run_id: runId, ...details };
    this.#output.append('phase21/events.jsonl', line);
  }
}
