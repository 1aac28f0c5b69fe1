import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { ManualClock, systemClock } from '@buddy/core';
import {
  applicationProbe,
  createLagMeter,
  createLayerProbes,
  dataLinkProbe,
  HEALTHY,
  type LayerProbe,
  lineSession,
  networkProbe,
  nobodyAnswers,
  presentationProbe,
  type Reading,
  sessionProbe,
  takeSample,
  transportProbe,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { type CertificateKind, makeCertificate } from './certificates.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A machine that is never late: what is silent is silent of itself, also where many tests run at once. */
const lag = { begin: () => () => 0 };

async function look(probe: LayerProbe, timeoutMs = 5_000): Promise<Reading> {
  const layers = createLayerProbes({ timeoutMs }, [probe], { lag });
  const { layers: samples } = await layers.probeAll();
  const sample = samples[probe.layer];
  if (!sample) throw new Error('no sample');
  return sample;
}

const now = () => Date.now();
const http = (port: number) => applicationProbe({ url: `http://127.0.0.1:${port}/`, now });
const stumble = () => Promise.reject(new Error('spawn EPERM'));
const stumbleAtOnce = (): Promise<Reading> => {
  throw new Error('spawn EPERM');
};
const serve = (listener: RequestListener) => listen(createHttpServer(listener));

function route(gateway: string): string {
  return `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t${gateway}\t0003\t0\t0\t0\t00000000\n`;
}

function arp(flags: string): string {
  return `IP address       HW type     Flags       HW address            Mask     Device\n127.0.0.1        0x1         ${flags}         02:42:ac:11:00:01     *        eth0\n`;
}

async function kernel(tables: { route?: string; arp?: string }) {
  const root = await mkdtemp(join(tmpdir(), 'guardian-proc-'));
  closers.push(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'net'));
  for (const [name, text] of Object.entries(tables)) await writeFile(join(root, 'net', name), text);
  return dataLinkProbe(root);
}

const LOOPBACK_IN_HEX = '0100007F';

function echo() {
  return createTcpServer((socket) => socket.on('data', (chunk) => socket.write(chunk)));
}

async function tls(kind: CertificateKind, trust = true) {
  const { key, cert, ca } = await makeCertificate(kind);
  const port = await listen(createTlsServer({ key, cert }, (socket) => socket.end()));
  return presentationProbe({
    target: { host: '127.0.0.1', port },
    serverName: 'localhost',
    ...(trust && { ca }),
    clock: systemClock,
  });
}

describe('the probe of layer 2', () => {
  it('is HEALTHY when the kernel knows the gateway, and FAILED when it asked in vain', async () => {
    const known = await kernel({ route: route(LOOPBACK_IN_HEX), arp: arp('0x2') });
    expect(await look(known)).toMatchObject({ status: 'HEALTHY' });
    const silent = await kernel({ route: route(LOOPBACK_IN_HEX), arp: arp('0x0') });
    expect(await look(silent)).toMatchObject({ status: 'FAILED', signal: 'link.no_neighbour' });
  });

  it('is UNKNOWN, with the reason, without a route, without an entry, and without /proc', async () => {
    const noRoute = await kernel({ route: 'Iface\tDestination\n', arp: arp('0x2') });
    expect(await look(noRoute)).toMatchObject({ status: 'UNKNOWN', reason: 'no_route_info' });
    const noEntry = await kernel({ route: route(LOOPBACK_IN_HEX), arp: 'IP address\n' });
    expect(await look(noEntry)).toMatchObject({ status: 'UNKNOWN', reason: 'no_route_info' });
    const macOs = dataLinkProbe(join(tmpdir(), 'there-is-no-proc-here'));
    expect(await look(macOs)).toMatchObject({ status: 'UNKNOWN', reason: 'unsupported_platform' });
  });

  it('answers on this very machine, whatever it is', async () => {
    expect(['HEALTHY', 'FAILED', 'UNKNOWN']).toContain((await look(dataLinkProbe())).status);
  });
});

describe('the probes of layers 3 and 4', () => {
  it('take a refusal for the host being there, and for the port being shut', async () => {
    const port = await closedPort();
    expect(await look(networkProbe({ host: '127.0.0.1', closedPort: port }))).toMatchObject({
      status: 'HEALTHY',
    });
    expect(await look(transportProbe({ host: '127.0.0.1', port }))).toMatchObject({
      status: 'FAILED',
      signal: 'port.refused',
      certainty: 'decisive',
    });
  });

  it('take an open port for HEALTHY', async () => {
    const port = await listen(createTcpServer());
    expect(await look(transportProbe({ host: '127.0.0.1', port }))).toMatchObject(HEALTHY);
  });

  it('believe nothing while an address answers at which nobody is', async () => {
    const port = await listen(createTcpServer());
    const everywhere = nobodyAnswers({ host: '127.0.0.1', port });
    expect(await look(transportProbe({ host: '127.0.0.1', port }, everywhere))).toMatchObject({
      status: 'UNKNOWN',
      reason: 'intercepted',
    });
    const honest = nobodyAnswers({ host: '127.0.0.1', port: await closedPort() });
    expect(await look(transportProbe({ host: '127.0.0.1', port }, honest))).toMatchObject(HEALTHY);
  });

  it('take silence of a host for UNKNOWN, for a filter is silent too, and of a port for FAILED', async () => {
    const target = { host: '127.0.0.1', port: await closedPort() };
    const mute = { look: () => new Promise<never>(() => undefined) };
    expect(await look({ ...networkProbe(target), ...mute }, 50)).toMatchObject({
      status: 'UNKNOWN',
      reason: 'filtered',
    });
    expect(await look({ ...transportProbe(target), ...mute }, 50)).toMatchObject({
      status: 'FAILED',
      certainty: 'ambiguous',
    });
  });
});

