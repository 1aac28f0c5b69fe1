import type { Child } from './child.ts';
import type { ChildPool } from './pool.ts';

/** Where a run gets its child from, and what becomes of the child afterwards. */
export interface ChildSource {
  /** Runs that may have a child at a time. */
  readonly width: number;
  /** Rejects with the signal's reason, as soon as it aborts. */
  borrow(signal: AbortSignal): Promise<Child>;
  /** `isReusable`: the run ended by itself and left nothing behind. */
  giveBack(child: Child, isReusable: boolean): void;
  /** Ends the pool, and the child that is kept for the next run. */
  close(): void;
}

/** A process of its own for each run. */
export function oncePerRun(pool: ChildPool, width: number): ChildSource {
  return {
    width,
    borrow: (signal) => pool.take(signal),
    giveBack: (child) => {
      // Not now: whoever waits for the result goes first.
      setImmediate(() => {
        child.kill();
        pool.fill();
      });
    },
    close: () => pool.close(),
  };
}

const MAX_RUNS = 500;
const MAX_AGE_MS = 600_000;
/** Far below the processor time at which the kernel ends a session's child. */
export const MAX_SESSION_CPU_SECONDS = 60;

/** One process for one run after the other, until something went wrong in it or it has grown old. */
export function sharedBySession(pool: ChildPool): ChildSource {
  let kept: { child: Child; runs: number; since: number } | undefined;
  return {
    width: 1,
    borrow: async (signal) => {
      if (kept && !kept.child.end) {
        kept.child.keepHostAlive(true);
        return kept.child;
      }
      kept = { child: await pool.take(signal), runs: 0, since: performance.now() };
      return kept.child;
    },
    giveBack: (child, isReusable) => {
      if (kept?.child !== child) return;
      kept.runs += 1;
      const isYoung = kept.runs < MAX_RUNS && performance.now() - kept.since < MAX_AGE_MS;
      const usage = kept.runs % 50 === 0 ? child.usage() : undefined;
      const isFresh =
        !usage || usage instanceof Promise || usage.cpuMs < MAX_SESSION_CPU_SECONDS * 1_000;
      if (isReusable && isYoung && isFresh) {
        child.keepHostAlive(false);
        return;
      }
      kept = undefined;
      child.kill();
      setImmediate(() => pool.fill());
    },
    close: () => {
      pool.close();
      kept?.child.kill();
      kept = undefined;
    },
  };
}
