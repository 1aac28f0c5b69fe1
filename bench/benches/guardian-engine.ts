import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../packages/core/src/index.ts';
import {
  createGuardian,
  createLagMeter,
  type Guardian,
  HEALTHY,
  openSqliteStore,
  type Reading,
  type ServiceAdapter,
  type ServiceState,
  serviceCrashed,
  takeSample,
  transportProbe,
} from '../../packages/guardian/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { summary, timeRounds } from '../measure/rounds.ts';

const SERVICES = 500;
const LIFECYCLES = 10_000;
const DUPLICATES = 50_000;
const SAMPLES_A_ROUND = 2_000;
const CONNECTS_A_ROUND = 300;
const STALLED_PROBES = 100_000;
const PROBES_A_STALL = 500;
const STALL_MS = 200;
const PROBE_TIMEOUT_MS = 150;

/** What the guardian itself costs, apart from what it heals. */
export async function measureGuardianEngine(): Promise<Figure[]> {
  return [
    ...(await measureIncidents()),
    ...(await measureWrapper()),
    ...(await measureTransport()),
    await measureStalls(),
  ];
}

/** A service that is mended by a start, at once. */
class InstantService implements ServiceAdapter {
  readonly kind = 'service';
  isUp = true;
  async probe(): Promise<Reading> {
    return this.isUp ? HEALTHY : DOWN;
  }
  async state(): Promise<ServiceState> {
    if (this.isUp) return { is: 'running', identity: { pid: 1, startTime: '1' } };
    return { is: 'exited', exit: { code: 1, signal: null, stderrTail: '' } };
  }
  async start(): Promise<void> {
    this.isUp = true;
  }
  async stop(): Promise<void> {
    this.isUp = false;
  }
}

const DOWN = {
  status: 'FAILED',
  signal: 'process.exited',
  certainty: 'decisive',
  note: 'it ended',
} as const;

async function measureIncidents(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-guardian-'));
  const services = Array.from({ length: SERVICES }, () => new InstantService());
  const unlimited = Number.MAX_SAFE_INTEGER;
  const guardian = createGuardian(
    {
      autonomy: { 3: 'auto' },
      longestStableMs: 0,
      probeIntervalMs: 3_600_000,
      limits: {
        concurrent: SERVICES,
        restarts: { most: unlimited },
        budget: { most: unlimited, reservedShare: 0 },
        flapping: { most: 1_000_000 },
      },
    },
    {
      resources: services.map((adapter, index) => ({ id: `service-${index}`, adapter })),
      playbooks: [serviceCrashed],
      store: openSqliteStore(join(folder, 'guardian.db')),
    },
  );
  await guardian.start();
  await healAll(guardian, services, 2); // for the compiler
  const rounds = LIFECYCLES / SERVICES;
  const healing = await timed(() => healAll(guardian, services, rounds));
  // One that nothing heals, for the others to belong to.
  await guardian.report({ resource: 'service-0', signal: 'nobody.knows', certainty: 'decisive' });
  const doubling = await timed(async () => {
    const reports = [];
    for (let left = DUPLICATES; left > 0; left -= 1) {
      reports.push(guardian.report({ resource: 'service-0', signal: 'nobody.knows' }));
    }
    await Promise.all(reports);
  });
  await guardian.stop();
  await rm(folder, { recursive: true, force: true });
  return [
    {
      name: `incidents from symptom to restored, ${SERVICES} at once, in SQLite`,
      unit: '/s',
      measured: LIFECYCLES / healing.wallS,
      target: { is: 'at least', value: 4_000 },
    },
    {
      name: 'the same, in a second of processor time',
      unit: '/s',
      measured: LIFECYCLES / healing.cpuS,
    },
    {
      name: 'deduplicated symptoms, in SQLite',
      unit: '/s',
      measured: DUPLICATES / doubling.wallS,
      target: { is: 'at least', value: 20_000 },
    },
  ];
}

async function healAll(
  guardian: Guardian,
  services: readonly InstantService[],
  rounds: number,
): Promise<void> {
  await Promise.all(
    services.map(async (service, index) => {
      for (let left = rounds; left > 0; left -= 1) {
        service.isUp = false;
        const { outcome } = await guardian.report({
          resource: `service-${index}`,
          signal: 'process.exited',
          certainty: 'decisive',
        });
        const became = await outcome;
        if (became !== 'restored') throw new Error(`service-${index} became ${became}`);
      }
    }),
  );
}

