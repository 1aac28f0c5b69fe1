import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { inspectProcess, type InspectOptions } from './inspect-process.ts';

const Paused = z.object({
  callFrames: z.array(
    z.object({
      functionName: z.string(),
      url: z.string(),
      location: z.object({ lineNumber: z.int(), columnNumber: z.int().optional() }),
    }),
  ),
});

/**
 * What a Node process runs at this moment, the innermost function first: `block (file:///api.js:12:3)`. It is stopped for
 * that and goes on. One that waits for events runs nothing, and is waited for until `signal` is aborted.
 * @throws {GuardianMisuseError} When its inspector cannot be reached.
 */
export async function stackOf(options: InspectOptions): Promise<string[]> {
  await using inspector = await inspectProcess(options);
  const paused = inspector.next('Debugger.paused');
  await inspector.call('Debugger.enable');
  await inspector.call('Debugger.pause');
  const { callFrames } = parseOrThrow(Paused, await paused, 'a stack');
  await inspector.call('Debugger.disable'); // which lets it go on
  return callFrames.map(({ functionName, url, location: { lineNumber, columnNumber = 0 } }) => {
    return `${functionName || '(anonymous)'} (${url}:${lineNumber + 1}:${columnNumber + 1})`;
  });
}
