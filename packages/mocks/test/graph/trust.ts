import tls from 'node:tls';

/** Lets every TLS client of this process trust `ca` as well. @returns Takes the trust back. */
export function trust(ca: string): () => void {
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, ca]);
  return () => tls.setDefaultCACertificates(before);
}
