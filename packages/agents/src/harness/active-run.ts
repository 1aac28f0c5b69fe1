import type { Engine } from '../durable/engine.ts';
import { RunFailedError } from '../errors.ts';
import { type Fact, VERDICT_TOPIC, type Verdict } from '../orchestration/facts.ts';
import type { TaskPolicy } from '../orchestration/policy.ts';
import type { RunInput } from '../orchestration/run.ts';
import type { RunHost } from './run-host.ts';
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
  #verdicts = 0;
  /** Workflows that carry out a verdict. */
  readonly #deciding = new Set<string>();
  #hasOnlyWaiting = false;
  #hasEnded = false;
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

  async start(input: RunInput): Promise<void> {
    const { runId } = this.policy;
    await this.#engine.start(runId, 'run', input);
    void this.#engine.result(runId).then((result) => {
      this.#hasEnded = true;
      if (result.kind === 'failed') this.#failure = new RunFailedError(result.failure);
      this.#announce();
    });
  }

  onFact(fact: Fact): void {
    this.host.onFact(fact);
    switch (fact.kind) {
      case 'onlyWaiting':
        this.#hasOnlyWaiting = true;
        this.#announce();
        return;
      case 'taskWaiting':
      case 'verdictDone':
        this.#deciding.delete(fact.parkedId);
        this.#announce();
        return;
      case 'taskStarted':
      case 'attemptEnded':
      case 'taskSettled':
        return;
    }
  }

  async decide(parkedId: string, verdict: Verdict): Promise<void> {
    this.#deciding.add(parkedId);
    this.#verdicts += 1;
    const key = `${parkedId}/${this.#verdicts}`;
    await this.#engine.signal(parkedId, VERDICT_TOPIC, verdict, { key });
  }

  async cancel(reason: string): Promise<void> {
    this.cancelReason ??= reason;
    this.host.cancel(reason);
    await this.#engine.cancel(this.policy.runId, reason);
  }

  /** Resolves when nothing happens any more unless a person decides. */
  async standStill(): Promise<void> {
    while (!this.#hasEnded && !(this.#hasOnlyWaiting && this.#deciding.size === 0)) {
      await this.#changed.promise;
    }
    if (this.#failure) throw this.#failure;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
