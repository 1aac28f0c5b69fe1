import {
  earliestExpiry,
  handshake,
  type PresentationProbeOptions,
} from '../../probes/layers/presentation.ts';
import type { VerifiedCertificate } from '../../resource/adapters/network.ts';

/** What a handshake with everything verified shows; undefined when it does not stand. */
export async function verifiedCertificate(
  options: Pick<PresentationProbeOptions, 'target' | 'ca' | 'serverName'>,
  signal: AbortSignal,
): Promise<VerifiedCertificate | undefined> {
  try {
    const socket = await handshake(options, options.serverName ?? options.target.host, signal);
    const leaf = socket.getPeerCertificate(true);
    socket.destroy();
    return { fingerprint: leaf.fingerprint256, expiresAt: earliestExpiry(leaf) };
  } catch {
    signal.throwIfAborted();
    return undefined; // why not is what the probe tells
  }
}
