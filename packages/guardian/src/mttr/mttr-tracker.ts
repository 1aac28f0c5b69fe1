import { quantile } from '@buddy/core';
import type { Incident } from '../incident/incident.ts';

/** How long it takes to restore, from detected to restored, in ms. Undefined before the first. */
export interface Mttr {
  /** Healed incidents that were counted since the start; the figures below are of the last of them. */
  count: number;
  /** Mean of the last 10. */
  meanMs: number | undefined;
  /** Of the last 100. */
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  /** Age of the oldest incident that is open: a mean of what was closed does not know of what never closes. */
  oldestOpenMs: number | undefined;
}

export type MttrFigure = 'meanMs' | 'p50Ms' | 'p95Ms' | 'oldestOpenMs';
const FIGURES: readonly MttrFigure[] = ['meanMs', 'p50Ms', 'p95Ms', 'oldestOpenMs'];
const FOR_MEAN = 10;
const FOR_QUANTILES = 100;

/** Keeps the times to restore, and says when one of the figures passes what is tolerated. */
export class MttrTracker {
  readonly #durations: number[] = [];
  #count = 0;
  readonly #exceeded = new Set<MttrFigure>();

  /** Counts an incident that was healed; others say nothing of healing. */
  add({ closedAs, restored, detected }: Incident): void {
    if (closedAs !== 'restored' && closedAs !== 'restored_with_cause') return;
    if (restored === null) return;
    this.#count += 1;
    this.#durations.push(Math.max(0, restored - detected));
    if (this.#durations.length > FOR_QUANTILES) this.#durations.shift();
  }

  at(now: number, oldestDetected: number | undefined): Mttr {
    const last = this.#durations.slice(-FOR_MEAN);
    const isEmpty = last.length === 0;
    return {
      count: this.#count,
      meanMs: isEmpty ? undefined : last.reduce((sum, ms) => sum + ms, 0) / last.length,
      p50Ms: isEmpty ? undefined : quantile(this.#durations, 0.5),
      p95Ms: isEmpty ? undefined : quantile(this.#durations, 0.95),
      oldestOpenMs: oldestDetected === undefined ? undefined : now - oldestDetected,
    };
  }

  /** Figures that have passed `limitMs` since the last time that somebody asked. */
  newlyExceeded(mttr: Mttr, limitMs: number): { figure: MttrFigure; ms: number }[] {
    return FIGURES.flatMap((figure) => {
      const ms = mttr[figure];
      if (ms === undefined || ms <= limitMs) {
        this.#exceeded.delete(figure);
        return [];
      }
      if (this.#exceeded.has(figure)) return [];
      this.#exceeded.add(figure);
      return [{ figure, ms }];
    });
  }
}
