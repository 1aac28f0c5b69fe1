import { type Clock, describeFailure, redactText, type Tool, type ToolContext } from '@buddy/core';
import type { SandboxLimits } from '../options.ts';
import type {
  AnswerOutcome,
  ChildMessage,
  GuestOutcome,
  LogLevel,
  RunMessage,
} from '../protocol/messages.ts';
import { decodePlainData, encodePlainData, type Wire } from '../protocol/plain-data.ts';
import { Journal, type RecordedAnswer } from '../replay/journal.ts';
import type { CallRecord, LimitKind, LogLine, PendingApproval, Usage } from '../run/result.ts';
import type { Violation } from '../violations/violation.ts';
import type { Child, ChildEnd } from './child.ts';
import { Watchdog } from './watchdog.ts';

export interface ConversationOptions {
  child: Child;
  request: RunMessage;
  tools: ReadonlyMap<string, Tool>;
  limits: SandboxLimits;
  clock: Clock;
  /** What a tool is told, but for the signal and the key of the call. */
  context: Omit<ToolContext, 'signal' | 'idempotencyKey'>;
  /** Calls get this, a colon and their number as their idempotency key. */
  keyPrefix: string;
  recorded: readonly RecordedAnswer[];
  signal: AbortSignal | undefined;
  /** How long the child, which was idle, may take to begin; nothing of the run has happened by then. */
  beginTimeoutMs: number;
  observer: ConversationObserver;
}

interface ConversationObserver {
  log(line: LogLine): void;
  violation(violation: Violation): void;
  callStarted(call: CallRecord): void;
  callEnded(call: CallRecord): void;
}

export type ConversationEnding =
  | { kind: 'outcome'; outcome: GuestOutcome; isReusable: boolean }
  | { kind: 'limit'; limit: LimitKind; allowed: number; used: number }
  | { kind: 'paused'; pending: readonly PendingApproval[] }
  | { kind: 'diverged' }
  | { kind: 'violations' }
  | { kind: 'misbehaved'; reason: string }
  | { kind: 'crashed'; reason: string }
  /** The child did not even begin; another one can be tried. */
  | { kind: 'not-started' }
  | { kind: 'aborted' };

export interface ConversationReport {
  ending: ConversationEnding;
  calls: readonly CallRecord[];
  answers: readonly RecordedAnswer[];
  usage: Usage;
}

/** A child of ours keeps these limits by itself; past them, it is not ours any more. */
const TOLERANCE = 4;

interface Question {
  id: number;
  tool: Tool;
  input: unknown;
  text: string;
  record: CallRecord;
}

