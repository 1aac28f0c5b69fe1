import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { descriptorsOf, isAlive, readFigures } from '../adapters/process/proc.ts';
import { GuardianMisuseError, InspectorLostError } from '../errors.ts';
import { type Inspector, inspectProcess } from '../inspector/inspect-process.ts';
import type { ProcessIdentity } from '../resource/adapters/service.ts';
import { defineFault } from './define-fault.ts';
import { FaultCapError } from './errors.ts';
import {
  expectAlive,
  isGoneForGood,
  needsProc,
  noteTarget,
  TargetIdentity,
  TargetNote,
} from './target-process.ts';

const MEGABYTE = 1_048_576;
/** Who does not answer for so long, in ms, stands still. */
const SILENT_MS = 1_000;

/**
 * The heap of a process that runs on Node grows, up to `mostBytes` or until it is full and the process ends. The fault is
 * there while it is held, and after such an end until another process with the same mark runs.
 * @example
 * await using fault = await kit.inject(heapLeak, { identity, bytesPerSecond: 1_000_000 });
 */
export const heapLeak = defineFault({
  kind: 'heapLeak',
  description: 'The heap of a process that runs on Node grows.',
  options: z.strictObject({
    identity: TargetIdentity,
    bytesPerSecond: z
      .int()
      .positive()
      .max(1_000 * MEGABYTE)
      .default(50 * MEGABYTE),
    mostBytes: z
      .int()
      .positive()
      .default(256 * MEGABYTE),
  }),
  note: TargetNote,
  caps: { seconds: 120, bytes: 1_024 * MEGABYTE },
  lasting:
    'a process that ended with a full heap is not revived; what is held of one that lives is let go',
  capability: needsProc,
  open: async ({ identity, bytesPerSecond, mostBytes }, { takeBytes }) => {
    const note = await noteTarget(identity);
    return {
      note,
      isPresent: (signal) => isLeaking(note, signal),
      apply: async (signal) => {
        takeBytes(mostBytes);
        await expectAlive(identity);
        await evaluate(identity, leakExpression(bytesPerSecond, mostBytes), signal);
      },
      revert: (signal) => letGo(note, signal),
    };
  },
  recover: letGo,
  remains: async (note, signal) => (await isAlive(note)) && isLeaking(note, signal),
});

const LEAK = '__buddy_fault_heap';
const BEATS_PER_SECOND = 50;

/** Numbers with a fraction, which V8 keeps on its heap, 8 bytes each. */
function leakExpression(bytesPerSecond: number, mostBytes: number): string {
  const numbers = Math.max(1, Math.round(bytesPerSecond / BEATS_PER_SECOND / 8));
  return `
    globalThis.${LEAK} ??= (() => {
      const held = [];
      let bytes = 0;
      const timer = setInterval(() => {
        if (bytes + ${numbers} * 8 > ${mostBytes}) return;
        held.push(new Array(${numbers}).fill(0.5));
        bytes += ${numbers} * 8;
      }, ${1_000 / BEATS_PER_SECOND});
      return { held, timer };
    })(); true`;
}

async function isLeaking(note: TargetNote, signal: AbortSignal): Promise<boolean> {
  if (!(await isAlive(note))) return note.mark !== null && isGoneForGood(note);
  const held = await askFlag(note, `globalThis.${LEAK} !== undefined`, signal);
  // One whose heap is nearly full answers late or not at all; one that has ended meanwhile is not leaking any more.
  return held ?? (await isAlive(note));
}

async function letGo(note: TargetNote, signal: AbortSignal): Promise<void> {
  if (!(await isAlive(note))) return;
  const expression = `clearInterval(globalThis.${LEAK}?.timer); delete globalThis.${LEAK}; true`;
  await evaluate(note, expression, signal);
}

/**
 * The event loop of a process that runs on Node stands still: it computes, and does nothing else.
 * @example
 * await using fault = await kit.inject(loopBlock, { identity, forMs: 10_000 });
 */
export const loopBlock = defineFault({
  kind: 'loopBlock',
  description: 'The event loop of a process that runs on Node stands still.',
  options: z.strictObject({
    identity: TargetIdentity,
    /** It turns again after so long, in ms, when nobody takes the fault back. */
    forMs: z.int().positive().max(60_000).default(30_000),
  }),
  note: TargetNote,
  caps: { seconds: 60, bytes: 0 },
  capability: needsProc,
  open: async ({ identity, forMs }) => {
    const note = await noteTarget(identity);
    return {
      note,
      isPresent: (signal) => isBlocked(note, signal),
      apply: async (signal) => {
        await expectAlive(identity);
        await evaluate(identity, blockExpression(forMs), signal);
      },
      revert: (signal) => unblock(note, signal),
    };
  },
  recover: unblock,
  remains: isBlocked,
});

const BLOCK = '__buddy_fault_block';

function blockExpression(forMs: number): string {
  return `
    globalThis.${BLOCK} = true;
    setTimeout(function blockedByFault() {
      const end = performance.now() + ${forMs};
      while (globalThis.${BLOCK} && performance.now() < end);
    }, 1); true`;
}

async function isBlocked(note: TargetNote, signal: AbortSignal): Promise<boolean> {
  return stopInside(note, signal, async () => undefined);
}

async function unblock(note: TargetNote, signal: AbortSignal): Promise<void> {
  await stopInside(note, signal, async (inspector, callFrameId) => {
    const expression = `globalThis.${BLOCK} = false`;
    await inspector.call('Debugger.evaluateOnCallFrame', { callFrameId, expression });
  });
}

