import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import {
  capabilities,
  type CertificateFlaw,
  createTestAuthority,
  credentialRotate,
  dns,
  type DnsMisbehaviour,
  type FaultKit,
  http,
  type HttpMisbehaviour,
  type ImpairmentInput,
  openDnsServer,
  openFaultKit,
  openRelay,
  recoverFaults,
  relay,
  tcpBlackhole,
  tls,
} from '@buddy/guardian/faults';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveHttp } from '../worlds/http-server.ts';

let folder: string;
let kit: FaultKit;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guardian-network-'));
  kit = openFaultKit({ folder: join(folder, 'journal') });
});

afterEach(async () => {
  await kit.close();
  for (const close of closers.splice(0).toReversed()) await close();
  await rm(folder, { recursive: true });
});

/** A TCP server that sends back what it gets, and a relay before it. */
async function makeRelay() {
  const server = createTcpServer((socket) =>
    socket.on('error', () => socket.destroy()).pipe(socket),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const way = await openRelay({ target: { host: '127.0.0.1', port } });
  closers.push(async () => {
    await way.close();
    server.close();
  });
  return way;
}

/** Sends it all, ends, and reads what comes back until the end. */
async function throughRelay(port: number, chunks: readonly Uint8Array[]): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port });
  const back: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => back.push(chunk));
  for (const chunk of chunks) socket.write(chunk);
  socket.end();
  await once(socket, 'close');
  return Buffer.concat(back);
}

