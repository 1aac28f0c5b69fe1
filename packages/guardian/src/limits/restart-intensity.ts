export interface RestartIntensityOptions {
  /** So many restarts of one resource are let through in a window. */
  most: number;
  windowMs: number;
  /** A resource that stayed well for so long is trusted again. */
  stableMs: number;
  /** The longest wait between trials, in ms. */
  longestWaitMs: number;
}

interface Track {
  /** Of restarts within the window, monotonic ms. */
  stamps: number[];
  tripped: { trials: number; nextTrialAt: number } | undefined;
  wellSince: number | undefined;
}

/**
 * How often a resource may be restarted: `most` times in a sliding window (the restart intensity of Erlang's supervisors).
 *
 * Beyond that it is given one trial at a time, after a window, then two, four, ... up to `longestWaitMs`: so a loop that
 * starts late has no hole to slip through, and one whose cause was mended has a way back. Only having stayed well
 * for `stableMs` wipes the slate. Times are monotonic ms.
 */
export class RestartIntensity {
  readonly #options: RestartIntensityOptions;
  readonly #tracks = new Map<string, Track>();

  constructor(options: RestartIntensityOptions) {
    this.#options = options;
  }

  /** Whether it may be restarted now, and else when. Counts nothing. */
  check(resource: string, now: number): { allowed: true } | { allowed: false; retryAt: number } {
    const track = this.#track(resource);
    const { most, windowMs } = this.#options;
    if (track.tripped) {
      const { nextTrialAt } = track.tripped;
      return now >= nextTrialAt ? { allowed: true } : { allowed: false, retryAt: nextTrialAt };
    }
    // They stand in the order of time, so what has left the window stands first.
    while ((track.stamps[0] ?? now) <= now - windowMs) track.stamps.shift();
    if (track.stamps.length < most) return { allowed: true };
    track.tripped = { trials: 0, nextTrialAt: now + windowMs };
    return { allowed: false, retryAt: now + windowMs };
  }

  /** @returns What takes the count back, for a restart that did not take place. */
  count(resource: string, now: number): () => void {
    const track = this.#track(resource);
    const before = {
      ...track,
      stamps: [...track.stamps],
      tripped: track.tripped && { ...track.tripped },
    };
    const { windowMs, longestWaitMs } = this.#options;
    track.stamps.push(now);
    track.wellSince = undefined;
    if (track.tripped) {
      const trials = track.tripped.trials + 1;
      const nextTrialAt = now + Math.min(longestWaitMs, windowMs * 2 ** trials);
      track.tripped = { trials, nextTrialAt };
    }
    return () => {
      this.#tracks.set(resource, before);
    };
  }

  noteWell(resource: string, now: number): void {
    this.#track(resource).wellSince ??= now;
  }

  noteBad(resource: string, now: number): void {
    const track = this.#track(resource);
    if (track.wellSince !== undefined && now - track.wellSince >= this.#options.stableMs) {
      track.tripped = undefined;
      track.stamps = [];
    }
    track.wellSince = undefined;
  }

  #track(resource: string): Track {
    let track = this.#tracks.get(resource);
    if (!track) {
      track = { stamps: [], tripped: undefined, wellSince: undefined };
      this.#tracks.set(resource, track);
    }
    return track;
  }
}