/**
 * A loop that stands still runs no code of ours, unless a debugger stops it and runs it there.
 * @returns Whether it stood still by this fault.
 */
async function stopInside(
  note: TargetNote,
  signal: AbortSignal,
  act: (inspector: Inspector, callFrameId: string) => Promise<void>,
): Promise<boolean> {
  if (!(await isAlive(note))) return false;
  await using inspector = await inspect(note, signal);
  const paused = inspector.next('Debugger.paused');
  await inspector.call('Debugger.enable');
  await inspector.call('Debugger.pause');
  // Where nothing runs, this does: so it is stopped in any case, and where says what was running.
  const evaluated = inspector.call('Runtime.evaluate', { expression: '0' }).catch(() => undefined);
  const { callFrames } = parseOrThrow(Paused, await paused, 'a stack');
  const [innermost] = callFrames;
  const isBlocking = callFrames.some(({ functionName }) => functionName === 'blockedByFault');
  if (isBlocking && innermost) await act(inspector, innermost.callFrameId);
  await inspector.call('Debugger.disable'); // which lets it go on
  if (!isBlocking) await evaluated;
  return isBlocking;
}

const Paused = z.object({
  callFrames: z.array(z.object({ callFrameId: z.string(), functionName: z.string() })).min(1),
});

/**
 * A process that runs on Node opens descriptors and does not close them, until it has `leave` left.
 * @example
 * await using fault = await kit.inject(fdLeak, { identity });
 */
export const fdLeak = defineFault({
  kind: 'fdLeak',
  description: 'A process that runs on Node has opened nearly all descriptors that it may.',
  options: z.strictObject({
    identity: TargetIdentity,
    /** Fewer than that, and it could not be told to close them. */
    leave: z.int().min(4).default(4),
  }),
  note: TargetNote,
  caps: { seconds: 120, bytes: 0 },
  capability: needsProc,
  open: async ({ identity, leave }, { scratch }) => {
    const note = await noteTarget(identity);
    return {
      note,
      isPresent: () => holdsLeaked(note),
      apply: async (signal) => {
        await expectAlive(identity);
        const path = join(scratch, LEAKED_FILE);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, '');
        await leakDescriptors(identity, { path, leave, signal });
      },
      revert: (signal) => closeLeaked(note, signal),
    };
  },
  recover: closeLeaked,
  remains: holdsLeaked,
});

const LEAKED_FILE = 'leaked-descriptor';
const DESCRIPTORS = '__buddy_fault_fds';
const MOST_DESCRIPTORS = 65_536;

async function leakDescriptors(
  identity: ProcessIdentity,
  { path, leave, signal }: { path: string; leave: number; signal: AbortSignal },
): Promise<void> {
  await using inspector = await inspect(identity, signal);
  const { count = 0, limit = Infinity } = (await readFigures(identity.pid))?.openFiles ?? {};
  const wanted = limit - count - leave;
  if (wanted > MOST_DESCRIPTORS) {
    throw new FaultCapError(
      `Process ${identity.pid} may open ${limit} descriptors; this fault takes ${MOST_DESCRIPTORS} at most. Start it with a lower limit (ulimit -n).`,
    );
  }
  await evaluateWith(
    inspector,
    `(() => {
      const { openSync } = process.getBuiltinModule('node:fs');
      const open = (globalThis.${DESCRIPTORS} ??= []);
      for (let left = ${Math.max(1, wanted)}; left > 0; left -= 1) open.push(openSync(${JSON.stringify(path)}));
      return true;
    })()`,
  );
}

async function holdsLeaked(note: TargetNote): Promise<boolean> {
  const open = await descriptorsOf(note.pid);
  // A file that was deleted meanwhile is told with a word behind its name.
  return open.some((path) => path.includes(`/${LEAKED_FILE}`)) && isAlive(note);
}

async function closeLeaked(note: TargetNote, signal: AbortSignal): Promise<void> {
  if (!(await holdsLeaked(note))) return;
  await evaluate(
    note,
    `(() => {
      const { closeSync } = process.getBuiltinModule('node:fs');
      for (const descriptor of globalThis.${DESCRIPTORS} ?? []) closeSync(descriptor);
      globalThis.${DESCRIPTORS} = [];
      return true;
    })()`,
    signal,
  );
}

function inspect({ pid }: ProcessIdentity, signal: AbortSignal): Promise<Inspector> {
  return inspectProcess({ pid, clock: systemClock, signal });
}

async function evaluate(
  target: ProcessIdentity,
  expression: string,
  signal: AbortSignal,
): Promise<unknown> {
  await using inspector = await inspect(target, signal);
  return await evaluateWith(inspector, expression); // before the line is closed
}

const Evaluated = z.object({
  result: z.object({ value: z.unknown() }),
  exceptionDetails: z
    .object({ exception: z.object({ description: z.string() }).optional() })
    .optional(),
});

async function evaluateWith(inspector: Inspector, expression: string): Promise<unknown> {
  const answer = await inspector.call('Runtime.evaluate', { expression, returnByValue: true });
  const { result, exceptionDetails } = parseOrThrow(
    Evaluated,
    answer,
    'an answer of the inspector',
  );
  if (!exceptionDetails) return result.value;
  const { description = 'it threw' } = exceptionDetails.exception ?? {};
  throw new GuardianMisuseError(`The fault could not be put into the process: ${description}`);
}

/** Undefined when the process stands still, is gone, or goes at this moment. */
async function askFlag(
  target: ProcessIdentity,
  expression: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SILENT_MS)]);
  try {
    return (await evaluate(target, expression, limit)) === true;
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted || error instanceof InspectorLostError) return undefined;
    throw error;
  }
}
