import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { type CertificatePair, createTlsServer } from '@buddy/guardian';
import { type CertificateFlaw, createTestAuthority } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';

const { signal } = new AbortController();

export const authority = await createTestAuthority();
export const issue = (flaw: CertificateFlaw) => authority.issue('localhost', flaw);

export async function openExpiredWorld(): Promise<PlaybookWorld> {
  const { tls, port, lay, close } = await openCertifiedServer('good');
  return {
    resources: [{ id: 'api-tls', adapter: tls }],
    subject: 'api-tls',
    isBrokenInSteps: true,
    fault: {
      name: 'the certificate is expired',
      apply: async () => {
        tls.load(await issue('expired'));
        lay(await issue('good'));
      },
      isPresent: async () => (await tls.certificate(signal)) === undefined,
      revert: async () => {
        tls.load(await issue('good'));
      },
    },
    symptom: async () => ({ signal: 'tls.cert_has_expired' }),
    state: async () => ({ context: tls.currentContext(), shown: await shownAt(port) }),
    close,
  };
}

/** A server with this certificate, and a source in which a renewed one lies. */
export async function openCertifiedServer(
  flaw: CertificateFlaw,
  renewed: CertificateFlaw = 'good',
) {
  const first = await issue(flaw);
  const { server, port, close } = await serveTls(first);
  let newest = await issue(renewed);
  const tls = createTlsServer(
    { port, serverName: 'localhost', ca: authority.ca },
    { server, source: { newest: async () => newest }, first },
  );
  return {
    tls,
    port,
    server,
    close,
    lay: (pair: CertificatePair) => {
      newest = pair;
    },
  };
}

export async function serveTls(pair: CertificatePair) {
  const server = createServer(pair, (socket) => socket.on('error', () => undefined).end('hello'));
  server.on('tlsClientError', () => undefined); // whoever refuses the certificate goes away
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  return { server, port, close };
}

/** What a stranger sees who looks at the certificate and believes nothing. */
export async function shownAt(port: number): Promise<string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
