import { hash } from 'node:crypto';
import {
  type Clock,
  describeFailure,
  type FailureDescription,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import type { Deadlines } from './deadlines.ts';
import type { ActivityCall, ActivityResult } from './durable-context.ts';

/** What an activity needs of the engine that runs it. */
export interface ActivityHost {
  clock: Clock;
  deadlines: Deadlines;
  /** Where to leave a way to interrupt it; undefined when it must not be interrupted. */
  interrupts: Set<(reason: string) => void> | undefined;
  /** Set when it was cancelled before it began. */
  cancelReason: string | undefined;
}

/** The key under which a provider knows a piece of work, whichever attempt or process asks. */
export function idempotencyKey(work: string): string {
  return hash('sha256', work);
}

/** Calls a tool once and says what came of it; resolves also when the tool never answers. */
export function performActivity<Value>(
  call: ActivityCall,
  tool: Tool | undefined,
  { clock, deadlines, interrupts, cancelReason }: ActivityHost,
): Promise<ActivityResult<Value>> {
  const startedAt = clock.now();
  return new Promise((resolve) => {
    let signal: LazySignal | undefined;
    let inTime: (() => void) | undefined;
    const finish = (result: Outcome<Value>) => {
      inTime?.();
      interrupts?.delete(interrupt);
      resolve({ ...result, startedAt, endedAt: clock.now() });
    };
    const giveUp = (kind: 'timed_out' | 'cancelled', failure: FailureDescription) => {
      finish({ kind, failure });
      signal?.abort(failure);
    };
    const interrupt = (reason: string) =>
      giveUp('cancelled', interrupted('CANCELLED', reason, signal ? 'unknown' : 'none'));
    if (cancelReason !== undefined) return interrupt(cancelReason);
    if (!tool) return finish({ kind: 'failed', failure: unknownTool(call.tool) });
    signal = new LazySignal();
    interrupts?.add(interrupt);
    const { timeoutMs } = call;
    if (timeoutMs !== undefined) {
      inTime = deadlines.watch(timeoutMs, () =>
        giveUp(
          'timed_out',
          interrupted('TIMED_OUT', `No answer within ${timeoutMs} ms`, 'unknown'),
        ),
      );
    }
    // A result that comes after a timeout finds its promise resolved; there is nobody to tell.
    callTool(tool, call, signal).then(
      (value) => finish({ kind: 'succeeded', value: value as Value }),
      (error: unknown) => finish(failed(error)),
    );
  });
}

type WithoutTimes<Result> = Result extends unknown ? Omit<Result, 'startedAt' | 'endedAt'> : never;
type Outcome<Value> = WithoutTimes<ActivityResult<Value>>;

async function callTool(tool: Tool, call: ActivityCall, signal: LazySignal): Promise<unknown> {
  return tool.execute(call.input, contextOf(call, signal));
}

/** Signal and key are made when a tool looks at them: most never do. */
function contextOf(call: ActivityCall, signal: LazySignal): ToolContext {
  return {
    get signal() {
      return signal.signal;
    },
    get idempotencyKey() {
      return idempotencyKey(call.work);
    },
    actor: call.actor,
    rationale: call.rationale,
    attempt: call.attempt,
    ...(call.runId !== undefined && { runId: call.runId }),
    ...(call.taskId !== undefined && { taskId: call.taskId }),
  };
}

class LazySignal {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(failure: FailureDescription): void {
    this.#reason = Object.assign(new Error(failure.message), { code: failure.code });
    this.#controller?.abort(this.#reason);
  }
}

function failed<Value>(error: unknown): Outcome<Value> {
  const failure = describeFailure(error);
  switch (failure.code) {
    case 'CORE_TOOL_DENIED':
      return { kind: 'denied', failure };
    case 'CORE_APPROVAL_REQUIRED':
      return { kind: 'approval_required', approvalId: approvalIdOf(error), failure };
    default:
      return { kind: 'failed', failure };
  }
}

function approvalIdOf(error: unknown): string {
  const id =
    typeof error === 'object' && error !== null && 'approvalId' in error && error.approvalId;
  return typeof id === 'string' ? id : '';
}

function interrupted(
  code: string,
  message: string,
  effect: FailureDescription['effect'],
): FailureDescription {
  return { name: 'InterruptedError', message, code, retryable: code === 'TIMED_OUT', effect };
}

function unknownTool(name: string): FailureDescription {
  return {
    name: 'UnknownToolError',
    message: `No tool is named ${name}`,
    code: 'AGENTS_UNKNOWN_TOOL',
    retryable: false,
    effect: 'none',
  };
}
