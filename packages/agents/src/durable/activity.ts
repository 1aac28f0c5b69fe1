import { hash } from 'node:crypto';
import {
  type Clock,
  createRedactor,
  describeFailure,
  type FailureDescription,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import type { Deadline, Deadlines, Watch } from './deadlines.ts';
import type { ActivityCall, ActivityResult } from './durable-context.ts';

/** What an activity needs of the engine that runs it. */
export interface ActivityHost {
  clock: Clock;
  deadlines: Deadlines;
  /** Where to leave a way to interrupt it; undefined when it must not be interrupted. */
  interrupts: Set<Interruptible> | undefined;
  /** Set when it was cancelled before it began. */
  cancelReason: string | undefined;
}

/** What a workflow has in flight. */
export interface Interruptible {
  interrupt(reason: string): void;
}

/** The key under which a provider knows a piece of work, whichever attempt or process asks. */
export function idempotencyKey(work: string): string {
  return hash('sha256', work);
}

/** Calls a tool once and says what came of it: exactly once, also when the tool never answers. */
export function performActivity<Value>(
  call: ActivityCall,
  tool: Tool | undefined,
  host: ActivityHost,
  onEnded: (result: ActivityResult<Value>) => void,
): void {
  new RunningActivity(call, host, onEnded).start(tool);
}

/** One object for all that a call needs while it runs: thousands run one after the other, and most do nothing but answer. */
class RunningActivity<Value> implements Deadline {
  dueAt = 0;
  readonly #call: ActivityCall;
  readonly #host: ActivityHost;
  readonly #onEnded: (result: ActivityResult<Value>) => void;
  readonly #startedAt: number;
  readonly #begun: number;
  #context: ActivityContext | undefined;
  #isOver = false;
  #watch: Watch | undefined;

  constructor(
    call: ActivityCall,
    host: ActivityHost,
    onEnded: (result: ActivityResult<Value>) => void,
  ) {
    this.#call = call;
    this.#host = host;
    this.#onEnded = onEnded;
    this.#startedAt = host.clock.now();
    this.#begun = host.clock.monotonic();
  }

  start(tool: Tool | undefined): void {
    const { cancelReason, interrupts, deadlines } = this.#host;
    if (cancelReason !== undefined) return this.interrupt(cancelReason);
    if (!tool) return this.#finish({ kind: 'failed', failure: unknownTool(this.#call.tool) });
    this.#context = new ActivityContext(this.#call);
    interrupts?.add(this);
    const { timeoutMs } = this.#call;
    if (timeoutMs !== undefined) this.#watch = deadlines.watch(timeoutMs, this);
    const onError = (error: unknown) => this.#finish(failed(error));
    try {
      tool
        .execute(this.#call.input, this.#context)
        .then((value) => this.#finish({ kind: 'succeeded', value: value as Value }), onError);
    } catch (error) {
      onError(error);
    }
  }

  interrupt(reason: string): void {
    const effect = this.#context ? 'unknown' : 'none';
    this.#giveUp('cancelled', interrupted('CANCELLED', reason, effect));
  }

  expire(): void {
    const message = `No answer within ${this.#call.timeoutMs} ms`;
    this.#giveUp('timed_out', interrupted('TIMED_OUT', message, 'unknown'));
  }

  #giveUp(kind: 'timed_out' | 'cancelled', failure: FailureDescription): void {
    this.#finish({ kind, failure });
    if (this.#context) ActivityContext.abort(this.#context, failure);
  }

  #finish(result: Outcome<Value>): void {
    if (this.#isOver) return; // a result after a timeout: there is nobody to tell
    this.#isOver = true;
    this.#watch?.remove(this);
    this.#host.interrupts?.delete(this);
    // By what the clock counts: it may have been set meanwhile, and how long calls take is learnt from.
    const tookMs = Math.round(this.#host.clock.monotonic() - this.#begun);
    const startedAt = this.#startedAt;
    this.#onEnded({ ...result, startedAt, endedAt: startedAt + tookMs });
  }
}

type WithoutTimes<Result> = Result extends unknown ? Omit<Result, 'startedAt' | 'endedAt'> : never;
type Outcome<Value> = WithoutTimes<ActivityResult<Value>>;

/**
 * What a tool is told. Signal and key are made when it looks at them: most never do. A class, for getters of an object literal
 * would give every context a shape of its own in V8.
 */
class ActivityContext implements ToolContext {
  readonly actor: ToolContext['actor'];
  readonly rationale: string;
  readonly attempt: number;
  declare readonly runId?: string;
  declare readonly taskId?: string;
  readonly #work: string;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(call: ActivityCall) {
    this.actor = call.actor;
    this.rationale = call.rationale;
    this.attempt = call.attempt;
    if (call.runId !== undefined) this.runId = call.runId;
    if (call.taskId !== undefined) this.taskId = call.taskId;
    this.#work = call.work;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get idempotencyKey(): string {
    return idempotencyKey(this.#work);
  }

  static abort(context: ActivityContext, failure: FailureDescription): void {
    context.#reason = Object.assign(new Error(failure.message), { code: failure.code });
    context.#controller?.abort(context.#reason);
  }
}

/**
 * An error's words go into files, events and reports, and may hold what a provider was called with. Random-looking words
 * stay: they are ids more often than keys, and the ids are what one looks for.
 */
const { redactText } = createRedactor({ genericKeys: false });

function failed<Value>(error: unknown): Outcome<Value> {
  const said = describeFailure(error);
  const failure = { ...said, message: redactText(said.message) };
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
