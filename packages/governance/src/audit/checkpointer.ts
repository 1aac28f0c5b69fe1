import type { Clock } from '@buddy/core';
import type { Checkpoint } from './checkpoint.ts';

/** Brings a checkpoint to where whoever can write the log cannot: that copy is what makes tampering show. */
export type PublishCheckpoint = (checkpoint: Checkpoint) => void | Promise<void>;

interface CheckpointerParts {
  clock: Clock;
  /** How long entries may stand without a checkpoint. */
  checkpointMs: number;
  /** Whether there are such entries. */
  isDue: () => boolean;
  /** Signs one, durably. */
  sign: () => Promise<unknown>;
  publish: PublishCheckpoint | undefined;
  onPublished: (checkpoint: Checkpoint) => void;
  onPublishFailed: (checkpoint: Checkpoint, error: unknown) => void;
  onSignFailed: (error: unknown) => void;
}

/** Sees to it that what was written gets a checkpoint in time, and that checkpoints get out, one after the other. */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #stop = new AbortController();
  #isWaiting = false;
  #published: Promise<void> = Promise.resolve();

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** To be called after each commit. */
  noteCommit(): void {
    if (this.#isWaiting || this.#stop.signal.aborted || !this.#parts.isDue()) return;
    this.#isWaiting = true;
    void this.#signInTime();
  }

  publish(checkpoint: Checkpoint): void {
    this.#published = this.#published.then(() => this.#publishNow(checkpoint));
  }

  /** No more timers. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when all that was signed has been handed on. */
  async settled(): Promise<void> {
    await this.#published;
  }

  async #signInTime(): Promise<void> {
    const { clock, checkpointMs, isDue, sign, onSignFailed } = this.#parts;
    try {
      await clock.sleep(checkpointMs, this.#stop.signal);
    } catch {
      return; // stopped: whoever stops it signs the last one
    }
    try {
      if (isDue()) await clock.external(sign);
    } catch (error) {
      onSignFailed(error);
    }
    this.#isWaiting = false;
    this.noteCommit();
  }

  async #publishNow(checkpoint: Checkpoint): Promise<void> {
    const { clock, publish, onPublished, onPublishFailed } = this.#parts;
    try {
      if (publish) await clock.external(async () => publish(checkpoint));
    } catch (error) {
      onPublishFailed(checkpoint, error);
      return;
    }
    onPublished(checkpoint);
  }
}
