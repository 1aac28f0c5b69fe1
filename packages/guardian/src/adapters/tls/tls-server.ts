import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { failed } from '../../probes/layers/layer.ts';
import { presentationProbe } from '../../probes/layers/presentation.ts';
import type { TlsAdapter } from '../../resource/adapters/network.ts';
import {
  type CertificatePair,
  type CertificateSource,
  expectUsable,
  readPair,
} from './certificate-source.ts';
import { verifiedCertificate } from './verified-certificate.ts';

export const TlsServerOptions = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65_535),
  /** Name that the certificate has to bear. */
  serverName: z.string().min(1),
  /** Certificate authorities that its callers trust, PEM. Default: those of Node. */
  ca: z.string().optional(),
  /** Less than this until the earliest expiry in the chain is DEGRADED, and not good enough for a new one, in ms. */
  expiresSoonMs: z
    .number()
    .nonnegative()
    .default(7 * 86_400_000),
});
export type TlsServerInput = z.input<typeof TlsServerOptions>;

export interface TlsServerPorts {
  /** `tls.Server`, `https.Server` or an HTTP/2 one: what takes a new context while it serves. */
  server: { setSecureContext(pair: CertificatePair): void };
  source: CertificateSource;
  /** What the server was started with. */
  first: CertificatePair;
  clock?: Clock;
}

export interface TlsServer extends TlsAdapter {
  /** Takes this pair into use, whatever it is worth: for a person who knows better. Answers the context's name. */
  load(pair: CertificatePair): string;
}

/** Old contexts are remembered so far back, that a step can be taken back. */
const MOST_REMEMBERED = 4;

/**
 * The TLS of a server in this process: a renewed pair from the source is swapped in while it serves, connections that are open stay.
 * A context is named by the start of its certificate's fingerprint.
 * @throws {InvalidInputError} When the options are not usable.
 * @throws {CertificateRefusedError} When `first` is no pair.
 */
export function createTlsServer(input: TlsServerInput, ports: TlsServerPorts): TlsServer {
  const options = parseOrThrow(TlsServerOptions, input, 'a TLS server');
  const { server, source, clock = systemClock } = ports;
  const { host, port, serverName, ca, expiresSoonMs } = options;
  const seen = { target: { host, port }, serverName, ...(ca !== undefined && { ca }) };
  const probe = presentationProbe({ ...seen, expiresSoonMs, clock });
  const contexts = new Map<string, { pair: CertificatePair; fingerprint: string }>();
  const remember = (pair: CertificatePair): string => {
    const { fingerprint256: fingerprint } = readPair(pair);
    const name = fingerprint.replaceAll(':', '').slice(0, 16).toLowerCase();
    contexts.delete(name); // and so the youngest again
    contexts.set(name, { pair, fingerprint });
    const [oldest] = contexts.keys();
    if (contexts.size > MOST_REMEMBERED && oldest !== undefined) contexts.delete(oldest);
    return name;
  };
  let current = remember(ports.first);
  const load = (pair: CertificatePair): string => {
    const name = remember(pair);
    server.setSecureContext(pair);
    current = name;
    return name;
  };
  return {
    kind: 'tls',
    probe: (signal) => probe.look(signal),
    certificate: (signal) => verifiedCertificate(seen, signal),
    contexts: () => [...contexts.keys()],
    currentContext: () => current,
    servesCurrent: async (signal) => {
      const certificate = await verifiedCertificate(seen, signal);
      const served = certificate?.fingerprint;
      if (served !== undefined && served === contexts.get(current)?.fingerprint) {
        return { status: 'HEALTHY' };
      }
      const what = served === undefined ? 'none that can be verified' : served;
      const note = `${host}:${port} shows another certificate than ${current}: ${what}`;
      return failed('tls.not_current', 'decisive', note);
    },
    renewContext: async (signal) => {
      const pair = await source.newest(signal);
      expectUsable(readPair(pair), { serverName, goodForMs: expiresSoonMs, now: clock.now() });
      signal.throwIfAborted();
      load(pair);
    },
    useContext: async (name) => {
      const context = contexts.get(name);
      if (!context) {
        const known = [...contexts.keys()].join(', ');
        throw new GuardianMisuseError(`There is no context "${name}"; there are ${known}.`);
      }
      load(context.pair);
    },
    load,
  };
}
