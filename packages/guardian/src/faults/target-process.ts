import { z } from 'zod';
import { environmentOf, findByEnvironment, identify, isAlive } from '../adapters/process/proc.ts';
import { MARK } from '../adapters/process/process-mark.ts';
import { GuardianMisuseError } from '../errors.ts';
import type { ProcessIdentity } from '../resource/adapters/service.ts';
import { AVAILABLE, type Capability, type FaultHost } from './host.ts';

/** A process by its number and start time, as `service.state()` tells it: a number alone may be another's by now. */
export const TargetIdentity = z.strictObject({
  pid: z
    .int()
    .min(2, 'the first process is not to be hurt')
    .refine(
      (pid) => pid !== process.pid,
      'a fault cannot be injected into the process that injects it',
    ),
  startTime: z.string().min(1),
});

/** What a journal keeps of a process that a fault is in. */
export const TargetNote = z.strictObject({
  pid: z.int(),
  startTime: z.string(),
  /** By this its successors are known; null: it bears no mark, and none are. */
  mark: z.string().nullable(),
});
export type TargetNote = z.output<typeof TargetNote>;

export async function noteTarget({ pid, startTime }: ProcessIdentity): Promise<TargetNote> {
  return { pid, startTime, mark: (await environmentOf(pid, MARK)) ?? null };
}

/** @throws {GuardianMisuseError} When the process is gone, or another has its number. */
export async function expectAlive(target: ProcessIdentity): Promise<void> {
  if (await isAlive(target)) return;
  const now = await identify(target.pid);
  const why = now ? 'another process has its number' : 'it is gone';
  throw new GuardianMisuseError(`Process ${target.pid} is not the one that was meant: ${why}.`);
}

/** Whether it is gone and nobody has taken its place: a process with the same mark has. */
export async function isGoneForGood(target: TargetNote): Promise<boolean> {
  if (await isAlive(target)) return false;
  return target.mark === null || (await findByEnvironment(MARK, target.mark)).length === 0;
}

export async function needsProc(host: FaultHost): Promise<Capability> {
  if (await host.hasProc()) return AVAILABLE;
  return { is: 'unavailable', reason: 'without /proc (Linux) a process is not known for certain' };
}
