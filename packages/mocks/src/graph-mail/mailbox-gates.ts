import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { type ConcurrencyGate, createConcurrencyGate } from '../client/concurrency-gate.ts';

/** Lets so many calls to one mailbox through at a time, whichever clients make them. */
export interface MailboxGates {
  /**
   * Does `work` when the mailbox has room. Rejects with `signal.reason` when aborted while it waits.
   * @param mailbox Any text that is the same for the same mailbox: nothing more is read from it.
   */
  pass<T>(mailbox: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const MailboxGatesOptions = z.strictObject({
  /** How many calls to one mailbox may be under way at once. */
  concurrency: z.int().positive().default(4),
});
export type MailboxGatesInput = z.input<typeof MailboxGatesOptions>;

/**
 * Gates that know nothing of any others: clients share them when they are handed the same. By default all clients of a
 * process share one, with Graph's limit of 4 calls per mailbox.
 * @throws {InvalidInputError} When the options do not fit.
 * @example
 * const gates = createMailboxGates({ concurrency: 2 });
 * const [one, other] = [createGraphMailClient(options, { gates }), createGraphMailClient(options, { gates })];
 */
export function createMailboxGates(input: MailboxGatesInput = {}): MailboxGates {
  const { concurrency } = parseOrThrow(MailboxGatesOptions, input, 'options of createMailboxGates');
  const inUse = new Map<string, { gate: ConcurrencyGate; users: number }>();
  return {
    pass: async (mailbox, work, signal) => {
      const entry = inUse.get(mailbox) ?? { gate: createConcurrencyGate(concurrency), users: 0 };
      inUse.set(mailbox, entry);
      entry.users += 1;
      try {
        return await entry.gate.pass(work, signal);
      } finally {
        entry.users -= 1;
        if (entry.users === 0) inUse.delete(mailbox); // or a process that serves many would keep them all
      }
    },
  };
}

/** Those of this process: Graph counts the calls of all its clients together. */
export const processGates: MailboxGates = createMailboxGates();
