import type { SetupMessage } from '../protocol/messages.ts';
import { SandboxClosedError, SandboxStartError } from '../errors.ts';
import { Child } from './child.ts';
import { launch, type LaunchPlan, REQUIRED_FLAG, type Spawn } from './launch.ts';
import type { StartupSnapshot } from './startup-snapshot.ts';

export interface PoolOptions {
  spawn: Spawn;
  /** Children kept ready. */
  size: number;
  plan: Omit<LaunchPlan, 'unknownFlags' | 'snapshot'>;
  /** What children start from, once there is one. */
  snapshot?: StartupSnapshot | undefined;
  setup: SetupMessage;
  maxFrameBytes: number;
}

const START_TIMEOUT_MS = 30_000;
const BAD_OPTION = /bad option: (--[\w-]+)/;
/** Failures in a row after which a pool stops trying by itself. */
const MAX_FAILURES = 3;

/** Children that have done all that can be done before a program is known. Each is taken once. */
export class ChildPool {
  readonly #options: PoolOptions;
  readonly #ready: Child[] = [];
  /** Each with the snapshot that it is started from. */
  readonly #starting = new Map<Child, string | undefined>();
  readonly #takers: PromiseWithResolvers<Child>[] = [];
  readonly #unknownFlags = new Set<string>();
  #failures = 0;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** How the next child will be started. */
  get plan(): LaunchPlan {
    const { plan, snapshot } = this.#options;
    return { ...plan, unknownFlags: this.#unknownFlags, snapshot: snapshot?.path };
  }

  /** Where the start-up snapshot is, or why there is none. */
  get snapshotDetails(): string {
    return this.#options.snapshot?.details ?? 'switched off';
  }

  /**
   * A child that is ready and nobody else's.
   * @throws {SandboxStartError} When children do not start on this host.
   * @throws The reason of `signal`, at once, however long a child may still take to start.
   */
  async take(signal?: AbortSignal): Promise<Child> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new SandboxClosedError('The sandbox is closed; make a new one.');
    for (let child = this.#ready.shift(); child; child = this.#ready.shift()) {
      if (child.end) continue; // died while it waited
      child.keepHostAlive(true);
      return child;
    }
    const taker = Promise.withResolvers<Child>();
    this.#takers.push(taker);
    this.#failures = 0;
    this.fill();
    for (const child of this.#starting.keys()) child.keepHostAlive(true);
    const leave = (): void => this.#drop(taker, signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await taker.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Starts as many children as are missing. */
  fill(): void {
    if (this.#isClosed || this.#failures >= MAX_FAILURES) return;
    const wanted = this.#options.size + this.#takers.length;
    while (this.#ready.length + this.#starting.size < wanted) this.#start();
  }

  close(): void {
    this.#isClosed = true;
    for (const child of [...this.#ready, ...this.#starting.keys()]) child.kill();
    this.#ready.length = 0;
    this.#starting.clear();
    for (const taker of this.#takers.splice(0)) {
      taker.reject(new SandboxClosedError('The sandbox was closed before the run could start.'));
    }
  }

  #drop(taker: PromiseWithResolvers<Child>, reason: unknown): void {
    const index = this.#takers.indexOf(taker);
    if (index === -1) return; // it was given a child a moment ago
    this.#takers.splice(index, 1);
    taker.reject(reason);
    if (this.#takers.length > 0) return;
    for (const child of this.#starting.keys()) child.keepHostAlive(false);
  }

  #start(): void {
    const { spawn, setup, maxFrameBytes } = this.#options;
    const { plan } = this;
    const child = new Child(launch(spawn, plan), maxFrameBytes);
    this.#starting.set(child, plan.snapshot);
    const timer = setTimeout(() => {
      child.kill();
      this.#failed(child, `did not answer within ${START_TIMEOUT_MS} ms`);
    }, START_TIMEOUT_MS);
    timer.unref();
    if (this.#takers.length === 0) child.keepHostAlive(false);
    child.listen({
      message: ({ type }) => {
        clearTimeout(timer);
        if (type === 'ready') this.#started(child);
      },
      ended: (end) => {
        clearTimeout(timer);
        this.#failed(child, end.kind === 'exited' ? end.lastWords : end.reason);
      },
    });
    child.send(setup);
  }

  #started(child: Child): void {
    this.#starting.delete(child);
    this.#failures = 0;
    child.listen(undefined);
    void child.usage(); // opens what it reads from, ahead of the run
    const taker = this.#takers.shift();
    if (taker) {
      child.keepHostAlive(true);
      taker.resolve(child);
      return;
    }
    child.keepHostAlive(false);
    this.#ready.push(child);
  }

  #failed(child: Child, lastWords: string): void {
    const snapshot = this.#starting.get(child);
    if (!this.#starting.delete(child) || this.#isClosed) return;
    const [, flag] = BAD_OPTION.exec(lastWords) ?? [];
    if (flag !== undefined && flag !== REQUIRED_FLAG && !this.#unknownFlags.has(flag)) {
      this.#unknownFlags.add(flag); // an older Node: go on without it, and say so in the report
      this.fill();
      return;
    }
    if (snapshot !== undefined) {
      this.#options.snapshot?.giveUp(`a child did not start from it: ${shortened(lastWords)}`);
      this.fill();
      return;
    }
    this.#failures += 1;
    if (this.#failures < MAX_FAILURES) {
      this.fill();
      return;
    }
    const said = shortened(lastWords);
    for (const taker of this.#takers.splice(0)) {
      taker.reject(new SandboxStartError(`A sandbox child did not start: ${said}`));
    }
  }
}

function shortened(words: string): string {
  return words.trim().slice(0, 1_000) || 'it said nothing';
}
