import type { Clock, GuardedEmitter } from '@buddy/core';
import type { Output } from '../output/output.ts';
import type { HarnessEvents } from './events.ts';
import { isoTime } from './records.ts';

type Emit = GuardedEmitter<HarnessEvents>['emit'];

/** Tells of a run, to listeners and in `events.jsonl`; also of what happened before this process. */
export class RunTeller {
  readonly runId: string;
  readonly #emit: Emit;
  readonly #output: Output;
  readonly #clock: Clock;
  #isSilent = false;
  /** When what is told now happened; undefined: now. */
  #at: number | undefined;

  constructor(runId: string, ports: { emit: Emit; output: Output; clock: Clock }) {
    this.runId = runId;
    this.#emit = ports.emit;
    this.#output = ports.output;
    this.#clock = ports.clock;
  }

  now(): number {
    return this.#at ?? this.#clock.now();
  }

  /** Tells listeners. */
  get emit(): Emit {
    return this.#isSilent ? tellNobody : this.#emit;
  }

  /** One line of `events.jsonl`. */
  log(event: string, details: object): void {
    this.#output.append('phase21/events.jsonl', {
      event,
      at: isoTime(this.now()),
      run_id: this.runId,
      ...details,
    });
  }

  /** What is told meanwhile happened then. */
  asOf(at: number, tell: () => void): void {
    this.#at = at;
    try {
      tell();
    } finally {
      this.#at = undefined;
    }
  }

  /** Listeners were told before, by a process that is gone: only the files are written anew. */
  silently(tell: () => void): void {
    this.#isSilent = true;
    try {
      tell();
    } finally {
      this.#isSilent = false;
    }
  }

  /** As both of the above, for what takes its time. */
  async silentlyAsOf(at: number, tell: () => Promise<void>): Promise<void> {
    this.#isSilent = true;
    this.#at = at;
    try {
      await tell();
    } finally {
      this.#isSilent = false;
      this.#at = undefined;
    }
  }
}

function tellNobody(): void {
  // they were told before
}
