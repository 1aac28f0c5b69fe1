import { BuddyError, type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { presentationProbe } from '../../probes/layers/presentation.ts';
import type { TlsAdapter } from '../../resource/adapters/network.ts';
import { verifiedCertificate } from './verified-certificate.ts';

const TlsWay = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(443),
  /** Name that the certificate has to bear. Default: the host. */
  serverName: z.string().min(1).optional(),
});
export type TlsWay = z.output<typeof TlsWay>;

export const TlsClientOptions = z.strictObject({
  /** Servers of the same thing, by name; the first is the one in use. */
  ways: z
    .record(z.string().min(1), TlsWay)
    .refine((ways) => Object.keys(ways).length > 0, 'at least one way'),
  /** Certificate authorities to trust, PEM. Default: those of Node. */
  ca: z.string().optional(),
  /** Less than this until the earliest expiry in the chain is DEGRADED, in ms. */
  expiresSoonMs: z
    .number()
    .nonnegative()
    .default(7 * 86_400_000),
});
export type TlsClientInput = z.input<typeof TlsClientOptions>;

/** None of the other ways stands a handshake in which everything is verified. */
export class NoVerifiedWayError extends BuddyError {
  readonly code = 'GUARDIAN_NO_VERIFIED_WAY';
}

export interface TlsClient extends TlsAdapter {
  /** Where to connect to next. */
  currentWay(): TlsWay;
}

/**
 * A server of others that we call by TLS. We cannot renew its certificate, so what heals is another way to the same thing that
 * stands a verified handshake; verification is never switched off.
 * @throws {InvalidInputError} When the options are not usable.
 */
export function createTlsClient(
  input: TlsClientInput,
  { clock = systemClock }: { clock?: Clock } = {},
): TlsClient {
  const { ways, ca, expiresSoonMs } = parseOrThrow(TlsClientOptions, input, 'a TLS client');
  const names = Object.keys(ways);
  let current = names[0] ?? '';
  const wayOf = (name: string): TlsWay => {
    const way = ways[name];
    if (way) return way;
    throw new GuardianMisuseError(`There is no way "${name}"; there are ${names.join(', ')}.`);
  };
  const seenBy = (name: string) => {
    const { host, port, serverName = host } = wayOf(name);
    return { target: { host, port }, serverName, ...(ca !== undefined && { ca }) };
  };
  const look = (name: string, signal: AbortSignal) =>
    presentationProbe({ ...seenBy(name), expiresSoonMs, clock }).look(signal);
  return {
    kind: 'tls',
    currentWay: () => wayOf(current),
    probe: (signal) => look(current, signal),
    certificate: (signal) => verifiedCertificate(seenBy(current), signal),
    contexts: () => names,
    currentContext: () => current,
    // What the way in use shows is what it is: there is nothing else to hold it against.
    servesCurrent: (signal) => look(current, signal),
    renewContext: async (signal) => {
      for (const name of names) {
        if (name === current) continue;
        if ((await look(name, signal)).status !== 'HEALTHY') continue;
        current = name;
        return;
      }
      throw new NoVerifiedWayError(
        `None of the other ways (${names.filter((name) => name !== current).join(', ') || 'there is none'}) stands a verified handshake.`,
      );
    },
    useContext: async (name) => {
      wayOf(name);
      current = name;
    },
  };
}