/** One run, seen from the host: answers the child's questions and ends it when it goes too far. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #journal: Journal;
  readonly #watchdog: Watchdog;
  readonly #abort = new AbortController();
  readonly #calls: CallRecord[] = [];
  readonly #queue: Question[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #pending: PendingApproval[] = [];
  readonly #done = Promise.withResolvers<ConversationEnding>();
  #isOver = false;
  #isFull = false;
  #isPausing = false;
  #hasStarted = false;
  #timers = 0;
  #violations = 0;
  #logBytes = 0;
  #logLines = 0;
  #startedAt = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#journal = new Journal(options.recorded, ({ id, outcome, elapsedMs }) =>
      options.child.send({ type: 'answer', run: options.request.run, id, elapsedMs, outcome }),
    );
    this.#watchdog = new Watchdog(options.child, options.limits, (limit, allowed, used) =>
      this.#end({ kind: 'limit', limit, allowed, used }),
    );
  }

  async hold(): Promise<ConversationReport> {
    const { child, request, signal, clock } = this.#options;
    const abort = (): void => this.#end({ kind: 'aborted' });
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.#startedAt = clock.now();
    const begin = setTimeout(() => {
      if (!this.#hasStarted) this.#end({ kind: 'not-started' });
    }, this.#options.beginTimeoutMs);
    if (!this.#isOver) {
      child.listen({
        message: (message) => this.#hear(message),
        ended: (end) => this.#childEnded(end),
      });
      child.send(request);
      this.#watchdog.start(); // while the child wakes up
    }
    const ending = await this.#done.promise;
    clearTimeout(begin);
    signal?.removeEventListener('abort', abort);
    return {
      ending,
      calls: this.#calls,
      answers: this.#journal.answers,
      usage: { ...this.#watchdog.usage, toolCalls: this.#calls.length },
    };
  }

  #hear(message: ChildMessage): void {
    if (this.#isOver || this.#isPausing) return;
    if (message.type === 'ready') return this.#misbehaved('It said it was ready while it ran');
    if (message.run !== this.#options.request.run) return; // the last words of the run before
    switch (message.type) {
      case 'started':
        if (!this.#hasStarted) this.#watchdog.startWallTime();
        this.#hasStarted = true;
        return;
      case 'call':
        return this.#hearCall(message.id, message.tool, message.input);
      case 'timer':
        return this.#hearTimer(message.id, message.ms);
      case 'log':
        return this.#hearLog(message.level, message.text);
      case 'violation':
        return this.#hearViolation(message.violation);
      case 'done':
        this.#end({
          kind: 'outcome',
          outcome: message.outcome,
          isReusable: message.isIdle && this.#underWay.size === 0,
        });
        return;
    }
  }

  #hearCall(id: number, name: string, wire: Wire): void {
    const { limits, tools, observer } = this.#options;
    const tool = tools.get(name);
    const decoded = decodePlainData(wire, { maxSize: limits.maxArgumentBytes });
    if (!tool) return this.#misbehaved('It called a tool that it was not handed');
    if (!decoded.ok) return this.#misbehaved('It sent an input that is not plain data');
    if (this.#calls.length >= limits.maxToolCalls) {
      this.#end({
        kind: 'limit',
        limit: 'toolCalls',
        allowed: limits.maxToolCalls,
        used: this.#calls.length + 1,
      });
      return;
    }
    const text = `${name} ${JSON.stringify(wire)}`;
    const record: CallRecord = {
      id,
      tool: name,
      input: decoded.value,
      status: 'unanswered',
      error: null,
      durationMs: 0,
      isReplayed: false,
    };
    this.#calls.push(record);
    switch (this.#journal.ask(id, text)) {
      case 'out-of-order':
        return this.#misbehaved('It counted its questions wrong');
      case 'diverged':
        return this.#end({ kind: 'diverged' });
      case 'recorded': {
        record.isReplayed = true;
        const answer = this.#options.recorded.find((known) => known.id === id);
        this.#note(record, answer?.outcome);
        return;
      }
      case 'new':
        observer.callStarted(record);
        this.#queue.push({ id, tool, input: decoded.value, text, record });
        this.#startCalls();
        return;
    }
  }

  #startCalls(): void {
    const { limits, child } = this.#options;
    while (this.#queue.length > 0 && this.#underWay.size < limits.maxToolCallsInFlight) {
      const question = this.#queue.shift();
      if (!question) break;
      const call = this.#call(question).finally(() => {
        this.#underWay.delete(call);
        if (!this.#isOver && !this.#isPausing) this.#startCalls();
      });
      this.#underWay.add(call);
    }
    const isFull = this.#underWay.size >= limits.maxToolCallsInFlight;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    if (isFull) child.pause();
    else child.resume();
  }

  async #call({ id, tool, input, text, record }: Question): Promise<void> {
    const { clock, context, keyPrefix, observer } = this.#options;
    const startedAt = clock.monotonic();
    let outcome: AnswerOutcome | undefined;
    try {
      const output = await tool.execute(input, {
        ...context,
        signal: this.#abort.signal,
        idempotencyKey: `${keyPrefix}:${id}`,
      });
      outcome = this.#outcomeOf(tool.name, output);
    } catch (error) {
      outcome = this.#failureOf(tool.name, error, input, record);
    }
    record.durationMs = clock.monotonic() - startedAt;
    if (outcome) this.#note(record, outcome);
    observer.callEnded(record);
    if (!outcome || this.#isOver) return;
    const elapsedMs = Math.max(0, clock.now() - this.#startedAt);
    if (this.#isPausing) this.#journal.keep(id, text, outcome, elapsedMs);
    else this.#journal.answer(id, text, outcome, elapsedMs);
  }

  #outcomeOf(tool: string, output: unknown): AnswerOutcome {
    const encoded = encodePlainData(output, { maxSize: this.#options.limits.maxArgumentBytes });
    if (encoded.ok) return { ok: true, value: encoded.wire };
    return {
      ok: false,
      name: 'ToolOutputError',
      message: `${tool} was done, but its output's ${encoded.problem.message}`,
      violation: null,
    };
  }

  /** Nothing, when the call waits for a person: then the run is paused. */
  #failureOf(
    tool: string,
    error: unknown,
    input: unknown,
    record: CallRecord,
  ): AnswerOutcome | undefined {
    const { name, message, code } = describeFailure(error);
    const approvalId: unknown =
      code === 'CORE_APPROVAL_REQUIRED' ? Reflect.get(Object(error), 'approvalId') : undefined;
    if (typeof approvalId === 'string') {
      record.status = 'approval-required';
      this.#pending.push({ tool, input, approvalId });
      this.#pause();
      return undefined;
    }
    const said = redactText(message).slice(0, this.#options.limits.maxErrorChars);
    const isDenied = code === 'CORE_TOOL_DENIED';
    const violation: Violation | null = isDenied
      ? { type: 'TOOL_DENIED', details: said.slice(0, 1_000), line: null }
      : null;
    if (violation && !this.#isOver) this.#hearViolation(violation);
    return { ok: false, name: name.slice(0, 64), message: said, violation };
  }

  #note(record: CallRecord, outcome: AnswerOutcome | undefined): void {
    if (!outcome) return;
    if (outcome.ok) {
      record.status = 'ok';
      return;
    }
    record.status = outcome.violation ? 'denied' : 'error';
    record.error = outcome.message;
  }

  /** Stops the child at once, and waits for the calls that are under way: they happen, so they have to be on the record. */
  #pause(): void {
    if (this.#isPausing || this.#isOver) return;
    this.#isPausing = true;
    this.#options.child.kill();
    setImmediate(() => {
      void Promise.allSettled(this.#underWay).then(() =>
        this.#end({ kind: 'paused', pending: this.#pending }),
      );
    });
  }

  #hearTimer(id: number, ms: number): void {
    const { limits, clock } = this.#options;
    this.#timers += 1;
    const allowed = Math.max(1, limits.maxTimers) * TOLERANCE;
    if (this.#timers > allowed) {
      this.#end({ kind: 'limit', limit: 'timers', allowed, used: this.#timers });
      return;
    }
    const text = `timer ${ms}`;
    switch (this.#journal.ask(id, text)) {
      case 'out-of-order':
        return this.#misbehaved('It counted its questions wrong');
      case 'diverged':
        return this.#end({ kind: 'diverged' });
      case 'recorded':
        this.#timers -= 1;
        return;
      case 'new': {
        const dueMs = Math.max(0, clock.now() - this.#startedAt) + ms;
        void this.#sleep(id, text, ms, dueMs);
        return;
      }
    }
  }

  async #sleep(id: number, text: string, ms: number, dueMs: number): Promise<void> {
    const isAborted = await wait(ms, this.#abort.signal);
    this.#timers -= 1;
    if (isAborted || this.#isOver || this.#isPausing) return;
    this.#journal.answer(id, text, { ok: true, value: null }, dueMs);
  }

  #hearLog(level: LogLevel, text: string): void {
    const { limits, observer } = this.#options;
    this.#logBytes += text.length;
    this.#logLines += 1;
    if (
      this.#logLines > limits.maxLogLines * TOLERANCE + 100 ||
      this.#logBytes > limits.maxLogBytes * TOLERANCE + 4_096
    ) {
      this.#end({
        kind: 'limit',
        limit: 'output',
        allowed: limits.maxLogBytes,
        used: this.#logBytes,
      });
      return;
    }
    observer.log({ level, text });
  }

  #hearViolation(violation: Violation): void {
    this.#violations += 1;
    this.#options.observer.violation(violation);
    if (this.#violations >= this.#options.limits.maxViolations) this.#end({ kind: 'violations' });
  }

  #childEnded(end: ChildEnd): void {
    if (end.kind === 'misbehaved') return this.#misbehaved(end.reason);
    const { limits } = this.#options;
    const { cpuMs, peakMb } = this.#watchdog.usage;
    const words = end.lastWords;
    if (/out of memory|allocation failed|heap limit/i.test(words)) {
      this.#end({
        kind: 'limit',
        limit: 'memory',
        allowed: limits.memoryMb,
        used: Math.max(peakMb, limits.memoryMb),
      });
    } else if (end.signal === 'SIGXCPU' || end.code === 128 + 24) {
      this.#end({
        kind: 'limit',
        limit: 'cpu',
        allowed: limits.cpuMs,
        used: Math.max(cpuMs, limits.cpuMs),
      });
    } else {
      this.#end({
        kind: 'crashed',
        reason: `the process ended with ${end.signal ?? `code ${end.code}`}`,
      });
    }
  }

  #misbehaved(reason: string): void {
    this.#end({ kind: 'misbehaved', reason });
  }

  #end(ending: ConversationEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watchdog.stop();
    const { child } = this.#options;
    if (ending.kind === 'outcome') child.listen(undefined);
    else child.kill();
    if (this.#underWay.size > 0 || this.#timers > 0) {
      this.#abort.abort(new DOMException('The run that made this call has ended', 'AbortError'));
    }
    this.#done.resolve(ending);
  }
}

/** Whether it was aborted. In real time whatever the clock: a guest lives in real time. */
function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const abort = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve(false);
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