describe('a relay', () => {
  const impairments: readonly ImpairmentInput[] = [
    { is: 'latency', delayMs: 60, jitterMs: 10 },
    { is: 'rate', bytesPerSecond: 20_000 },
    { is: 'chunk_loss', share: 0.5 },
    { is: 'reset' },
    { is: 'reset', afterBytes: 1_000 },
    { is: 'half_open' },
    { is: 'stall' },
  ];
  it.each(impairments)('is seen to be well, bad, and well again: $is', async (impairment) => {
    const way = await makeRelay();
    const injected = await kit.inject(relay, { relay: way, impairment });
    expect(await injected.isPresent()).toBe(true);
    await injected.revert();
    expect(injected.state).toBe('reverted');
    expect((await throughRelay(way.port, [Buffer.from('well')])).toString()).toBe('well');
  });

  it('brings all that was sent, in order and to its end, however late', async () => {
    const way = await makeRelay();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), { maxLength: 8 }),
        fc.nat(8),
        fc.nat(8),
        async (chunks, delayMs, jitterMs) => {
          way.impair({ is: 'latency', delayMs, jitterMs });
          const back = await throughRelay(way.port, chunks);
          expect(back.equals(Buffer.concat(chunks))).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('lets go on what it had held back when it is well again', async () => {
    const way = await makeRelay();
    way.impair({ is: 'stall' });
    const back = throughRelay(way.port, [Buffer.from('late')]);
    expect((await way.ping({ bytes: 1, withinMs: 100 }, new AbortController().signal)).is).toBe(
      'silent',
    );
    way.impair(undefined);
    expect((await back).toString()).toBe('late');
  });

  it('goes nowhere but to this machine', async () => {
    await expect(openRelay({ target: { host: '192.0.2.1', port: 80 } })).rejects.toThrow(
      'must be this machine',
    );
  });
});

describe('the fault tcpBlackhole', () => {
  it('accepts where nobody did, says nothing, and is gone', async () => {
    const hole = await kit.inject(tcpBlackhole, {});
    const url = `http://127.0.0.1:${hole.handle.port}/`;
    await expect(fetch(url, { signal: AbortSignal.timeout(200) })).rejects.toThrow('timeout');
    await hole.revert();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('is refused where somebody answers', async () => {
    const { port, close } = await serveHttp((_request, response) => response.end());
    closers.push(close);
    await expect(kit.inject(tcpBlackhole, { port })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the fault dns', () => {
  const ways: readonly DnsMisbehaviour[] = [
    { is: 'timeout' },
    { is: 'servfail' },
    { is: 'nxdomain' },
    { is: 'slow', delayMs: 100 },
    { is: 'lie', address: '127.0.0.9' },
  ];
  it.each(ways)('is seen to come and go: $is', async (misbehaviour) => {
    const server = await openDnsServer({ records: { 'billing.test': ['127.0.0.1'] } });
    closers.push(() => server.close());
    const injected = await kit.inject(dns, { server, misbehaviour });
    expect(await injected.isPresent()).toBe(true);
    await injected.revert();
    expect(server.misbehaviour).toBeUndefined();
  });
});

describe('the fault tls', () => {
  const flaws: readonly Exclude<CertificateFlaw, 'good'>[] = [
    'expired',
    'expiring',
    'notYet',
    'wrongHost',
    'selfSigned',
  ];
  it.each(flaws)('is seen to come and go: %s', async (flaw) => {
    const authority = await createTestAuthority();
    const good = await authority.issue('localhost');
    const server = createTlsServer(good, (socket) => socket.on('error', () => undefined).end());
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(async () => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const injected = await kit.inject(tls, {
      authority,
      good,
      flaw,
      target: { host: '127.0.0.1', port },
      serverName: 'localhost',
      install: (pair) => server.setSecureContext(pair),
    });
    expect(await injected.isPresent()).toBe(true);
    const [record] = (await readdir(join(folder, 'journal'))).filter((name) =>
      name.endsWith('.json'),
    );
    expect(await readFile(join(folder, 'journal', record ?? ''), 'utf8')).not.toContain('KEY');
    await injected.revert();
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority.ca,
    });
    await once(socket, 'secureConnect');
    socket.destroy();
  });
});

describe('the fault http', () => {
  const ways: readonly [HttpMisbehaviour, string][] = [
    [{ is: 'status', status: 500 }, '500'],
    [{ is: 'retryAfter', seconds: 30, status: 429 }, '429 30'],
    [{ is: 'stallBody' }, '200 cut'],
    [{ is: 'stallHead' }, 'silent'],
  ];
  const ask = async (url: string): Promise<string> => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(200) });
      const wait = response.headers.get('retry-after');
      const whole = await response.text().then(
        () => '',
        () => ' cut',
      );
      return `${response.status}${wait === null ? '' : ` ${wait}`}${whole}`;
    } catch {
      return 'silent';
    }
  };

  it.each(ways)('is seen to come and go: %j', async (misbehaviour, seen) => {
    const { server, url, close } = await serveHttp((_request, response) => response.end('ok'));
    closers.push(close);
    const injected = await kit.inject(http, { server, misbehaviour });
    expect(await ask(url)).toBe(seen);
    await injected.revert();
    expect(await ask(url)).toBe('200');
  });

  it('fails so many requests and no more, those of its witness not counted', async () => {
    const { server, url, close } = await serveHttp((_request, response) => response.end('ok'));
    closers.push(close);
    const misbehaviour = { is: 'failFirst', times: 3 } as const;
    const injected = await kit.inject(http, { server, misbehaviour });
    const seen: string[] = [];
    for (let requests = 0; requests < 5; requests += 1) seen.push(await ask(url));
    expect(seen).toEqual(['503', '503', '503', '200', '200']);
    expect(await injected.isPresent()).toBe(false);
  });
});

describe('the fault credentialRotate', () => {
  it('puts another secret there, and the old one back with its mode', async () => {
    const path = join(folder, 'server.key');
    await writeFile(path, 'hunter2', { mode: 0o640 });
    const injected = await kit.inject(credentialRotate, { path });
    const now = await readFile(path, 'utf8');
    expect(now).not.toBe('hunter2');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    const journal = join(folder, 'journal');
    const [record] = (await readdir(journal)).filter((name) => name.endsWith('.json'));
    const note = await readFile(join(journal, record ?? ''), 'utf8');
    expect(note).not.toContain('hunter2');
    expect(note).not.toContain(now);
    await injected.revert();
    expect(await readFile(path, 'utf8')).toBe('hunter2');
  });

  it('is taken back from the journal alone when its process was killed', async () => {
    const path = join(folder, 'server.key');
    const journal = join(folder, 'journal');
    await writeFile(path, 'hunter2');
    const program = `
      import { credentialRotate, openFaultKit } from '@buddy/guardian/faults';
      const kit = openFaultKit({ folder: ${JSON.stringify(journal)} });
      await kit.inject(credentialRotate, { path: ${JSON.stringify(path)} });
      process.stdout.write('injected');
      setInterval(() => undefined, 1_000);
    `;
    const args = ['--conditions=@buddy/source', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      env: { ...process.env, BUDDY_FAULTS: '1' },
    });
    await once(child.stdout, 'data');
    expect(await readFile(path, 'utf8')).not.toBe('hunter2');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await recoverFaults({ folder: journal })).toMatchObject([
      { kind: 'credentialRotate', is: 'reverted' },
    ]);
    expect(await readFile(path, 'utf8')).toBe('hunter2');
  });
});

