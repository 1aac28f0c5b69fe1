import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTls } from 'node:tls';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  apiTimeout,
  createCredential,
  createDnsResolvers,
  createGuardian,
  createHttpEndpoint,
  createQuota,
  createTlsServer,
  credentialsInvalid,
  certificateExpired,
  dnsFailure,
  httpAuthentication,
  networkUnreachable,
  quotaExhausted,
  type Playbook,
  type ResourceInput,
} from '@buddy/guardian';
import {
  createTestAuthority,
  dns as dnsFault,
  openDnsServer,
  openFaultKit,
  openRelay,
  relay as relayFault,
} from '@buddy/guardian/faults';

// From the injection until the first good sample of the verifying streak, noticed by the guardian's own looks (every 250 ms).
// `BUDDY_FAULTS=1 node --conditions=@buddy/source bench/network-modes.ts [rounds]`
const rounds = Number(process.argv[2] ?? 10);
const folder = await mkdtemp(join(tmpdir(), 'guardian-bench-'));
const kit = openFaultKit({ folder });

interface Round {
  resources: readonly ResourceInput[];
  /** What is to be taken back before the servers are closed. */
  inject: () => Promise<{ revert: () => Promise<void> } | undefined>;
  close: () => Promise<void>;
}

async function serve(answer: (authorization: string) => number) {
  const server = createServer((request, response) => {
    response.writeHead(answer(request.headers.authorization ?? '')).end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port, url: `http://127.0.0.1:${port}/`, close };
}

async function unreachable(): Promise<Round> {
  const { port, close } = await serve(() => 200);
  const lost = new Set<string>();
  const lookup: LookupFunction = (name, { all }, callback) => {
    const address = lost.has(name) ? '255.255.255.255' : '127.0.0.1';
    if (all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  const paths = { primary: `http://a.test:${port}/`, replica: `http://b.test:${port}/` };
  const baselineMs = { primary: 60, replica: 60 };
  const endpoint = createHttpEndpoint({ paths, baselineMs }, { lookup });
  return {
    resources: [{ id: 'it', adapter: endpoint }],
    inject: async () => {
      lost.add('a.test');
      return undefined;
    },
    close: async () => {
      await endpoint.close();
      await close();
    },
  };
}

async function timeout(): Promise<Round> {
  const [primary, replica] = [await serve(() => 200), await serve(() => 200)];
  const way = await openRelay({ target: { host: '127.0.0.1', port: primary.port } });
  const paths = { primary: `http://127.0.0.1:${way.port}/`, replica: replica.url };
  const endpoint = createHttpEndpoint({
    paths,
    timeoutMs: 500,
    baselineMs: { primary: 60, replica: 60 },
  });
  return {
    resources: [{ id: 'it', adapter: endpoint }],
    inject: () => kit.inject(relayFault, { relay: way, impairment: { is: 'stall' } }),
    close: async () => {
      await endpoint.close();
      await way.close();
      await primary.close();
      await replica.close();
    },
  };
}

async function credentials(): Promise<Round> {
  let accepted = 'v1';
  const { url, close } = await serve((sent) => (sent === `Bearer ${accepted}` ? 200 : 401));
  const versions = ['v1'];
  const credential = await createCredential(
    { name: 'key' },
    {
      secrets: { versions: async () => versions, read: async (version) => version },
      authenticate: httpAuthentication({ url }),
    },
  );
  return {
    resources: [{ id: 'it', adapter: credential }],
    inject: async () => {
      versions.unshift('v2');
      accepted = 'v2';
      return undefined;
    },
    close,
  };
}

async function names(): Promise<Round> {
  const records = { 'billing.test': ['127.0.0.1'] };
  const [first, second] = [await openDnsServer({ records }), await openDnsServer({ records })];
  const dns = createDnsResolvers({
    servers: [first.address, second.address],
    names: { 'billing.test': [] },
  });
  return {
    resources: [{ id: 'it', adapter: dns }],
    inject: () => kit.inject(dnsFault, { server: first, misbehaviour: { is: 'timeout' } }),
    close: async () => {
      await first.close();
      await second.close();
    },
  };
}

const authority = await createTestAuthority();

async function certificate(): Promise<Round> {
  const first = await authority.issue('localhost');
  const server = createTls(first, (socket) => socket.on('error', () => undefined).end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tls = createTlsServer(
    { port, serverName: 'localhost', ca: authority.ca },
    { server, source: { newest: () => authority.issue('localhost') }, first },
  );
  const expired = await authority.issue('localhost', 'expired');
  return {
    resources: [{ id: 'it', adapter: tls }],
    inject: async () => {
      tls.load(expired);
      return undefined;
    },
    close: async () => void server.close(),
  };
}

async function quota(): Promise<Round> {
  const it = createQuota({ routes: ['model'] });
  return {
    resources: [{ id: 'it', adapter: it }],
    inject: async () => {
      it.note('model', { is: 'exhausted', until: Date.now() + 60_000 });
      return undefined;
    },
    close: async () => undefined,
  };
}

const modes: readonly [Playbook, () => Promise<Round>][] = [
  [networkUnreachable, unreachable],
  [apiTimeout, timeout],
  [credentialsInvalid, credentials],
  [dnsFailure, names],
  [certificateExpired, certificate],
  [quotaExhausted, quota],
];

for (const [playbook, makeRound] of modes) {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const world = await makeRound();
    const guardian = createGuardian(
      { probeIntervalMs: 250, confirm: { samples: 2, intervalMs: 250 }, longestStableMs: 300 },
      { resources: world.resources, playbooks: [playbook] },
    );
    await guardian.start();
    await new Promise((resolve) => {
      setTimeout(resolve, 300 + round * 17);
    });
    const closed = new Promise<number>((resolve) => {
      guardian.events.once('incidentClosed', ({ incident }) => resolve(incident.restored ?? NaN));
    });
    const injectedAt = Date.now();
    const fault = await world.inject();
    took.push((await closed) - injectedAt);
    await guardian.stop();
    await fault?.revert();
    await world.close();
  }
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const limit = playbook.mttrTargetMs * 0.2;
  console.log(`${playbook.id}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, 20 % of target ${limit} ms`);
}
await kit.close();
await rm(folder, { recursive: true, force: true });
