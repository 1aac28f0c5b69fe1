import type { Clock } from '@buddy/core';
import { ViolationLogError } from '../errors.ts';
import type { ConversationReport } from '../host/conversation.ts';
import type { PausedRun } from '../replay/resume-token.ts';
import type { Violation } from '../violations/violation.ts';
import { type ViolationLog, violationRecord } from '../violations/violation-log.ts';
import { modelText } from './model-text.ts';
import type { CallRecord, LogLine, RunEnding, RunResult } from './result.ts';
import type { Tell } from './run-events.ts';

export interface RecordPorts {
  run: Pick<PausedRun, 'executionId' | 'code' | 'violationsLogged'>;
  log: ViolationLog | undefined;
  clock: Clock;
  tell: Tell;
}

/** What a run did, written down and told of while it happens. */
export class RunRecord {
  readonly #ports: RecordPorts;
  readonly #logs: LogLine[] = [];
  readonly #violations: Violation[] = [];
  readonly #writes: Promise<void>[] = [];

  constructor(ports: RecordPorts) {
    this.#ports = ports;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  logged(line: LogLine): void {
    this.#logs.push(line);
    this.#ports.tell({ type: 'console', ...line, ...this.#now() });
  }

  // A copy of the call as it is now: the record itself goes on changing until the call is answered.
  callStarted(call: CallRecord): void {
    this.#ports.tell({ type: 'toolCallStarted', call: { ...call }, ...this.#now() });
  }

  callEnded(call: CallRecord): void {
    this.#ports.tell({ type: 'toolCallEnded', call: { ...call }, ...this.#now() });
  }

  violated(violation: Violation): void {
    const { run, log, tell } = this.#ports;
    this.#violations.push(violation);
    if (this.#violations.length <= run.violationsLogged) return; // met again by the replay
    const now = this.#now();
    if (log) {
      const record = violationRecord(violation, run.executionId, run.code, now.at);
      this.#keep(async () => log.append(record));
    }
    tell({ type: 'violated', violation, ...now });
  }

  async result(ending: RunEnding, report?: ConversationReport): Promise<RunResult> {
    const calls = report?.calls ?? [];
    const result: RunResult = {
      executionId: this.#ports.run.executionId,
      logs: this.#logs,
      calls,
      violations: this.#violations,
      usage: report?.usage ?? { wallMs: 0, cpuMs: 0, peakMb: 0, toolCalls: 0 },
      toModelText: () => modelText(ending, { logs: this.#logs, calls }),
      ...ending,
    };
    await this.written(result);
    this.#ports.tell({ type: 'runEnded', status: ending.status, result, ...this.#now() });
    return result;
  }

  /**
   * Waits for the log, so that what a run tried is kept before its caller goes on.
   * @throws {ViolationLogError}
   */
  async written(result?: RunResult): Promise<void> {
    if (this.#writes.length === 0) return;
    try {
      await this.#ports.clock.external(() => Promise.all(this.#writes));
    } catch (cause) {
      throw new ViolationLogError(this.#ports.run.executionId, result, cause);
    }
  }

  #keep(write: () => Promise<void>): void {
    const written = write();
    written.catch(() => undefined); // heard of at the end; until then it must not count as unhandled
    this.#writes.push(written);
  }

  #now(): { executionId: string; at: number } {
    const { run, clock } = this.#ports;
    return { executionId: run.executionId, at: clock.now() };
  }
}
