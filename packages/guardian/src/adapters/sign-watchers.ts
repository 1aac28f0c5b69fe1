import type { Sign } from '../resource/adapters/probed.ts';

/** Those who want to know of trouble the moment it comes. */
export class SignWatchers {
  readonly #watchers = new Set<(sign: Sign) => void>();

  readonly watch = (raise: (sign: Sign) => void): (() => void) => {
    this.#watchers.add(raise);
    return () => {
      this.#watchers.delete(raise);
    };
  };

  tell(sign: Sign): void {
    for (const raise of this.#watchers) raise(sign);
  }
}
