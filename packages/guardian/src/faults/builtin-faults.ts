import type { Fault } from './define-fault.ts';
import { diskFill } from './disk-fill.ts';
import { fileCorrupt, fileTruncate, policyTamper } from './file-faults.ts';
import { type Capability, type FaultHost, thisHost } from './host.ts';
import { fdLeak, heapLeak, loopBlock } from './node-runtime.ts';
import { portOccupy } from './port-occupy.ts';
import { processExit, processKill, processStop } from './process.ts';
import { fileRemove } from './world.ts';

/** All faults that come with the package. */
export const builtinFaults: readonly Fault<never>[] = [
  diskFill,
  fdLeak,
  fileCorrupt,
  fileRemove,
  fileTruncate,
  heapLeak,
  loopBlock,
  policyTamper,
  portOccupy,
  processExit,
  processKill,
  processStop,
];

/** Which faults can be injected on this machine by this user, and why the others cannot. */
export async function capabilities(
  faults: readonly Fault<never>[] = builtinFaults,
  host: FaultHost = thisHost(),
): Promise<Readonly<Record<string, Capability>>> {
  const found = await Promise.all(
    faults.map(async (fault) => [fault.kind, await fault.capability(host)] as const),
  );
  return Object.fromEntries(found);
}
