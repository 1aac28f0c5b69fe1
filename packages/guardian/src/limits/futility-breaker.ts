export interface FutilityOptions {
  /** Healings in a row that did not help, after which a playbook is given a rest on that resource. */
  failures: number;
  firstRestMs: number;
  longestRestMs: number;
}

interface Track {
  failures: number;
  rests: number;
  restsUntil: number;
}

/**
 * Stops a playbook that does not help from being tried over and over: after `failures` in a row it rests, then has one
 * trial, and rests twice as long when that did not help either. Times are monotonic ms.
 */
export class FutilityBreaker {
  readonly #options: FutilityOptions;
  readonly #tracks = new Map<string, Track>();

  constructor(options: FutilityOptions) {
    this.#options = options;
  }

  /** Until when the playbook rests on this resource; undefined when it may be tried. */
  restsUntil(resource: string, playbook: string, now: number): number | undefined {
    const until = this.#tracks.get(keyOf(resource, playbook))?.restsUntil ?? 0;
    return until > now ? until : undefined;
  }

  noteFailure(resource: string, playbook: string, now: number): void {
    const key = keyOf(resource, playbook);
    const track = this.#tracks.get(key) ?? { failures: 0, rests: 0, restsUntil: 0 };
    track.failures += 1;
    const { failures, firstRestMs, longestRestMs } = this.#options;
    if (track.failures >= failures) {
      track.restsUntil = now + Math.min(longestRestMs, firstRestMs * 2 ** track.rests);
      track.rests += 1;
    }
    this.#tracks.set(key, track);
  }

  noteSuccess(resource: string, playbook: string): void {
    this.#tracks.delete(keyOf(resource, playbook));
  }
}

function keyOf(resource: string, playbook: string): string {
  return JSON.stringify([resource, playbook]);
}
