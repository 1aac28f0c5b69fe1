import type * as X509 from '@peculiar/x509';
import { type Clock, systemClock } from '@buddy/core';
import type { CertificatePair } from '../../adapters/tls/certificate-source.ts';
import { FaultUnavailableError } from '../errors.ts';

/** What is wrong with a certificate; `good` is good for 90 days, `expiring` for three. */
export type CertificateFlaw =
  | 'good'
  | 'expiring'
  | 'expired'
  | 'notYet'
  | 'wrongHost'
  | 'selfSigned';

/** A certificate authority that nobody trusts who was not told to. */
export interface TestAuthority {
  /** PEM; what callers trust. */
  readonly ca: string;
  /** Makes a new key, and a certificate for it with this flaw. */
  issue(host: string, flaw?: CertificateFlaw): Promise<CertificatePair>;
}

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** From and until, in days from now. */
const VALID: Readonly<Record<CertificateFlaw, readonly [number, number]>> = {
  good: [-1, 90],
  expiring: [-1, 3],
  expired: [-10, -1],
  notYet: [1, 90],
  wrongHost: [-1, 90],
  selfSigned: [-1, 90],
};

/**
 * Makes a certificate authority for tests. Needs the optional peer dependencies `@peculiar/x509` and `reflect-metadata`.
 * @throws {FaultUnavailableError} When they are not installed.
 * @example
 * const authority = await createTestAuthority();
 * const server = https.createServer(await authority.issue('localhost'));
 */
export async function createTestAuthority({
  clock = systemClock,
}: { clock?: Clock } = {}): Promise<TestAuthority> {
  const x509 = await loadX509();
  const day = (days: number) => new Date(clock.now() + days * DAY_MS);
  const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const keys = await newKeys();
  let serial = 1;
  const nextSerial = () => (serial++).toString(16).padStart(4, '0');
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: nextSerial(),
    name: 'CN=Buddy test authority',
    notBefore: day(-30),
    notAfter: day(365),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  return {
    ca: root.toString('pem'),
    issue: async (host, flaw = 'good') => {
      const own = await newKeys();
      const [from, until] = VALID[flaw];
      const bearer = flaw === 'wrongHost' ? 'somewhere-else.test' : host;
      const isAddress = /^[\d.]+$|:/.test(bearer);
      const subject = `CN=${bearer}`;
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: nextSerial(),
        subject,
        issuer: flaw === 'selfSigned' ? subject : root.subject,
        notBefore: day(from),
        notAfter: day(until),
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: flaw === 'selfSigned' ? own.privateKey : keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: isAddress ? 'ip' : 'dns', value: bearer },
          ]),
        ],
      });
      const pkcs8 = await crypto.subtle.exportKey('pkcs8', own.privateKey);
      return {
        cert: certificate.toString('pem'),
        key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
      };
    },
  };
}

export async function canIssueCertificates(): Promise<boolean> {
  return loadX509().then(
    () => true,
    () => false,
  );
}

async function loadX509(): Promise<typeof X509> {
  try {
    await import('reflect-metadata'); // what the next one asks for
    return await import('@peculiar/x509');
  } catch (error) {
    throw new FaultUnavailableError(
      'tls',
      `certificates are made by the optional packages @peculiar/x509 and reflect-metadata: install them (${String(error)})`,
    );
  }
}