describe('the probe of layer 5', () => {
  it('holds a session, and tells once when it was lost', async () => {
    const sockets: Socket[] = [];
    const server = echo().on('connection', (socket) => sockets.push(socket));
    const session = lineSession({ target: { host: '127.0.0.1', port: await listen(server) } });
    const layers = createLayerProbes({}, [sessionProbe(session)]);
    const status = async () => (await layers.probeAll()).layers[5];
    expect(await status()).toMatchObject({ status: 'HEALTHY' });
    expect(await status()).toMatchObject({ status: 'HEALTHY' });
    expect(sockets).toHaveLength(1);
    sockets[0]?.destroy();
    await sleep(20);
    expect(await status()).toMatchObject({ status: 'DEGRADED', signal: 'session.lost' });
    expect(await status()).toMatchObject({ status: 'HEALTHY' });
    await session.close();
  });

  it('is UNKNOWN without a session', async () => {
    expect(await look(sessionProbe())).toMatchObject({ status: 'UNKNOWN', reason: 'disabled' });
  });
});

describe('the probe of layer 6', () => {
  it.each([
    ['good', { status: 'HEALTHY' }],
    ['expiring', { status: 'DEGRADED', signal: 'tls.expires_soon' }],
    ['expired', { status: 'FAILED', signal: 'tls.cert_has_expired', certainty: 'decisive' }],
    ['not_yet', { status: 'FAILED', signal: 'tls.cert_not_yet_valid' }],
    ['wrong_host', { status: 'FAILED', signal: 'tls.err_tls_cert_altname_invalid' }],
  ] as const)('sees a certificate that is %s', async (kind, expected) => {
    expect(await look(await tls(kind))).toMatchObject(expected);
  });

  it('sees one that nobody vouches for', async () => {
    expect(await look(await tls('good', false))).toMatchObject({ status: 'FAILED' });
  });

  it('sees that it is not TLS at all', async () => {
    const port = await serve((_request, response) => response.end());
    const probe = presentationProbe({ target: { host: '127.0.0.1', port }, clock: systemClock });
    expect(await look(probe)).toMatchObject({ status: 'FAILED', signal: 'tls.handshake_failed' });
  });
});

describe('the probe of layer 7', () => {
  it('tells an answer from an error', async () => {
    const good = await serve((_request, response) => response.end('ok'));
    expect(await look(http(good))).toMatchObject(HEALTHY);
    const bad = await serve((_request, response) => response.writeHead(503).end());
    expect(await look(http(bad))).toMatchObject({
      status: 'FAILED',
      signal: 'http.503',
      certainty: 'decisive',
    });
    expect(await look(http(await closedPort()))).toMatchObject({ signal: 'port.refused' });
  });

  it('takes a 429 for a quota, with the time at which it is over', async () => {
    const port = await serve((_request, response) =>
      response.writeHead(429, { 'retry-after': '30' }).end(),
    );
    const probe = applicationProbe({ url: `http://127.0.0.1:${port}/`, now: () => 1_000 });
    expect(await look(probe)).toMatchObject({
      signal: 'http.429',
      conditions: [{ name: 'quota_exhausted', until: 31_000 }],
    });
  });

  it('takes silence for an ambiguous failure, also after the head', async () => {
    const mute = await serve(() => undefined);
    const half = await serve((_request, response) => response.writeHead(200).write('...'));
    const silence = { status: 'FAILED', signal: 'probe.timeout', certainty: 'ambiguous' };
    expect(await look(http(mute), 100)).toMatchObject(silence);
    expect(await look(http(half), 100)).toMatchObject(silence);
  });

  it('believes nothing of who answers everything', async () => {
    const port = await serve((_request, response) => response.end('welcome'));
    const probe = applicationProbe({
      url: `http://127.0.0.1:${port}/`,
      controlPath: '/surely-not-there',
      now,
    });
    expect(await look(probe)).toMatchObject({ status: 'UNKNOWN', reason: 'intercepted' });
  });
});

