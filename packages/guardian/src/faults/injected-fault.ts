import { type Clock, describeFailure, type FileLock } from '@buddy/core';
import { withDeadline } from '../engine/deadline.ts';
import type { JsonValue } from '../playbook/context.ts';
import type { OpenedFault, RecoverableFault } from './define-fault.ts';
import { FaultLeftBehindError, FaultWitnessError } from './errors.ts';
import type { FaultJournal, FaultRecord } from './journal.ts';

/** A fault that is there. Disposing of it takes it back. */
export interface InjectedFault<Handle = unknown> extends AsyncDisposable {
  readonly id: string;
  readonly kind: string;
  readonly handle: Handle;
  /** Ms since the epoch; then it is taken back by itself. */
  readonly expiresAt: number;
  /** `expired`: it was taken back because its time was over, so what a test saw after that was no fault. */
  readonly state: 'present' | 'reverted' | 'expired';
  /** Whether it is there now; a healing may have taken it away. */
  isPresent(): Promise<boolean>;
  /**
   * Takes it back, and shows that it is gone. A second call does nothing.
   * @throws {FaultLeftBehindError} When it could not be; a next call tries again.
   */
  revert(): Promise<void>;
}

/** How long an injector's function may take, in ms. */
const ACT_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 5;
const GRACE_MS = 1_000;
/** What does not go when its time is over is tried again, in ms. */
const TRY_AGAIN_AFTER_MS = [1_000, 2_000, 4_000, 8_000];

export interface LiveFaultParts<Handle> {
  fault: RecoverableFault;
  opened: OpenedFault<JsonValue, Handle>;
  record: FaultRecord;
  journal: FaultJournal;
  clock: Clock;
  /** Held while this process sees to it. */
  lock: FileLock;
  capMs: number;
  /** How long the witness waits for what it has to see, in ms. */
  seenWithinMs: number;
  /** It is out of the journal. */
  onEnded: () => void;
}

/** One fault from the moment that it is in the journal until it is out of it. */
export class LiveFault<Handle> implements InjectedFault<Handle> {
  readonly id: string;
  readonly kind: string;
  readonly handle: Handle;
  readonly expiresAt: number;
  readonly #parts: LiveFaultParts<Handle>;
  readonly #cap = new AbortController();
  #state: InjectedFault['state'] = 'present';
  #reverting: Promise<void> | undefined;

  constructor(parts: LiveFaultParts<Handle>) {
    this.#parts = parts;
    this.id = parts.record.id;
    this.kind = parts.fault.kind;
    this.expiresAt = parts.record.expires_at;
    // Its author says by the type of `open` whether there is one.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.handle = parts.opened.handle as Handle;
  }

  get state(): InjectedFault['state'] {
    return this.#state;
  }

  async isPresent(): Promise<boolean> {
    const { opened, clock } = this.#parts;
    return look(opened, this.kind, clock, new AbortController().signal);
  }

  /** Puts it there, and waits until it shows. When it does not, it is taken back. */
  async apply(signal: AbortSignal): Promise<void> {
    const { opened, clock, seenWithinMs } = this.#parts;
    try {
      const what = `injecting ${this.kind}`;
      await within(clock, what, signal, (own) => opened.apply(own));
      if (!(await this.#becomes(true, signal))) {
        throw new FaultWitnessError(
          `The fault ${this.kind} does not show ${seenWithinMs} ms after it was injected.`,
        );
      }
    } catch (error) {
      await this.#end(
        'reverted',
        `It did not come to be either: ${describeFailure(error).message}`,
      );
      throw error;
    }
    void this.#revertWhenOver();
  }

  async revert(): Promise<void> {
    await this.#end('reverted');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revert();
  }

  /** Leaves it to `recoverFaults`: this process gives up. */
  abandon(): void {
    this.#cap.abort('given up');
    this.#parts.lock.release();
  }

  async #end(as: 'reverted' | 'expired', besides = ''): Promise<void> {
    if (this.#state !== 'present') return;
    this.#reverting ??= this.#takeBack(as, besides).finally(() => {
      this.#reverting = undefined;
    });
    await this.#reverting;
  }

  async #takeBack(as: 'reverted' | 'expired', besides: string): Promise<void> {
    const { fault, opened, journal, lock, clock, onEnded } = this.#parts;
    const { signal } = new AbortController(); // also when nobody waits: it has to go
    try {
      await within(clock, `taking back ${this.kind}`, signal, (own) => opened.revert(own));
      if (fault.lasting === undefined && !(await this.#becomes(false, signal))) {
        throw new FaultWitnessError(`The fault ${this.kind} is still there.`);
      }
      await journal.end(this.id);
    } catch (error) {
      throw new FaultLeftBehindError(
        `The fault ${this.kind} could not be taken back: ${describeFailure(error).message} It stays in ${journal.folder}; try again, or recoverFaults. ${besides}`.trim(),
        { cause: error, effect: 'unknown' },
      );
    }
    this.#state = as;
    this.#cap.abort('gone');
    lock.release();
    onEnded();
  }

  async #revertWhenOver(): Promise<void> {
    const { clock, capMs } = this.#parts;
    for (const waitMs of [capMs, ...TRY_AGAIN_AFTER_MS]) {
      try {
        await clock.sleep(waitMs, this.#cap.signal);
      } catch {
        return; // it is gone, or given up
      }
      try {
        await this.#end('expired');
      } catch (error) {
        // Nobody waits for this one; `revert` tells it again to whoever asks.
        process.emitWarning(describeFailure(error).message, { type: 'FaultWarning' });
      }
    }
  }

  async #becomes(wanted: boolean, signal: AbortSignal): Promise<boolean> {
    const { opened, clock, seenWithinMs } = this.#parts;
    const until = clock.monotonic() + seenWithinMs;
    for (;;) {
      if ((await look(opened, this.kind, clock, signal)) === wanted) return true;
      if (clock.monotonic() >= until) return false;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}

/** One look of the witness. */
export async function look(
  opened: Pick<OpenedFault<JsonValue, unknown>, 'isPresent'>,
  kind: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  return within(clock, `looking for ${kind}`, signal, (own) => opened.isPresent(own));
}

/** Does one function of an injector, but not for ever. */
export async function within<T>(
  clock: Clock,
  what: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const options = { clock, what, signal, timeoutMs: ACT_WITHIN_MS, graceMs: GRACE_MS };
  return withDeadline(options, work);
}
