import type { EndableTree } from './processes.ts';

export interface EndTreeOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** In milliseconds; never goes back. */
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A process that SIGKILL does not end waits in the kernel, for a dead disk or network share as a rule. */
const GIVE_UP_AFTER_MS = 10_000;

/**
 * Asks a tree to end, and ends it when it has not within its grace.
 * @returns The pids that not even SIGKILL has ended; empty as a rule.
 */
export async function endTree(
  tree: Pick<EndableTree, 'signal' | 'survivors'>,
  { graceMs, monotonic, sleep }: EndTreeOptions,
): Promise<readonly number[]> {
  const askedAt = monotonic();
  if (graceMs > 0 && (await tree.signal('SIGTERM')) === 0) return [];
  for (let pace = 5; monotonic() - askedAt < graceMs; pace = Math.min(pace * 1.5, 100)) {
    if ((await tree.survivors()).length === 0) return [];
    await sleep(Math.min(pace, Math.max(1, graceMs - (monotonic() - askedAt))));
  }
  const killedAt = monotonic();
  // Again and again: what was forked while it was being looked for shows in the next look.
  while ((await tree.signal('SIGKILL')) > 0) {
    if (monotonic() - killedAt > GIVE_UP_AFTER_MS) return tree.survivors();
    await sleep(5);
  }
  return [];
}