async function timed(work: () => Promise<void>): Promise<{ wallS: number; cpuS: number }> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wallS: (performance.now() - startedAt) / 1_000, cpuS: (user + system) / 1_000_000 };
}

async function measureWrapper(): Promise<Figure[]> {
  const ports = { clock: systemClock, lag: createLagMeter(systemClock) };
  const { signal } = new AbortController();
  const ours = 'what is around a probe: time limit, abort, lag, record';
  const times = await timeRounds(
    [
      {
        name: ours,
        prepare: () => async () => {
          for (let left = SAMPLES_A_ROUND; left > 0; left -= 1) {
            await takeSample(ports, { name: 'nothing', timeoutMs: 1_000, signal, look: isWell });
          }
        },
      },
    ],
    { rounds: 15, warmUps: 5 },
  );
  const us = (times.get(ours) ?? []).map((ms) => (ms * 1_000) / SAMPLES_A_ROUND);
  return [{ name: ours, unit: 'us', ...summary(us), target: { is: 'at most', value: 10 } }];
}

const isWell = async () => HEALTHY;

async function measureTransport(): Promise<Figure[]> {
  const server = await listening();
  const port = portOf(server);
  const probe = transportProbe({ host: '127.0.0.1', port });
  const ports = { clock: systemClock, lag: createLagMeter(systemClock) };
  const { signal } = new AbortController();
  const ours = 'layer 4, as a probe';
  const peer = 'net.connect';
  const times = await timeRounds(
    [
      {
        name: ours,
        prepare: () => async () => {
          for (let left = CONNECTS_A_ROUND; left > 0; left -= 1) {
            const sample = await takeSample(ports, {
              name: probe.name,
              timeoutMs: 1_000,
              signal,
              look: (own) => probe.look(own),
            });
            if (sample.status !== 'HEALTHY') throw new Error(JSON.stringify(sample));
          }
        },
      },
      {
        name: peer,
        prepare: () => async () => {
          for (let left = CONNECTS_A_ROUND; left > 0; left -= 1) await connectOnce(port);
        },
      },
    ],
    { rounds: 25, warmUps: 5 },
  );
  server.close();
  const usOf = (name: string) =>
    (times.get(name) ?? []).map((ms) => (ms * 1_000) / CONNECTS_A_ROUND);
  const pairs = usOf(ours).map((us, index) => us / (usOf(peer)[index] ?? Number.NaN));
  return [
    { name: ours, unit: 'us', ...summary(usOf(ours)) },
    { name: peer, unit: 'us', ...summary(usOf(peer)), isPeer: true },
    {
      name: 'layer 4 / net.connect',
      unit: '',
      ...summary(pairs),
      target: { is: 'at most', value: 1.3 },
    },
  ];
}

function connectOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Probes of a server that is well, while our own event loop stands still again and again. */
async function measureStalls(): Promise<Figure> {
  const server = new Worker(SERVER, { eval: true }); // with an event loop of its own: it is well all the time
  const [port] = await once(server, 'message');
  const probe = transportProbe({ host: '127.0.0.1', port });
  const ports = { clock: systemClock, lag: createLagMeter(systemClock) };
  const { signal } = new AbortController();
  let failed = 0;
  let unknown = 0;
  for (let left = STALLED_PROBES; left > 0; left -= PROBES_A_STALL) {
    const looking = Array.from({ length: PROBES_A_STALL }, () =>
      takeSample(ports, {
        name: probe.name,
        timeoutMs: PROBE_TIMEOUT_MS,
        signal,
        look: (own) => probe.look(own),
      }),
    );
    const until = performance.now() + STALL_MS;
    while (performance.now() < until);
    for (const { status } of await Promise.all(looking)) {
      if (status === 'FAILED') failed += 1;
      if (status === 'UNKNOWN') unknown += 1;
    }
  }
  await server.terminate();
  return {
    name: `FAILED of ${STALLED_PROBES} probes of what is well, while we stand still for ${STALL_MS} ms`,
    unit: '',
    measured: failed,
    outcome: `${unknown} UNKNOWN`,
    target: { is: 'at most', value: 0 },
  };
}

const SERVER = `
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
    require('node:worker_threads').parentPort.postMessage(server.address().port));`;

async function listening(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.once('end', () => socket.end());
  });
  await new Promise<void>((resolve) =>
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve),
  );
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address) return address.port;
  throw new Error('the server does not listen');
}
