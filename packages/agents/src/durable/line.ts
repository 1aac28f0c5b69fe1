import type { Interruptible } from './activity.ts';

/** What lets calls begin, one after the other: a lane, or the rate limit of a provider. */
interface Line {
  tryEnter(): boolean;
  wait(onEntered: () => void): () => void;
}

/**
 * Waits in line, unless there is room at once.
 * @param interrupts Where to leave a way to leave the line; undefined when it must not be interrupted.
 * @returns Whether it was let through; not so when it was interrupted before.
 */
export async function enter(
  line: Line,
  interrupts: Set<Interruptible> | undefined,
): Promise<boolean> {
  if (line.tryEnter()) return true;
  return new Promise((resolve) => {
    const interrupt = {
      interrupt: () => {
        leaveLine();
        resolve(false);
      },
    };
    const leaveLine = line.wait(() => {
      interrupts?.delete(interrupt);
      resolve(true);
    });
    interrupts?.add(interrupt);
  });
}
