import { agentScript } from './agent-script.ts';
import type { Fault } from './define-fault.ts';
import { diskFill } from './disk-fill.ts';
import { fakeOllama } from './fake-ollama.ts';
import { fileCorrupt, fileTruncate, policyTamper } from './file-faults.ts';
import { guardStub } from './guard-stub.ts';
import { type Capability, type FaultHost, thisHost } from './host.ts';
import { credentialRotate } from './network/credential-rotate.ts';
import { dns } from './network/dns-fault.ts';
import { http } from './network/http-fault.ts';
import { netns } from './network/netns.ts';
import { relay, tcpBlackhole } from './network/path-faults.ts';
import { tls } from './network/tls-fault.ts';
import { fdLeak, heapLeak, loopBlock } from './node-runtime.ts';
import { portOccupy } from './port-occupy.ts';
import { processExit, processKill, processStop } from './process.ts';
import { fileRemove } from './world.ts';

/** All faults that come with the package. */
export const builtinFaults: readonly Fault<never>[] = [
  agentScript,
  credentialRotate,
  diskFill,
  dns,
  ...Object.values(fakeOllama),
  fdLeak,
  fileCorrupt,
  fileRemove,
  fileTruncate,
  guardStub,
  heapLeak,
  http,
  loopBlock,
  netns,
  policyTamper,
  portOccupy,
  processExit,
  processKill,
  processStop,
  relay,
  tcpBlackhole,
  tls,
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
