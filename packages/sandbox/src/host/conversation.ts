import type { Clock, Tool, ToolContext } from '@buddy/core';
import type { SandboxLimits } from '../options.ts';
import type { ChildMessage, GuestOutcome, LogLevel, RunMessage } from '../protocol/messages.ts';
import { Journal, type RecordedAnswer, type WaitingQuestion } from '../replay/journal.ts';
import type { CallRecord, LimitKind, LogLine, PendingApproval, Usage } from '../run/result.ts';
import type { Violation } from '../violations/violation.ts';
import type { Child } from './child.ts';
import { endingOfChild } from './end-of-child.ts';
import { GuestTimers } from './guest-timers.ts';
import { ToolCalls } from './tool-calls.ts';
import { Turns } from './turns.ts';
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
  /** What waited for a person when the run was paused. */
  waited: readonly WaitingQuestion[];
  /** The line of the guest's own code for one of the prepared source; null where there is none. */
  lineOf: (line: number | null) => number | null;
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
  waiting: readonly WaitingQuestion[];
  usage: Usage;
}

/** A child of ours keeps these limits by itself; past them, it is not ours any more. */
const TOLERANCE = 4;

/** One run, seen from the host: hears the child out and ends it when it goes too far. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #journal: Journal;
  readonly #watchdog: Watchdog;
  readonly #calls: ToolCalls;
  readonly #timers: GuestTimers;
  readonly #turns: Turns;
  readonly #abort = new AbortController();
  readonly #done = Promise.withResolvers<ConversationEnding>();
  #isOver = false;
  #isPausing = false;
  #hasStarted = false;
  #violations = 0;
  #logBytes = 0;
  #logLines = 0;
  #startedAt = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const { child, request, limits, clock, observer } = options;
    this.#turns = new Turns(clock);
    const { recorded, waited } = options;
    this.#journal = new Journal({ recorded, waiting: waited }, ({ id, outcome, elapsedMs }) =>
      this.#turns.give(() =>
        child.send({ type: 'answer', run: request.run, id, elapsedMs, outcome }),
      ),
    );
    const inTurn = (act: () => void): void => this.#turns.afterwards(act);
    this.#watchdog = new Watchdog(child, limits, (limit, allowed, used) =>
      // Before the program has begun, it is what the run before left behind in a kept child that uses all this.
      this.#end(
        this.#hasStarted ? { kind: 'limit', limit, allowed, used } : { kind: 'not-started' },
      ),
    );
    const elapsedMs = (): number => Math.max(0, clock.now() - this.#startedAt);
    this.#calls = new ToolCalls({
      tools: options.tools,
      limits,
      clock,
      context: { ...options.context, signal: this.#abort.signal },
      keyPrefix: options.keyPrefix,
      journal: this.#journal,
      recorded,
      lineOf: options.lineOf,
      elapsedMs,
      inTurn,
      setFull: (isFull) => (isFull ? child.pause() : child.resume()),
      approvalNeeded: () => inTurn(() => this.#pause()),
      denied: (violation) => this.#hearViolation(violation),
      exceeded: (ending) => this.#end(ending),
      started: (call) => observer.callStarted(call),
      ended: (call) => observer.callEnded(call),
    });
    this.#timers = new GuestTimers({
      allowed: Math.max(1, limits.maxTimers) * TOLERANCE,
      journal: this.#journal,
      signal: this.#abort.signal,
      clock,
      elapsedMs,
      inTurn,
    });
  }

  async hold(): Promise<ConversationReport> {
    const { child, request, limits, signal, clock } = this.#options;
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
        ended: (end) => this.#end(endingOfChild(end, limits, this.#watchdog.usage)),
      });
      this.#turns.give(() => child.send({ ...request, tellsRest: this.#turns.isTaken }));
      this.#watchdog.start(); // while the child wakes up
    }
    const ending = await this.#done.promise;
    await this.#turns.over();
    clearTimeout(begin);
    signal?.removeEventListener('abort', abort);
    const calls = this.#calls.records;
    return {
      ending,
      calls,
      answers: this.#journal.answers,
      waiting: this.#journal.waiting,
      usage: { ...this.#watchdog.usage, toolCalls: calls.length },
    };
  }

  #hear(message: ChildMessage): void {
    if (this.#isOver || this.#isPausing) return;
    if (message.type === 'ready') return this.#misbehaved('It said it was ready while it ran');
    if (message.run !== this.#options.request.run) return; // the last words of the run before
    switch (message.type) {
      case 'started':
        if (this.#hasStarted) return this.#misbehaved('It began twice');
        this.#hasStarted = true;
        return this.#watchdog.startWallTime();
      case 'call':
        return this.#endIf(this.#calls.hear(message));
      case 'timer':
        return this.#endIf(this.#timers.hear(message.id, message.ms));
      case 'rested':
        return this.#turns.end();
      case 'log':
        return this.#hearLog(message.level, message.text);
      case 'violation':
        return this.#hearViolation({
          ...message.violation,
          line: this.#options.lineOf(message.violation.line),
        });
      case 'done': {
        const isReusable = message.isIdle && this.#calls.underWay === 0;
        return this.#end({ kind: 'outcome', outcome: message.outcome, isReusable });
      }
    }
  }

  #hearLog(level: LogLevel, text: string): void {
    const { limits, observer } = this.#options;
    this.#logBytes += text.length;
    this.#logLines += 1;
    if (
      this.#logLines > limits.maxLogLines * TOLERANCE + 100 ||
      this.#logBytes > limits.maxLogBytes * TOLERANCE + 4_096
    ) {
      const allowed = limits.maxLogBytes;
      return this.#end({ kind: 'limit', limit: 'output', allowed, used: this.#logBytes });
    }
    observer.log({ level, text });
  }

  #hearViolation(violation: Violation): void {
    this.#violations += 1;
    this.#options.observer.violation(violation);
    if (this.#violations >= this.#options.limits.maxViolations) this.#end({ kind: 'violations' });
  }

  /** Stops the child at once, and waits for the calls that are under way. */
  #pause(): void {
    if (this.#isPausing || this.#isOver) return;
    this.#isPausing = true;
    this.#options.child.kill();
    this.#timers.close();
    void this.#drain();
  }

  async #drain(): Promise<void> {
    await this.#calls.drain();
    this.#end({ kind: 'paused', pending: this.#calls.pending });
  }

  #misbehaved(reason: string): void {
    this.#end({ kind: 'misbehaved', reason });
  }

  #endIf(ending: ConversationEnding | undefined): void {
    if (ending) this.#end(ending);
  }

  #end(ending: ConversationEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watchdog.stop();
    const { child } = this.#options;
    if (ending.kind === 'outcome') child.listen(undefined);
    else child.kill();
    this.#calls.close();
    this.#timers.close();
    this.#turns.afterwards(() => {
      if (this.#calls.underWay === 0 && this.#timers.waiting === 0) return;
      this.#abort.abort(new DOMException('The run that made this call has ended', 'AbortError'));
    });
    this.#turns.end();
    this.#done.resolve(ending);
  }
}
