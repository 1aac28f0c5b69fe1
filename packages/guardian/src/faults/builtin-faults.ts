import type { Fault } from './define-fault.ts';
import { type Capability, type FaultHost, thisHost } from './host.ts';
import { credentialRotate } from './network/credential-rotate.ts';
import { dns } from './network/dns-fault.ts';
import { http } from './network/http-fault.ts';
import { netns } from './network/netns.ts';
import { relay, tcpBlackhole } from './network/path-faults.ts';
import { tls } from './network/tls-fault.ts';
import { fileRemove } from './world.ts';

/** All faults that come with the package. */
export const builtinFaults: readonly Fault<never>[] = [
  credentialRotate,
  dns,
  fileRemove,
  http,
  netns,
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
