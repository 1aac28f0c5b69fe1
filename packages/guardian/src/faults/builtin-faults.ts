import { agentScript } from './agent-script.ts';
import type { Fault } from './define-fault.ts';
import { diskFill } from './disk-fill.ts';
import { fakeOllama } from './fake-ollama.ts';
import { fileCorrupt, fileTruncate, policyTamper } from './file-faults.ts';
import { guardStub } from './guard-stub.ts';
import { type Capability, type FaultHost, thisHost } from './host.ts';
import { fileRemove } from './world.ts';

/** All faults that come with the package. */
export const builtinFaults: readonly Fault<never>[] = [
  agentScript,
  diskFill,
  fileCorrupt,
  fileRemove,
  fileTruncate,
  guardStub,
  policyTamper,
  ...Object.values(fakeOllama),
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
