import { systemClock } from '@buddy/core';
import { z } from 'zod';
import { isAlive, readFigures } from '../adapters/process/proc.ts';
import { inspectProcess } from '../inspector/inspect-process.ts';
import { defineFault } from './define-fault.ts';
import {
  expectAlive,
  isGoneForGood,
  needsProc,
  noteTarget,
  TargetIdentity,
  TargetNote,
} from './target-process.ts';

const DEAD = 'a process that ended is not revived: whoever supervises it starts another';

/**
 * A process is ended by a signal. The fault is there until a process with the same mark (one of the same
 * `createProcessService`) runs; of a process without a mark, for good.
 * @example
 * await using fault = await kit.inject(processKill, { identity });
 */
export const processKill = defineFault({
  kind: 'processKill',
  description: 'A process is ended by a signal.',
  options: z.strictObject({
    identity: TargetIdentity,
    signal: z.enum(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGTERM']).default('SIGKILL'),
  }),
  note: TargetNote,
  caps: { seconds: 600, bytes: 0 },
  lasting: DEAD,
  capability: needsProc,
  open: async ({ identity, signal: by }) => {
    const note = await noteTarget(identity);
    return {
      note,
      isPresent: () => isGoneForGood(note),
      apply: async () => {
        await expectAlive(identity);
        process.kill(identity.pid, by);
      },
      revert: async () => undefined,
    };
  },
  recover: async () => undefined,
});

/**
 * A process is stopped, and goes on when the fault is taken back: it accepts connections and answers nothing.
 * @example
 * await using fault = await kit.inject(processStop, { identity });
 */
export const processStop = defineFault({
  kind: 'processStop',
  description: 'A process is stopped: it is there and does nothing.',
  options: z.strictObject({ identity: TargetIdentity }),
  note: TargetNote,
  caps: { seconds: 120, bytes: 0 },
  capability: needsProc,
  open: async ({ identity }) => {
    const note = await noteTarget(identity);
    return {
      note,
      isPresent: () => isStopped(note),
      apply: async () => {
        await expectAlive(identity);
        process.kill(identity.pid, 'SIGSTOP');
      },
      revert: () => goOn(note),
    };
  },
  recover: goOn,
  remains: isStopped,
});

async function isStopped(target: TargetNote): Promise<boolean> {
  return (await readFigures(target.pid))?.state === 'T' && isAlive(target);
}

async function goOn(target: TargetNote): Promise<void> {
  if (await isAlive(target)) process.kill(target.pid, 'SIGCONT');
}

/**
 * A process that runs on Node ends by itself: by `process.exit`, or by an error that nobody catches. Needs its inspector,
 * which it opens.
 * @example
 * await using fault = await kit.inject(processExit, { identity, how: 'throw' });
 */
export const processExit = defineFault({
  kind: 'processExit',
  description: 'A process that runs on Node ends by itself.',
  options: z.strictObject({
    identity: TargetIdentity,
    how: z.enum(['exit', 'throw']).default('exit'),
    /** Of `exit`. */
    code: z.int().min(0).max(255).default(1),
  }),
  note: TargetNote,
  caps: { seconds: 600, bytes: 0 },
  lasting: DEAD,
  capability: needsProc,
  open: async ({ identity, how, code }) => {
    const note = await noteTarget(identity);
    const act = how === 'exit' ? `process.exit(${code})` : `throw new Error('by processExit')`;
    return {
      note,
      isPresent: () => isGoneForGood(note),
      apply: async (signal) => {
        await expectAlive(identity);
        await using inspector = await inspectProcess({
          pid: identity.pid,
          clock: systemClock,
          signal,
        });
        // Not in the call itself, which is to be answered.
        const expression = `setTimeout(() => { ${act} }, 1); true`;
        await inspector.call('Runtime.evaluate', { expression });
      },
      revert: async () => undefined,
    };
  },
  recover: async () => undefined,
});