const UNSHARE = ['--map-root-user', '--net', '--'];
const hasNamespaces =
  process.platform === 'linux' &&
  spawnSync('unshare', [...UNSHARE, 'ip', 'link', 'set', 'lo', 'up']).status === 0;

describe('the fault netns', () => {
  it('is not to be had in the network of the machine, and says why', async () => {
    expect((await capabilities())['netns']).toMatchObject({
      is: 'unavailable',
      reason: expect.stringContaining('unshare'),
    });
  });

  it.skipIf(!hasNamespaces)(
    `takes routes and devices away, and puts them back as they were${hasNamespaces ? '' : ' (SKIPPED: `unshare --net` or `ip` does not work here)'}`,
    async () => {
      const program = `
        import { execFileSync } from 'node:child_process';
        import { netns, openFaultKit, recoverFaults } from '@buddy/guardian/faults';
        const ip = (line) => execFileSync('ip', line.split(' ')).toString();
        ip('link add ours type veth peer name theirs');
        ip('addr add 10.77.1.1/24 dev ours');
        ip('link set ours up');
        ip('link set theirs up');
        ip('route add 10.99.0.0/16 via 10.77.1.9 dev ours');
        const routes = () => ip('route show').replaceAll(/ linkdown| $/gm, '').trim().split('\\n').toSorted();
        const folder = ${JSON.stringify(join(folder, 'journal'))};
        const before = routes();
        const told = [];
        for (const options of [
          { is: 'routeLost', destination: '10.99.0.0/16' },
          { is: 'linkDown', device: 'ours' },
        ]) {
          const kit = openFaultKit({ folder });
          const fault = await kit.inject(netns, options);
          told.push(routes().length);
          await fault.revert();
          told.push(JSON.stringify(routes()) === JSON.stringify(before));
        }
        console.log(JSON.stringify(told));
      `;
      const args = [
        ...UNSHARE,
        process.execPath,
        '--conditions=@buddy/source',
        '--input-type=module',
        '-e',
        program,
      ];
      const { stdout } = await promisify(execFile)('unshare', args, {
        cwd: import.meta.dirname,
        env: { ...process.env, BUDDY_FAULTS: '1' },
      });
      expect(JSON.parse(stdout)).toEqual([1, true, 1, true]);
    },
    20_000,
  );

  it.skipIf(!hasNamespaces)(
    'is told to be gone when its namespace is',
    async () => {
      const journal = join(folder, 'journal');
      const program = `
        import { execFileSync } from 'node:child_process';
        import { netns, openFaultKit } from '@buddy/guardian/faults';
        execFileSync('ip', 'link set lo up'.split(' '));
        await openFaultKit({ folder: ${JSON.stringify(journal)} }).inject(netns, { is: 'linkDown', device: 'lo' });
        process.kill(process.pid, 'SIGKILL');
      `;
      const args = [
        ...UNSHARE,
        process.execPath,
        '--conditions=@buddy/source',
        '--input-type=module',
        '-e',
        program,
      ];
      spawnSync('unshare', args, {
        cwd: import.meta.dirname,
        env: { ...process.env, BUDDY_FAULTS: '1' },
      });
      expect(await recoverFaults({ folder: journal })).toMatchObject([
        { kind: 'netns', is: 'reverted' },
      ]);
    },
    20_000,
  );
});
