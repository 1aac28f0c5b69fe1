import { type Clock, createGuardedEmitter, describeFailure, type Logger } from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import type { Ledger } from '../ledger/ledger.ts';
import type { ApprovalEvents } from './approval.ts';
import { lastStep, stepsAfter } from './approval-store.ts';

export interface StepWatchParts {
  ledger: Ledger;
  clock: Clock;
  logger: Logger;
}

/**
 * Tells of steps by reading those that came after the last one told. So each is told once, in order, only after it is on the
 * disk, and whichever process made it.
 */
export class StepWatch {
  readonly events: EventEmitter<ApprovalEvents>;
  readonly #emit: ReturnType<typeof createGuardedEmitter<ApprovalEvents>>['emit'];
  readonly #parts: StepWatchParts;
  readonly #sleepers = new Map<string, Set<AbortController>>();
  #told: number;
  #isDue = false;

  constructor(parts: StepWatchParts) {
    this.#parts = parts;
    const { events, emit } = createGuardedEmitter<ApprovalEvents>((error, event) =>
      parts.logger.error({ err: error, event }, 'A listener of approvals threw'),
    );
    this.events = events;
    this.#emit = emit;
    this.#told = parts.ledger.read(lastStep);
  }

  /** For steps inside a transaction: by the next microtask it is committed, or undone. */
  tellSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      try {
        this.tell();
      } catch (error) {
        // Nobody awaits this; what could not be told now is told with the next step.
        this.#parts.logger.warn(
          { failure: describeFailure(error) },
          'Steps of approvals could not be told of yet',
        );
      }
    });
  }

  tell(): void {
    for (;;) {
      const steps = this.#parts.ledger.read((database) => stepsAfter(database, this.#told));
      if (steps.length === 0) return;
      for (const { seq, step } of steps) {
        if (seq <= this.#told) continue; // a listener made us tell it already
        this.#told = seq;
        const { event, ...told } = step;
        this.#emit(event, told);
        for (const sleeper of this.#sleepers.get(step.approvalId) ?? []) sleeper.abort();
      }
    }
  }

  /** Resolves when the request takes a step in this process, or the time is over; rejects when the signal is aborted. */
  async sleep(approvalId: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const woken = new AbortController();
    const sleepers = this.#sleepers.get(approvalId) ?? new Set();
    this.#sleepers.set(approvalId, sleepers.add(woken));
    try {
      const either = signal ? AbortSignal.any([signal, woken.signal]) : woken.signal;
      await this.#parts.clock.sleep(ms, either);
    } catch (error) {
      signal?.throwIfAborted();
      if (!woken.signal.aborted) throw error;
    } finally {
      sleepers.delete(woken);
      if (sleepers.size === 0) this.#sleepers.delete(approvalId);
    }
  }
}