describe('a process that is stopped', () => {
  it('still accepts, and does not answer: layer 4 is HEALTHY and layer 7 is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-stop-'));
    const portFile = join(folder, 'port');
    const program = new URL('children/http-service.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, PORT_FILE: portFile },
      stdio: 'ignore',
    });
    closers.push(() => child.kill('SIGKILL'));
    let port = 0;
    while (port === 0) {
      await sleep(20);
      port = Number(await readFile(portFile, 'utf8').catch(() => '0'));
    }
    const probes = [transportProbe({ host: '127.0.0.1', port }), http(port)];
    const layers = createLayerProbes({ timeoutMs: 1_000 }, probes, { lag });
    const statuses = async () => {
      const { layers: each, status } = await layers.probeAll();
      return [each[4]?.status, each[7]?.status, status];
    };
    expect(await statuses()).toEqual(['HEALTHY', 'HEALTHY', 'HEALTHY']);
    child.kill('SIGSTOP');
    expect(await statuses()).toEqual(['HEALTHY', 'FAILED', 'FAILED']);
    child.kill('SIGCONT');
    expect(await statuses()).toEqual(['HEALTHY', 'HEALTHY', 'HEALTHY']);
  });
});

describe('a sample', () => {
  const ports = { clock: systemClock, lag: createLagMeter(systemClock) };
  const { signal } = new AbortController();

  it('is UNKNOWN when the probe throws, at once or later', async () => {
    for (const throwing of [stumble, stumbleAtOnce]) {
      const request = { name: 'x', timeoutMs: 100, signal, look: throwing };
      expect(await takeSample(ports, request)).toMatchObject({
        status: 'UNKNOWN',
        reason: 'probe_error',
        note: 'spawn EPERM',
      });
    }
  });

  it('is never FAILED because our own event loop stood still', async () => {
    const port = await serve((_request, response) => response.end('ok'));
    const wrong: string[] = [];
    for (let round = 0; round < 15; round += 1) {
      const looking = takeSample(ports, {
        name: 'healthy',
        timeoutMs: 150,
        signal,
        look: (own) => http(port).look(own),
      });
      const until = performance.now() + 200;
      while (performance.now() < until); // what a large JSON.parse does
      const { status } = await looking;
      if (status === 'FAILED') wrong.push(status);
    }
    expect(wrong).toEqual([]);
  });

  it('still is FAILED when the other side is silent and we are not late', async () => {
    const port = await serve(() => undefined);
    const punctual = { clock: systemClock, lag };
    const request = {
      name: 'mute',
      timeoutMs: 100,
      signal,
      look: (own: AbortSignal) => http(port).look(own),
    };
    expect(await takeSample(punctual, request)).toMatchObject({ status: 'FAILED' });
  });
});

describe('a meter of our own lateness', () => {
  it('sees it also when much is measured in between, each in little time', async () => {
    let at = 0;
    const beats: (() => void)[] = [];
    const meter = createLagMeter({
      now: () => at,
      monotonic: () => at,
      sleep: () => new Promise((wake) => beats.push(wake)),
      external: (work) => work(),
    });
    const lost = meter.begin();
    for (at = 0; at < 200; at += 10) meter.begin()(); // and no beat comes: the event loop is busy
    expect(lost()).toBe(180); // a beat should have come after 20 ms
    const later = meter.begin();
    for (const beat of beats.splice(0)) beat();
    await Promise.resolve();
    at += 20; // the next beat is due, and no more
    expect(later()).toBe(0);
  });
});

describe('probes of layers', () => {
  it('keep the last 100 samples, and the last 100 that were not good apart', async () => {
    const clock = new ManualClock();
    let isGood = false;
    const probe: LayerProbe = {
      layer: 4,
      name: 'a',
      look: async () => (isGood ? HEALTHY : { status: 'DEGRADED', signal: 'a.slow', note: 'slow' }),
    };
    const layers = createLayerProbes({}, [probe], { clock });
    await layers.probeAll();
    isGood = true;
    for (let round = 0; round < 120; round += 1) await layers.probeAll();
    expect(layers.history(4).all).toHaveLength(100);
    expect(layers.history(4).all.every(({ status }) => status === 'HEALTHY')).toBe(true);
    expect(layers.history(4).bad).toMatchObject([{ status: 'DEGRADED' }]);
  });

  it('tell of each change once, and that they are blind', async () => {
    let reading: Reading = HEALTHY;
    const probe: LayerProbe = { layer: 7, name: 'a', look: async () => reading };
    const layers = createLayerProbes({}, [probe], { clock: new ManualClock() });
    const told: string[] = [];
    layers.events.on('changed', ({ layer, from, sample }) => {
      told.push(`${layer}: ${from ?? 'nothing'} -> ${sample.status}`);
    });
    layers.events.on('blind', ({ coverage }) => told.push(`blind ${coverage}`));
    await layers.probeAll();
    await layers.probeAll();
    reading = { status: 'UNKNOWN', reason: 'no_permission', note: '' };
    const summary = await layers.probeAll();
    expect(summary).toMatchObject({ status: 'UNKNOWN', coverage: 0 });
    expect(told).toEqual(['7: nothing -> HEALTHY', '7: HEALTHY -> UNKNOWN', 'blind 0']);
  });

  it('refuse two probes for one layer', () => {
    const probe = transportProbe({ host: '127.0.0.1', port: 1 });
    expect(() => createLayerProbes({}, [probe, probe])).toThrow('Two probes are for layer 4');
  });
});
