import { describeFailure } from '@buddy/core';
import type { Mttr, MttrTracker } from '../mttr/mttr-tracker.ts';
import type { IncidentBook } from './incident-book.ts';
import { alert, type Parts } from './parts.ts';

const EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 3_600_000;

interface UpkeepParts {
  parts: Parts;
  book: IncidentBook;
  mttr: MttrTracker;
  /** Aborted when the guardian stops. */
  signal: AbortSignal;
}

/** What is seen to again and again, whether anything breaks or not: how long healing takes, what was not kept, what is old. */
export class Upkeep {
  readonly #u: UpkeepParts;

  constructor(parts: UpkeepParts) {
    this.#u = parts;
  }

  /** Until the guardian stops. */
  async run(): Promise<void> {
    const { parts, book, signal } = this.#u;
    const { clock, store, options } = parts;
    let prunedAt = clock.monotonic();
    for (;;) {
      await clock.sleep(EVERY_MS, signal);
      this.checkMttr();
      await book.catchUp();
      if (clock.monotonic() - prunedAt < PRUNE_EVERY_MS) continue;
      prunedAt = clock.monotonic();
      try {
        await clock.external(() => store.prune(clock.now() - options.retentionMs));
      } catch (error) {
        const { message } = describeFailure(error);
        alert(parts, 'store', `What is old could not be forgotten: ${message}`);
      }
    }
  }

  /** Has somebody look when healing takes longer than is tolerated. */
  checkMttr(): void {
    const { parts, mttr } = this.#u;
    const { options } = parts;
    for (const { figure, ms } of mttr.newlyExceeded(this.mttrNow(), options.mttrAlertMs)) {
      const kind = figure === 'oldestOpenMs' ? 'oldest_open' : 'mttr';
      const message = `${figure} is ${Math.round(ms)} ms, above ${options.mttrAlertMs} ms`;
      alert(parts, kind, message);
    }
  }

  mttrNow(): Mttr {
    const { parts, book, mttr } = this.#u;
    return mttr.at(parts.clock.now(), book.oldestDetected);
  }
}
