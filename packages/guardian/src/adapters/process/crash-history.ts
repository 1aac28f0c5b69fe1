import type { ServiceExit } from '../../resource/adapters/service.ts';

export interface CrashLoopOptions {
  /** So many ends within `windowMs` are a loop. */
  ends: number;
  /** So many with one and the same stack are, too. */
  sameStack: number;
  windowMs: number;
}

interface End {
  /** Monotonic ms. */
  at: number;
  release: string;
  stack: string | undefined;
}

/**
 * Tells a service that ended from one that ends again and again.
 *
 * The window hangs on the last end and not on the present: how long it ran well before does not count, and waiting does not
 * make a loop something else. What counts are ends of one release.
 */
export class CrashHistory {
  readonly #options: CrashLoopOptions;
  #ends: End[] = [];

  constructor(options: CrashLoopOptions) {
    this.#options = options;
  }

  noteEnd({ stderrTail }: ServiceExit, release: string, at: number): void {
    const recent = this.#ends.filter((end) => end.at > at - this.#options.windowMs);
    this.#ends = [...recent, { at, release, stack: stackOf(stderrTail) }];
  }

  /** Why the ends of a release are a loop; undefined when they are none. */
  loopOf(release: string): string | undefined {
    const ends = this.#ends.filter((end) => end.release === release);
    const { ends: most, sameStack, windowMs } = this.#options;
    const last = ends.at(-1);
    const same = ends.filter(({ stack }) => stack !== undefined && stack === last?.stack);
    const within = `within ${Math.round(windowMs / 1_000)} s`;
    if (same.length >= sameStack) return `it ended ${same.length} times ${within} with one stack`;
    if (ends.length >= most) return `it ended ${ends.length} times ${within}`;
    return undefined;
  }
}

/** The frames of the stack that it left: two ends with the same are of one making, whatever the message says. */
function stackOf(stderrTail: string): string | undefined {
  const frames = stderrTail.match(/^\s+at .+$/gm);
  return frames?.join('\n');
}
