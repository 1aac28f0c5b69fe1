import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import {
  certificateExpired,
  type CertificatePair,
  createGuardian,
  createTlsClient,
  pemFiles,
  type TlsAdapter,
} from '@buddy/guardian';
import { type CertificateFlaw, createTestAuthority } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import {
  authority,
  issue,
  openCertifiedServer,
  openExpiredWorld,
  serveTls,
  shownAt,
} from '../worlds/certificate-expired.ts';
import { hurried } from '../worlds/hurried.ts';

const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const fingerprintOf = ({ cert }: CertificatePair) => new X509Certificate(cert).fingerprint256;

describePlaybook(certificateExpired, openExpiredWorld);

async function serve(...args: Parameters<typeof serveTls>) {
  const served = await serveTls(...args);
  closers.push(() => served.close());
  return served;
}

async function makeServer(...args: Parameters<typeof openCertifiedServer>) {
  const served = await openCertifiedServer(...args);
  closers.push(() => served.close());
  return served;
}

async function heal(tls: TlsAdapter) {
  const guardian = createGuardian(
    { longestStableMs: 50, confirm: { samples: 1 } },
    { resources: [{ id: 'api-tls', adapter: tls }], playbooks: [hurried(certificateExpired)] },
  );
  closers.push(() => guardian.stop());
  await guardian.start();
  const reading = await tls.probe(signal);
  const told = 'signal' in reading ? reading.signal : reading.status;
  const { outcome } = await guardian.report({ resource: 'api-tls', signal: told });
  return { told, outcome: await outcome, reason: guardian.openIncidents[0]?.reason };
}

describe('playbook certificate_expired', () => {
  const flaws: readonly [CertificateFlaw, string][] = [
    ['expired', 'tls.cert_has_expired'],
    ['expiring', 'tls.expires_soon'],
    ['notYet', 'tls.cert_not_yet_valid'],
    ['wrongHost', 'tls.err_tls_cert_altname_invalid'],
    ['selfSigned', 'tls.depth_zero_self_signed_cert'],
  ];
  it.each(flaws)(
    'takes a renewed certificate into use where one is %s',
    async (flaw, signalName) => {
      const { tls, port, lay } = await makeServer(flaw);
      const renewed = await issue('good');
      lay(renewed);
      expect(await heal(tls)).toMatchObject({ told: signalName, outcome: 'restored' });
      expect(await shownAt(port)).toBe(fingerprintOf(renewed));
    },
  );

  it('lets a connection that is open be, while the certificate is swapped', async () => {
    const { tls, port, server } = await makeServer('expiring');
    server
      .removeAllListeners('secureConnection')
      .on('secureConnection', (socket) => socket.pipe(socket));
    const open = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.ca });
    await once(open, 'secureConnect');
    expect((await heal(tls)).outcome).toBe('restored');
    open.write('still there');
    const [echo] = await once(open, 'data');
    expect(String(echo)).toBe('still there');
    open.destroy();
  });

  it.each<[CertificateFlaw, string]>([
    ['expired', 'it is valid until'],
    ['notYet', 'it is not valid before'],
    ['wrongHost', 'it is not for localhost'],
    ['expiring', 'it is valid until'],
  ])('does not take into use a certificate from the source that is %s', async (flaw, why) => {
    const { tls, port } = await makeServer('expired', flaw);
    const before = await shownAt(port);
    const { outcome, reason } = await heal(tls);
    expect(outcome).toBe('escalated');
    expect(reason).toContain(why);
    expect(await shownAt(port)).toBe(before);
  });

  it('takes back a certificate that its callers do not trust', async () => {
    const { tls, port, lay } = await makeServer('expired');
    lay(await (await createTestAuthority()).issue('localhost'));
    const before = await shownAt(port);
    expect((await heal(tls)).outcome).toBe('escalated');
    expect(await shownAt(port)).toBe(before);
  });

  it('takes no key that belongs to another certificate, and has no key in what it says', async () => {
    const { tls, lay } = await makeServer('expired');
    const [one, other] = [await issue('good'), await issue('good')];
    lay({ cert: one.cert, key: other.key });
    const { reason } = await heal(tls);
    expect(reason).toContain('its key belongs to another');
    expect(reason).not.toContain('PRIVATE KEY');
    lay({ cert: one.cert, key: 'not a key at all' });
    const failure = await tls.renewContext(signal).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'GUARDIAN_CERTIFICATE_REFUSED' });
    expect(String(failure)).not.toContain('not a key at all');
  });

  it('leads a client to another server whose certificate is good, and never to one whose is not', async () => {
    const [bad, worse, good] = await Promise.all(
      (['expired', 'wrongHost', 'good'] as const).map(async (flaw) => serve(await issue(flaw))),
    );
    const way = (at: typeof bad) => ({
      host: '127.0.0.1',
      port: at?.port ?? 0,
      serverName: 'localhost',
    });
    const client = createTlsClient({
      ways: { bad: way(bad), worse: way(worse), good: way(good) },
      ca: authority.ca,
    });
    expect(await heal(client)).toMatchObject({ outcome: 'restored' });
    expect(client.currentWay()).toMatchObject({ port: good?.port });
    const lost = createTlsClient({ ways: { bad: way(bad), worse: way(worse) }, ca: authority.ca });
    expect((await heal(lost)).outcome).toBe('escalated');
    expect(lost.currentContext()).toBe('bad');
  });
});

describe('a certificate in files', () => {
  it('is read anew each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-tls-'));
    closers.push(() => rm(folder, { recursive: true }));
    const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const source = pemFiles(paths);
    for (let renewals = 0; renewals < 2; renewals += 1) {
      const pair = await issue('good');
      await writeFile(paths.cert, pair.cert);
      await writeFile(paths.key, pair.key);
      expect(await source.newest(signal)).toEqual(pair);
    }
  });
});
