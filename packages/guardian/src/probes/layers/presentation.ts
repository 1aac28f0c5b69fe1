import { isIP } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '@buddy/core';
import type { Reading } from '../../resource/reading.ts';
import { readingOfConnectError, type Target } from './connect.ts';
import { errorCode, failed, type LayerProbe, type NegativeControl } from './layer.ts';

export interface PresentationProbeOptions {
  target: Target;
  /** Name that the certificate has to bear. Default: the host. */
  serverName?: string;
  /** Certificate authorities to trust, PEM. Default: those of Node. */
  ca?: string | readonly string[];
  /** Less than this until the earliest expiry in the chain is DEGRADED, in ms. Default 7 days. */
  expiresSoonMs?: number;
  clock: Clock;
}

const WEEK_MS = 7 * 86_400_000;
const DAY_MS = 86_400_000;
const WRONG_NAME = 'buddy-negative-control.invalid';

/**
 * Layer 6: does TLS stand, with everything verified, and for how long will it? The control is the same handshake for a name
 * that the certificate cannot bear: where that passes, nobody verifies.
 */
export function presentationProbe(options: PresentationProbeOptions): LayerProbe {
  const { target, clock, expiresSoonMs = WEEK_MS } = options;
  return {
    layer: 6,
    name: `TLS of ${target.host}:${target.port}`,
    control: wrongNameFails(options),
    look: async (signal) => {
      let socket: TLSSocket;
      try {
        socket = await handshake(options, options.serverName ?? target.host, signal);
      } catch (error) {
        return readingOfTlsError(error, target);
      }
      const expiresAt = earliestExpiry(socket.getPeerCertificate(true));
      socket.destroy();
      const leftMs = expiresAt - clock.now();
      if (leftMs >= expiresSoonMs) return { status: 'HEALTHY' };
      const note = `a certificate in the chain expires in ${Math.floor(leftMs / DAY_MS)} days`;
      return { status: 'DEGRADED', signal: 'tls.expires_soon', note };
    },
  };
}

function wrongNameFails(options: PresentationProbeOptions): NegativeControl {
  return {
    name: 'a wrong name is refused',
    hasFailed: async (signal) => {
      try {
        (await handshake(options, WRONG_NAME, signal)).destroy();
        return false;
      } catch {
        return true;
      }
    },
  };
}

/** A handshake in which everything is verified; rejects when anything is not right. The caller ends the connection. */
export function handshake(
  { target, ca }: Pick<PresentationProbeOptions, 'target' | 'ca'>,
  servername: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTls({
      ...target,
      // An address is no name to ask for; the certificate is held against it all the same.
      ...(isIP(servername) === 0 && { servername }),
      rejectUnauthorized: true,
      ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    });
    const abort = () => socket.destroy(new Error('the handshake was given up'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    });
  });
}

/** In ms since the epoch. The chain goes on in `issuerCertificate`; a root is its own issuer. */
export function earliestExpiry(leaf: DetailedPeerCertificate): number {
  let earliest = Infinity;
  const seen = new Set<string>();
  let current: DetailedPeerCertificate | undefined = leaf;
  while (current && !seen.has(current.fingerprint256)) {
    seen.add(current.fingerprint256);
    earliest = Math.min(earliest, Date.parse(current.valid_to));
    current = current.issuerCertificate;
  }
  return earliest;
}

const VERIFICATION =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_|INVALID_CA)/;

function readingOfTlsError(error: unknown, target: Target): Reading {
  const code = errorCode(error);
  if (code !== undefined && VERIFICATION.test(code)) {
    return failed(
      `tls.${code.toLowerCase()}`,
      'decisive',
      `${target.host}:${target.port}: ${code}`,
    );
  }
  if (code?.startsWith('ERR_SSL_') === true) {
    return failed('tls.handshake_failed', 'decisive', `${target.host}:${target.port}: ${code}`);
  }
  return readingOfConnectError(error, target);
}
