// oxlint-disable-next-line import/no-unassigned-import -- what the next import asks for
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export type CertificateKind = 'good' | 'expiring' | 'expired' | 'not_yet' | 'wrong_host';

const DAY_MS = 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** From and until, in days from now. */
const VALID: Readonly<Record<CertificateKind, readonly [number, number]>> = {
  good: [-1, 90],
  expiring: [-1, 3],
  expired: [-10, -1],
  not_yet: [1, 90],
  wrong_host: [-1, 90],
};
const day = (days: number) => new Date(Date.now() + days * DAY_MS);

/** A certificate made for this test run, signed by a certificate authority made for it too. */
export async function makeCertificate(
  kind: CertificateKind,
): Promise<{ key: string; cert: string; ca: string }> {
  const authority = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Buddy test authority',
    notBefore: day(-30),
    notAfter: day(365),
    signingAlgorithm: algorithm,
    keys: authority,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const [from, until] = VALID[kind];
  const host = kind === 'wrong_host' ? 'somewhere-else.test' : 'localhost';
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: `CN=${host}`,
    issuer: ca.subject,
    notBefore: day(from),
    notAfter: day(until),
    signingAlgorithm: algorithm,
    publicKey: own.publicKey,
    signingKey: authority.privateKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', own.privateKey);
  return {
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    cert: cert.toString('pem'),
    ca: ca.toString('pem'),
  };
}
