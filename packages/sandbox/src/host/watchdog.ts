import type { SandboxLimits } from '../options.ts';
import type { LimitKind } from '../run/result.ts';
import type { Child } from './child.ts';
import { hasProc, type ProcessUsage } from './process-usage.ts';

const PROC_POLL_MS = 10;
/** `ps` is a process of its own each time. */
const PS_POLL_MS = 100;

export type LimitListener = (kind: LimitKind, allowed: number, used: number) => void;

/**
 * Looks from outside at what a run uses. In real time, whatever the clock: these are bounds on a real process, and no
 * setting of a test's clock may suspend them.
 */
export class Watchdog {
  readonly #child: Child;
  readonly #limits: SandboxLimits;
  readonly #reached: LimitListener;
  #startedAt = performance.now();
  #wallTimer: NodeJS.Timeout | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #first: ProcessUsage | undefined;
  #peakMb = 0;
  #cpuMs = 0;
  #wallMs = 0;

  constructor(child: Child, limits: SandboxLimits, reached: LimitListener) {
    this.#child = child;
    this.#limits = limits;
    this.#reached = reached;
  }

  get usage(): { wallMs: number; cpuMs: number; peakMb: number } {
    return { wallMs: this.#wallMs, cpuMs: this.#cpuMs, peakMb: Math.round(this.#peakMb) };
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#look();
    this.#pollTimer = setInterval(() => this.#look(), hasProc ? PROC_POLL_MS : PS_POLL_MS);
  }

  /** The program begins now. */
  startWallTime(): void {
    const { wallMs } = this.#limits;
    this.#startedAt = performance.now();
    this.#wallTimer = setTimeout(() => this.#reached('wall', wallMs, this.#elapsed()), wallMs);
  }

  stop(): void {
    clearTimeout(this.#wallTimer);
    clearInterval(this.#pollTimer);
    this.#wallMs = this.#elapsed();
  }

  #look(): void {
    const usage = this.#child.usage();
    if (usage instanceof Promise) void usage.then((later) => this.#judge(later));
    else this.#judge(usage);
  }

  #judge(usage: ProcessUsage | undefined): void {
    if (!usage) return;
    this.#first ??= usage;
    const { memoryMb, cpuMs } = this.#limits;
    const heldMb = usage.rssMb - this.#first.rssMb;
    this.#peakMb = Math.max(this.#peakMb, heldMb);
    this.#cpuMs = usage.cpuMs - this.#first.cpuMs;
    if (heldMb > memoryMb) this.#reached('memory', memoryMb, Math.round(heldMb));
    else if (this.#cpuMs > cpuMs) this.#reached('cpu', cpuMs, this.#cpuMs);
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }
}
