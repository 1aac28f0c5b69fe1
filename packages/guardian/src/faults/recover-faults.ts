import { type Clock, describeFailure, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { builtinFaults } from './builtin-faults.ts';
import type { RecoverableFault } from './define-fault.ts';
import { FaultLeftBehindError } from './errors.ts';
import { within } from './injected-fault.ts';
import { FaultJournal, type FaultRecord } from './journal.ts';

export interface RecoverFaultsInput {
  /** Folder of the revert journal. */
  folder: string;
  /**
   * Takes back those of living processes, too, whose time was over so long ago, in ms: a process whose event loop stands still
   * does not see to it. Default: never.
   */
  overdueMs?: number;
}

export interface RecoverFaultsPorts {
  /** Those that may be in the journal. Default: the built-in ones; own ones are named here beside them. */
  faults?: readonly RecoverableFault[];
  clock?: Clock;
}

/**
 * What became of one fault of the journal: `reverted` - it is gone; `lasting` - it cannot be taken back, `reason` says why;
 * `active` - the process that injected it lives and sees to it, or another recovery does; `failed` - it is still there, and still in the journal.
 */
export interface RecoveredFault {
  id: string;
  /** Undefined when its record cannot be read. */
  kind: string | undefined;
  is: 'reverted' | 'lasting' | 'active' | 'failed';
  reason?: string;
}

const Input = z.strictObject({
  folder: z.string().min(1),
  overdueMs: z.number().nonnegative().default(Number.POSITIVE_INFINITY),
});

/**
 * Takes back the faults of processes that are no more, the last first, from the journal alone. Those of a process that lives
 * are its own, unless `overdueMs` says otherwise. Needs no permission: it breaks nothing.
 * @example
 * const recovered = await recoverFaults({ folder: '.buddy-faults' });
 */
export async function recoverFaults(
  input: RecoverFaultsInput,
  { faults = builtinFaults, clock = systemClock }: RecoverFaultsPorts = {},
): Promise<RecoveredFault[]> {
  const { folder, overdueMs } = parseOrThrow(Input, input, 'options of recoverFaults');
  const journal = new FaultJournal(folder);
  const kinds = new Map(faults.map((fault) => [fault.kind, fault]));
  const recovered: RecoveredFault[] = [];
  const records: FaultRecord[] = [];
  for (const id of await journal.ids()) {
    const record = await readOrTell(journal, id, recovered);
    if (record) records.push(record);
  }
  for (const { id, kind, expires_at: expiresAt } of records.toSorted(lastFirst)) {
    const lock = journal.lock(id);
    if (!lock && clock.now() - expiresAt <= overdueMs) {
      recovered.push({ id, kind, is: 'active' });
      continue;
    }
    try {
      // Anew, under the lock: its process, or another recovery, may have taken it back by now.
      const record = await readOrTell(journal, id, recovered);
      if (record) recovered.push(await recoverOne(journal, record, { kinds, clock }));
      else await journal.end(id);
    } finally {
      lock?.release();
    }
  }
  await journal.sweep(clock.now());
  return recovered;
}

function lastFirst(a: FaultRecord, b: FaultRecord): number {
  return b.injected_at - a.injected_at || b.order - a.order;
}

async function readOrTell(
  journal: FaultJournal,
  id: string,
  told: RecoveredFault[],
): Promise<FaultRecord | undefined> {
  try {
    return await journal.read(id);
  } catch (error) {
    told.push({ id, kind: undefined, is: 'failed', reason: describeFailure(error).message });
    return undefined;
  }
}

interface Recovery {
  kinds: ReadonlyMap<string, RecoverableFault>;
  clock: Clock;
}

async function recoverOne(
  journal: FaultJournal,
  { id, kind, note }: FaultRecord,
  { kinds, clock }: Recovery,
): Promise<RecoveredFault> {
  const { signal } = new AbortController();
  try {
    const fault = kinds.get(kind);
    if (!fault) {
      throw new FaultLeftBehindError(
        `No fault of kind "${kind}" is known here; hand its definition to recoverFaults.`,
      );
    }
    const what = `recovering from ${kind}`;
    await within(clock, what, signal, (own) => fault.recover(note, own));
    if (fault.lasting !== undefined) {
      await journal.end(id);
      return { id, kind, is: 'lasting', reason: fault.lasting };
    }
    if (await within(clock, what, signal, (own) => fault.remains(note, own))) {
      throw new FaultLeftBehindError(`The fault ${kind} is still there after its recovery.`);
    }
    await journal.end(id);
    return { id, kind, is: 'reverted' };
  } catch (error) {
    return { id, kind, is: 'failed', reason: describeFailure(error).message };
  }
}
