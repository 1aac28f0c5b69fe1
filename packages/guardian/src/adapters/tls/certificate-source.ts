import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '@buddy/core';
import { BuddyError } from '@buddy/core';

/** A certificate with its chain, and its private key, both PEM. */
export interface CertificatePair {
  cert: string;
  key: string;
}

/** Where renewed certificates come from: a folder that an ACME client writes, a secrets store. */
export interface CertificateSource {
  newest(signal: AbortSignal): Promise<CertificatePair>;
}

/** A pair of certificate and key cannot be used; what was used before still is. The key is in no message. */
export class CertificateRefusedError extends BuddyError {
  readonly code = 'GUARDIAN_CERTIFICATE_REFUSED';
}

/**
 * The pair in two PEM files, read anew each time.
 * @example
 * const source = pemFiles({ cert: '/etc/letsencrypt/live/api/fullchain.pem', key: '/etc/letsencrypt/live/api/privkey.pem' });
 */
export function pemFiles(
  paths: { cert: string; key: string },
  { clock = systemClock }: { clock?: Clock } = {},
): CertificateSource {
  return {
    newest: (signal) =>
      clock.external(async () => {
        const [cert, key] = await Promise.all(
          [paths.cert, paths.key].map((path) => readFile(path, { encoding: 'utf8', signal })),
        );
        return { cert: cert ?? '', key: key ?? '' };
      }),
  };
}

export interface Expectation {
  serverName: string;
  /** It has to be good for so long from now on, in ms. */
  goodForMs: number;
  now: number;
}

/** Parses a pair as far as it can be without a handshake. */
export function readPair({ cert, key }: CertificatePair): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return refuse('it is no PEM certificate');
  }
  let isPair: boolean;
  try {
    isPair = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return refuse('its key is no PEM private key'); // without the parser's message, which may quote it
  }
  return isPair ? certificate : refuse('its key belongs to another');
}

/** @throws {CertificateRefusedError} When it would not stand a handshake: only the chain is left to that. */
export function expectUsable(
  certificate: X509Certificate,
  { serverName, goodForMs, now }: Expectation,
): void {
  if (certificate.validFromDate.getTime() > now) {
    refuse(`it is not valid before ${certificate.validFromDate.toISOString()}`);
  }
  if (certificate.validToDate.getTime() - now < goodForMs) {
    refuse(`it is valid until ${certificate.validToDate.toISOString()} only`);
  }
  // `checkIP` throws on a name.
  const bearsName =
    isIP(serverName) === 0 ? certificate.checkHost(serverName) : certificate.checkIP(serverName);
  if (bearsName === undefined) refuse(`it is not for ${serverName}`);
}

function refuse(why: string): never {
  throw new CertificateRefusedError(
    `The certificate is not taken into use: ${why}; what was used before still is.`,
  );
}
