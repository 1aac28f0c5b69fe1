import type { Bot } from '../bot/bot.ts';
import { type Breach, LimitWatch, type UsageSample } from '../limits/limit-watch.ts';
import type { BotSigns } from '../probe/bot-signs.ts';
import { watchLiveness } from '../probe/liveness.ts';
import { untilReady } from '../probe/readiness.ts';
import { endTree } from '../process/end-tree.ts';
import type { ProcessEnd, ProcessTree, TreeUsage } from '../process/processes.ts';
import type { BotPorts } from './ports.ts';

/** What made a bot's process end, or makes us end it. */
export type Cause =
  | { readonly kind: 'exited'; readonly end: ProcessEnd }
  | { readonly kind: 'requested' }
  | { readonly kind: 'not_ready' | 'not_alive'; readonly reason: string }
  | { readonly kind: 'limit_exceeded'; readonly breach: Breach };

export interface Ended {
  readonly cause: Cause;
  /** Undefined when not even SIGKILL has ended its first process. */
  readonly end: ProcessEnd | undefined;
  readonly stuckPids: readonly number[];
}

export interface BotRunListener {
  ready(afterMs: number): void;
  degraded(reason: string): void;
  recovered(): void;
  /** Right before it is asked to end, which waits for nobody. */
  ending(cause: Cause): void;
}

export interface BotRunOptions {
  readonly bot: Bot;
  readonly tree: ProcessTree;
  readonly signs: BotSigns;
  /** An adopted one has no line to its supervisor any more. */
  readonly isAdopted: boolean;
  readonly stopSignal: AbortSignal;
}

/** One process tree of a bot, from its start to its end. */
export class BotRun {
  readonly tree: ProcessTree;
  readonly #options: BotRunOptions;
  readonly #ports: BotPorts;
  readonly #listener: BotRunListener;
  readonly #limits: LimitWatch;
  readonly #cause = Promise.withResolvers<Cause>();
  readonly #over = new AbortController();
  #isAbandoned = false;

  constructor(options: BotRunOptions, ports: BotPorts, listener: BotRunListener) {
    this.tree = options.tree;
    this.#options = options;
    this.#ports = ports;
    this.#listener = listener;
    this.#limits = new LimitWatch(options.bot.deployment.limits);
  }

  /** Watches it until it ends, or has to; then until nothing of its tree is left. */
  async untilGone(): Promise<Ended> {
    const { stopSignal } = this.#options;
    const stop = () => this.#cause.resolve({ kind: 'requested' });
    stopSignal.addEventListener('abort', stop, { once: true });
    if (stopSignal.aborted) stop();
    void this.tree.exited.then((end) => this.#cause.resolve({ kind: 'exited', end }));
    void this.#watch();
    const cause = await this.#cause.promise;
    if (this.#isAbandoned) return new Promise(() => undefined);
    this.#over.abort();
    stopSignal.removeEventListener('abort', stop);
    this.#listener.ending(cause);
    return this.#end(cause);
  }

  /** Looks at it no more; `untilGone` then stays open for ever. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#over.abort();
  }

  /** What it uses now. */
  observe(usage: TreeUsage): void {
    const { clock } = this.#ports;
    const breach = this.#limits.observe(usage, clock.monotonic(), clock.now());
    if (breach) this.#cause.resolve({ kind: 'limit_exceeded', breach });
  }

  get usage(): UsageSample | undefined {
    return this.#limits.latest;
  }

  async #watch(): Promise<void> {
    try {
      const cause = await this.#untilTrouble();
      if (cause) this.#cause.resolve(cause);
    } catch (error) {
      if (this.#over.signal.aborted) return; // it is over, and so is the watch
      this.#ports.logger.error({ err: error, bot: this.#options.bot.id }, 'A watch has failed');
      this.#cause.resolve({ kind: 'not_alive', reason: `it cannot be watched: ${String(error)}` });
    }
  }

  async #untilTrouble(): Promise<Cause | undefined> {
    const { bot, signs, isAdopted } = this.#options;
    const { readiness, liveness } = bot.deployment;
    const ports = { ...this.#ports, signs, signal: this.#over.signal };
    const isReady = isAdopted && (bot.status !== 'starting' || !isProbed(readiness.kind));
    if (!isReady) {
      const startedAt = ports.clock.monotonic();
      const problem = await untilReady(readiness, ports);
      if (this.#over.signal.aborted) return undefined;
      if (problem !== undefined) return { kind: 'not_ready', reason: problem };
      this.#listener.ready(Math.round(ports.clock.monotonic() - startedAt));
    } else if (bot.status === 'starting') {
      this.#listener.ready(0);
    }
    if (!liveness || (isAdopted && !isProbed(liveness.kind))) return undefined;
    signs.lastAliveAt = ports.clock.monotonic();
    return { kind: 'not_alive', reason: await watchLiveness(liveness, ports, this.#listener) };
  }

  async #end(cause: Cause): Promise<Ended> {
    const { clock } = this.#ports;
    const stuckPids = await endTree(this.tree, {
      graceMs: this.#options.bot.deployment.stopGraceMs,
      monotonic: () => clock.monotonic(),
      sleep: (ms) => clock.sleep(ms),
    });
    const isStuck = stuckPids.includes(this.tree.identity.pid);
    const end = isStuck ? undefined : await clock.external(() => this.tree.exited);
    this.tree.release();
    return { cause, end, stuckPids };
  }
}

/** What anybody can see from outside, after a restart of the supervisor too. */
function isProbed(kind: string): boolean {
  return kind === 'http' || kind === 'tcp';
}
