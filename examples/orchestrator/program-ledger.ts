import type { Output, ReportSection } from '@buddy/agents';
import type { ToolContext } from '@buddy/core';
import type {
  LimitReached,
  RunResult,
  Violation,
  ViolationLog,
  ViolationRecord,
} from '@buddy/sandbox';

const VIOLATIONS_FILE = 'violations.jsonl';
export const USAGE_FILE = 'state/sandbox_usage.jsonl';

type Status = RunResult['status'];

/** How the programs of a job came out. */
export interface ProgramCounts {
  runs: Readonly<Record<Status, number>>;
  violations: number;
}

/** What one program used, as it is kept: measured, and so never the same twice. */
export interface UsageRecord {
  execution_id: string;
  task_id: string;
  status: Status;
  wall_ms: number;
  cpu_ms: number;
  peak_mb: number;
  tool_calls: number;
}

/**
 * Keeps the books of what programs did: violations in a file of the run, a section for its report, and what was measured.
 *
 * A sandbox tells of violations as they happen, in whatever order its processes come to them. They are written when the
 * harness's clock has come to the end of the run, which is the same order in every job.
 */
export class ProgramLedger implements ViolationLog {
  readonly usage: UsageRecord[] = [];
  readonly #output: Output;
  readonly #limits: { wallMs: number; cpuMs: number; memoryMb: number };
  readonly #unwritten = new Map<string, ViolationRecord[]>();
  readonly #runs: Record<Status, number> = { ok: 0, error: 0, violation: 0, limit: 0, paused: 0 };
  readonly #pausedIds = new Set<string>();
  readonly #violations: { taskId: string; violation: Violation }[] = [];
  readonly #limitsReached: { taskId: string; limit: LimitReached }[] = [];

  constructor(output: Output, limits: { wallMs: number; cpuMs: number; memoryMb: number }) {
    this.#output = output;
    this.#limits = limits;
  }

  get counts(): ProgramCounts {
    return { runs: { ...this.#runs }, violations: this.#violations.length };
  }

  append(record: ViolationRecord): void {
    const known = this.#unwritten.get(record.execution_id);
    if (known) known.push(record);
    else this.#unwritten.set(record.execution_id, [record]);
  }

  note({ result, context }: { result: RunResult; context: ToolContext }): void {
    const { executionId, status } = result;
    const { taskId = '' } = context;
    this.#write(executionId, taskId);
    this.usage.push(usageRecord(result, taskId));
    if (this.#pausedIds.delete(executionId)) this.#runs.paused -= 1;
    this.#runs[status] += 1;
    if (status === 'paused') {
      this.#pausedIds.add(executionId);
      return; // when it goes on, it is told of all that it met
    }
    for (const violation of result.violations) this.#violations.push({ taskId, violation });
    if (status === 'limit') this.#limitsReached.push({ taskId, limit: result.limit });
  }

  /** Writes what programs did that were stopped with the job. */
  close(): void {
    for (const executionId of this.#unwritten.keys()) this.#write(executionId, null);
  }

  /** For the report; none when no program ran. */
  sections(): ReportSection[] {
    const { wallMs, cpuMs, memoryMb } = this.#limits;
    const ran = ENDINGS.filter(([status]) => this.#runs[status] > 0);
    if (ran.length === 0) return [];
    const violations = this.#violations;
    return [
      {
        title: 'Code in the sandbox',
        nextStep:
          violations.length === 0
            ? null
            : `Look at what programs did that they may not: ${counted(violations.length, 'violation')}, in phase21/${VIOLATIONS_FILE}.`,
        parts: [
          {
            kind: 'text',
            text:
              `Each program ran in a process of its own, with nothing but its tools, for at most ${cpuMs} ms of processor ` +
              `time, ${wallMs / 1_000} s in all, and ${memoryMb} MB. What each used is in ${USAGE_FILE}.`,
          },
          {
            kind: 'table',
            columns: ['how programs ended', { number: 'programs' }],
            rows: ran.map(([status, text]) => [text, String(this.#runs[status])]),
            file: null,
          },
          {
            kind: 'table',
            columns: [
              { name: 'violation' },
              { name: 'task' },
              { number: 'line' },
              'what was tried',
            ],
            rows: violations.map(({ taskId, violation: { type, details, line } }) => [
              type,
              taskId,
              line === null ? '–' : String(line),
              details,
            ]),
            file: VIOLATIONS_FILE,
          },
          {
            kind: 'table',
            columns: ['limit reached', { number: 'allowed' }, { name: 'task' }],
            rows: this.#limitsReached.map(({ taskId, limit: { kind, allowed } }) => [
              kind,
              `${allowed}${UNITS[kind] ?? ''}`,
              taskId,
            ]),
            file: null,
          },
        ],
      },
    ];
  }

  #write(executionId: string, taskId: string | null): void {
    for (const record of this.#unwritten.get(executionId) ?? []) {
      this.#output.append(`phase21/${VIOLATIONS_FILE}`, { task_id: taskId, ...record });
    }
    this.#unwritten.delete(executionId);
  }
}

const ENDINGS: readonly (readonly [Status, string])[] = [
  ['ok', 'with a value'],
  ['error', 'with an error'],
  ['violation', 'stopped for what they tried'],
  ['limit', 'stopped at a limit'],
  ['paused', 'waiting for a person'],
];

const UNITS: Readonly<Partial<Record<LimitReached['kind'], string>>> = {
  wall: ' ms',
  cpu: ' ms',
  memory: ' MB',
};

function usageRecord({ executionId, status, usage }: RunResult, taskId: string): UsageRecord {
  return {
    execution_id: executionId,
    task_id: taskId,
    status,
    wall_ms: Math.round(usage.wallMs),
    cpu_ms: Math.round(usage.cpuMs),
    peak_mb: usage.peakMb,
    tool_calls: usage.toolCalls,
  };
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
