import { describeFailure, type FailureDescription } from '@buddy/core';
import type { Engine } from '../durable/engine.ts';
import { RunFailedError } from '../errors.ts';
import { type Fact, VERDICT_TOPIC, type Verdict } from '../orchestration/facts.ts';
import type { TaskPolicy } from '../orchestration/policy.ts';
import type { RunInput } from '../orchestration/run.ts';
import type { RunHistoryEntry, RunHost } from './run-host.ts';
import type { RunObserver } from './run-observer.ts';

export interface ActiveRunParts {
  host: RunHost;
  observer: RunObserver;
  policy: TaskPolicy;
  engine: Engine;
  waves: readonly number[];
  /** ms since the Unix epoch. */
  startedAt: number;
}

/** A run while it runs: when it is over, and when only people can move it on. */
export class ActiveRun {
  readonly host: RunHost;
  readonly observer: RunObserver;
  readonly policy: TaskPolicy;
  readonly waves: readonly number[];
  readonly startedAt: number;
  cancelReason: string | undefined;
  readonly #engine: Engine;
  /** How many verdicts each workflow that waits has taken. */
  readonly #verdicts = new Map<string, number>();
  /** Workflows that carry out a verdict. */
  readonly #deciding = new Set<string>();
  /** The engine was asked to start it, and has. */
  #isAsked = false;
  #isStarted = false;
  /** Set when it is to be stopped, also while it is being started. */
  #stopReason: string | undefined;
  #hasOnlyWaiting = false;
  #hasEnded = false;
  /** What broke the run itself, as it was thrown. */
  #breakage: { error: unknown } | undefined;
  #failure: RunFailedError | undefined;
  #changed = Promise.withResolvers<void>();

  constructor({ host, observer, policy, engine, waves, startedAt }: ActiveRunParts) {
    this.host = host;
    this.observer = observer;
    this.policy = policy;
    this.waves = waves;
    this.startedAt = startedAt;
    this.#engine = engine;
  }

  /** Whether nothing happens any more unless a person decides. */
  get isStill(): boolean {
    return this.#hasEnded || (this.#hasOnlyWaiting && this.#deciding.size === 0);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether the engine knows of it: one that was cancelled before is not even begun. */
  get wasBegun(): boolean {
    return this.#isAsked;
  }

  isDeciding(parkedId: string): boolean {
    return this.#deciding.has(parkedId);
  }

  async start(input: RunInput): Promise<void> {
    if (this.cancelReason !== undefined) return this.#end(undefined);
    const { runId } = this.policy;
    this.#isAsked = true;
    await this.#engine.start(runId, 'run', input);
    this.#hasStarted();
  }

  /** Goes on with what was restored. */
  async resume(): Promise<void> {
    this.#isAsked = true;
    await this.#engine.open();
    this.#hasStarted();
  }

  #hasStarted(): void {
    this.#isStarted = true;
    if (this.#stopReason !== undefined) this.#stop(this.#stopReason);
    void this.#waitForEnd();
  }

  /** @param at When it was told, in ms since the Unix epoch. */
  onFact(fact: Fact, at: number): void {
    this.#hear(fact, () => this.host.onFact(fact, at));
  }

  /** Goes on where a process before this one was: nobody is told of it again. */
  async restore(entry: RunHistoryEntry): Promise<void> {
    if (entry.kind === 'recorded') return this.host.restoreCall(entry);
    const fact = entry.value;
    this.#hear(fact, () => this.host.restoreFact(fact, entry.at));
  }

  #hear(fact: Fact, tellHost: () => void): void {
    // First, for a listener may decide at once.
    if (fact.kind === 'taskWaiting') this.#deciding.delete(fact.parkedId);
    // Also when nobody decided in time: what follows from that is work like any other.
    if (fact.kind === 'verdictTaken') {
      this.#deciding.add(fact.parkedId);
      this.#verdicts.set(fact.parkedId, (this.#verdicts.get(fact.parkedId) ?? 0) + 1);
    }
    try {
      tellHost();
    } catch (error) {
      this.break(error);
      throw error;
    }
    switch (fact.kind) {
      case 'onlyWaiting':
        this.#hasOnlyWaiting = true;
        this.#announce();
        return;
      case 'verdictDone':
        this.#deciding.delete(fact.parkedId);
        this.#announce();
        return;
      case 'taskWaiting':
        this.#announce();
        return;
      case 'runBegan':
      case 'taskStarted':
      case 'verdictTaken':
      case 'healingEnded':
      case 'attemptEnded':
      case 'taskSettled':
        return;
    }
  }

  /** Stops everything, for the run cannot go on: without this, agents would work on, or wait for each other for ever. */
  break(error: unknown): void {
    if (this.#breakage) return;
    this.#breakage = { error };
    this.#stop(`The run failed: ${describeFailure(error).message}`);
  }

  async decide(parkedId: string, verdict: Verdict): Promise<void> {
    this.#deciding.add(parkedId);
    // Named after the wait that it ends: said twice, also by two processes, it counts once.
    const key = `${parkedId}/${(this.#verdicts.get(parkedId) ?? 0) + 1}`;
    try {
      await this.#engine.signal(parkedId, VERDICT_TOPIC, verdict, { key });
    } catch (error) {
      this.#deciding.delete(parkedId);
      throw error;
    }
  }

  cancel(reason: string): void {
    if (this.#hasEnded || this.cancelReason !== undefined) return;
    this.cancelReason = reason;
    this.#stop(reason);
  }

  /** As `cancel`; resolves when that will not be lost, and rejects when it cannot be kept: then the run goes on. */
  async cancelDurably(reason: string): Promise<void> {
    if (!this.#isStarted) return this.cancel(reason);
    const before = this.cancelReason;
    this.cancelReason = before ?? reason; // first: the run may be over before we hear that it is cancelled
    try {
      await this.#engine.cancel(this.policy.runId, reason);
    } catch (error) {
      this.cancelReason = before;
      throw error;
    }
    this.host.cancel(reason);
  }

  /** Nobody looks after it any more; whoever waits for it hears so. */
  abandon(): void {
    if (this.isStill || !this.#isAsked) return;
    const message = 'the harness was closed before it had ended';
    const code = 'AGENTS_HARNESS_CLOSED';
    this.#end({ name: 'Error', message, code, retryable: false, effect: 'unknown' });
  }

  /** Resolves when nothing happens any more unless a person decides. */
  async standStill(): Promise<void> {
    while (!this.isStill) await this.#changed.promise;
    if (this.#failure) throw this.#failure;
  }

  #stop(reason: string): void {
    this.#stopReason = reason;
    if (!this.#isStarted) return;
    // The host hands nothing out any more once the workflows know why: before, they would not understand it.
    this.#engine.cancel(this.policy.runId, reason).then(
      () => this.host.cancel(reason),
      (error: unknown) => this.#end(describeFailure(error)),
    );
  }

  async #waitForEnd(): Promise<void> {
    try {
      const result = await this.#engine.result(this.policy.runId);
      this.#end(result.kind === 'failed' ? result.failure : undefined);
    } catch (error) {
      this.#end(describeFailure(error));
    }
  }

  #end(failure: FailureDescription | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.host.stopWatching();
    // What broke first says more than what broke in its wake.
    if (this.#breakage) {
      const { error } = this.#breakage;
      this.#failure = new RunFailedError(describeFailure(error), { cause: error });
    } else if (failure) this.#failure = new RunFailedError(failure);
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
