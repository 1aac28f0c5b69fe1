import {
  type Clock,
  type FileLock,
  type NewId,
  parseOrThrow,
  randomId,
  systemClock,
} from '@buddy/core';
import { z } from 'zod';
import type { RehearsedFault } from '../engine/rehearsal.ts';
import { GuardianMisuseError } from '../errors.ts';
import type { Fault, FaultTools } from './define-fault.ts';
import {
  FaultCapError,
  FaultLeftBehindError,
  FaultUnavailableError,
  FaultWitnessError,
} from './errors.ts';
import { type FaultHost, thisHost } from './host.ts';
import { type InjectedFault, LiveFault, look } from './injected-fault.ts';
import { FaultJournal, type FaultRecord } from './journal.ts';
import { assertFaultsAllowed } from './permission.ts';
import { RehearsableFault } from './rehearsable-fault.ts';
import { Watchdog } from './watchdog.ts';

export const FaultKitOptions = z.strictObject({
  /** Folder of the revert journal; made when it is not there. Kits may share it. */
  folder: z.string().min(1),
  /** No fault stays longer, in seconds, whatever its own cap is. */
  maxSeconds: z.number().positive().default(600),
  /** No fault takes more memory or disk, in bytes, whatever its own cap is. */
  maxBytes: z.int().nonnegative().default(1_073_741_824),
  /** How long a fault may take to show after it was applied, and to be gone after it was taken back, in ms. */
  seenWithinMs: z.number().positive().default(5_000),
  /**
   * Whether a process of its own takes the faults back when this one is killed, or stands still for 2 s after their time. It
   * knows the built-in faults. Default false: then `recoverFaults` does, when somebody calls it.
   */
  hasWatchdog: z.boolean().default(false),
});
export type FaultKitInput = z.input<typeof FaultKitOptions>;
type FaultKitOptions = z.output<typeof FaultKitOptions>;

export interface FaultKitPorts {
  clock?: Clock;
  newId?: NewId;
  host?: FaultHost;
  environment?: NodeJS.ProcessEnv;
}

export interface InjectOptions {
  /** Aborts the injecting; what was begun is taken back. */
  signal?: AbortSignal;
  /** Takes it back sooner than its cap says, in seconds. */
  seconds?: number;
}

/** Injects faults, and takes all of them back when it is disposed of. Made by `openFaultKit`. */
export interface FaultKit extends AsyncDisposable {
  /**
   * Puts a fault there: its witness says that it is absent, it is written to the journal, it is applied, its witness says
   * that it is present.
   * @throws {FaultUnavailableError} When this machine or this user cannot have it.
   * @throws {FaultWitnessError} When it was there before, or does not show.
   * @throws {FaultCapError} When it wants more than its cap.
   */
  inject<Input, Handle>(
    fault: Fault<Input, Handle>,
    input: Input,
    options?: InjectOptions,
  ): Promise<InjectedFault<Handle>>;
  /**
   * The fault as `guardian.rehearse` wants it. `input` is asked anew each time that the fault is put there: the process may
   * be another by then.
   */
  rehearsed<Input>(
    fault: Fault<Input>,
    input: () => Input | Promise<Input>,
  ): RehearsedFault & AsyncDisposable;
  /** Those that are there now, the first injected first. */
  readonly faults: readonly InjectedFault[];
  /**
   * Takes back all that is left, the last first.
   * @throws {FaultLeftBehindError} When something could not be; it stays in the journal, for `recoverFaults`.
   */
  close(): Promise<void>;
}

/**
 * Opens a kit of faults: each is written to a journal before it is there, shows that it is there and that it is gone, has a
 * cap in bytes and seconds, and does not leave this machine.
 * @throws {FaultsForbiddenError} Outside of tests, unless `BUDDY_FAULTS` is 1.
 * @example
 * await using kit = openFaultKit({ folder: '.buddy-faults' });
 * await using fault = await kit.inject(fileRemove, { path: 'config.json' });
 * // ... what does the service do now?
 */
export function openFaultKit(input: FaultKitInput, ports: FaultKitPorts = {}): FaultKit {
  const { environment = process.env } = ports;
  assertFaultsAllowed(environment);
  return new JournaledKit(parseOrThrow(FaultKitOptions, input, 'options of openFaultKit'), {
    clock: ports.clock ?? systemClock,
    newId: ports.newId ?? randomId('fault'),
    host: ports.host ?? thisHost(environment),
  });
}

class JournaledKit implements FaultKit {
  readonly #options: FaultKitOptions;
  readonly #clock: Clock;
  readonly #newId: NewId;
  readonly #host: FaultHost;
  readonly #journal: FaultJournal;
  readonly #live = new Set<LiveFault<unknown>>();
  readonly #injecting = new Set<Promise<unknown>>();
  readonly #watchdog: Watchdog | undefined;
  #order = 0;
  #isClosed = false;

  constructor(
    options: FaultKitOptions,
    { clock, newId, host }: Required<Omit<FaultKitPorts, 'environment'>>,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#newId = newId;
    this.#host = host;
    this.#journal = new FaultJournal(options.folder);
    this.#watchdog = options.hasWatchdog ? new Watchdog(options.folder) : undefined;
  }

  get faults(): readonly InjectedFault[] {
    return [...this.#live];
  }

  async inject<Input, Handle>(
    fault: Fault<Input, Handle>,
    input: Input,
    options: InjectOptions = {},
  ): Promise<InjectedFault<Handle>> {
    if (this.#isClosed) throw new GuardianMisuseError('This kit of faults is closed.');
    const injecting = this.#inject(fault, input, options);
    this.#injecting.add(injecting);
    try {
      return await injecting;
    } finally {
      this.#injecting.delete(injecting);
    }
  }

  async #inject<Input, Handle>(
    fault: Fault<Input, Handle>,
    input: Input,
    { signal = new AbortController().signal, seconds }: InjectOptions,
  ): Promise<InjectedFault<Handle>> {
    const capability = await fault.capability(this.#host);
    if (capability.is === 'unavailable') {
      throw new FaultUnavailableError(fault.kind, capability.reason);
    }
    const id = this.#newId();
    const opened = await fault.open(input, this.#toolsFor(fault, id));
    if (await look(opened, fault.kind, this.#clock, signal)) {
      throw new FaultWitnessError(`The fault ${fault.kind} is there before it was injected.`);
    }
    const now = this.#clock.now();
    const capMs = this.#capMs(fault, seconds);
    const record = {
      format: 1,
      id,
      kind: fault.kind,
      injected_at: now,
      expires_at: now + capMs,
      order: this.#order++,
      note: opened.note,
    } as const;
    this.#watchdog?.start();
    const lock = this.#lock(id);
    await this.#begin(record, lock);
    const live: LiveFault<Handle> = new LiveFault({
      fault,
      opened,
      record,
      journal: this.#journal,
      clock: this.#clock,
      lock,
      capMs,
      seenWithinMs: this.#options.seenWithinMs,
      onEnded: () => this.#live.delete(live),
    });
    this.#live.add(live);
    await live.apply(signal);
    return live;
  }

  rehearsed<Input>(
    fault: Fault<Input>,
    input: () => Input | Promise<Input>,
  ): RehearsedFault & AsyncDisposable {
    return new RehearsableFault(fault.kind, {
      inject: async (signal) => this.inject(fault, await input(), { signal }),
      isPresent: async (signal) => {
        const opened = await fault.open(await input(), this.#toolsFor(fault, 'not-injected'));
        return look(opened, fault.kind, this.#clock, signal);
      },
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#injecting);
    const failures: unknown[] = [];
    for (const fault of [...this.#live].toReversed()) {
      try {
        await fault.revert();
      } catch (error) {
        failures.push(error);
        fault.abandon();
      }
    }
    this.#watchdog?.stop();
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) {
      throw new FaultLeftBehindError(`${failures.length} faults could not be taken back.`, {
        cause: new AggregateError(failures),
        effect: 'unknown',
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Before the record is there: whoever recovers must see that we are alive. */
  #lock(id: string): FileLock {
    const lock = this.#journal.lock(id);
    if (!lock) throw new GuardianMisuseError(`Another kit of faults has a fault ${id} already.`);
    return lock;
  }

  async #begin(record: FaultRecord, lock: FileLock): Promise<void> {
    try {
      await this.#journal.begin(record);
      await this.#journal.makeScratch(record.id);
    } catch (error) {
      await this.#journal.end(record.id);
      lock.release();
      throw error;
    }
  }

  #capMs({ kind, caps }: Fault<never>, wanted: number | undefined): number {
    const most = Math.min(caps.seconds, this.#options.maxSeconds);
    if (wanted !== undefined && !(wanted > 0 && wanted <= most)) {
      throw new FaultCapError(
        `The fault ${kind} may stay for ${most} s at most, not for ${wanted} s.`,
      );
    }
    return (wanted ?? most) * 1_000;
  }

  #toolsFor({ kind, caps }: Fault<never>, id: string): FaultTools {
    const most = Math.min(caps.bytes, this.#options.maxBytes);
    let taken = 0;
    return {
      scratch: this.#journal.scratchOf(id),
      takeBytes: (count) => {
        if (!(count >= 0 && taken + count <= most)) {
          throw new FaultCapError(
            `The fault ${kind} may take ${most} bytes at most: ${taken} are taken, and it wants ${count} more.`,
          );
        }
        taken += count;
      },
    };
  }
}
