import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, get } from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, quantile } from '../../packages/core/src/index.ts';
import {
  createGuardian,
  createHttpPort,
  createProcessService,
  openSqliteStore,
  portNotResponding,
  serviceCrashed,
} from '../../packages/guardian/src/index.ts';
import type { Figure } from '../measure/figure.ts';

const KILLS = 40;
const HANGS = 15;
const IDLE_MS = 30_000;
const SERVICES_WHEN_IDLE = 31;
const CHILD = fileURLToPath(new URL('../children/http-service.ts', import.meta.url));
const LONGEST_MS = 30_000;

/** From the fault until somebody outside is answered by a new process; and what waiting for a fault costs. */
export async function measureGuardianHeal(): Promise<Figure[]> {
  const boots: number[] = [];
  for (let left = KILLS; left > 0; left -= 1) boots.push(await bootAlone());
  const ours = await healed();
  const pm2 = await healedByPm2();
  const allowed = quantile(boots, 0.95) + 100;
  return [
    ...rows("the child's own boot to HTTP", boots, { isPeer: true }),
    ...rows('SIGKILL to HTTP again, healed and journaled', ours.kills, {
      p95: { is: 'at most', value: allowed, from: "the child's boot, p95, and 100 ms" },
    }),
    ...rows('SIGKILL to verified, as the incident says', ours.verified, {}),
    ...rows('SIGKILL to HTTP again, PM2', pm2, { isPeer: true }),
    ...rows('SIGSTOP to HTTP again', ours.hangs, { p95: { is: 'at most', value: 2_500 } }),
    {
      name: 'SIGSTOP to HTTP again, PM2',
      unit: 'ms',
      measured: Number.NaN,
      outcome: 'never: it looks at the process only',
      isPeer: true,
    },
    ...(await idle()),
  ];
}

function rows(
  name: string,
  values: readonly number[],
  { p95, isPeer }: { p95?: Figure['target']; isPeer?: true },
): Figure[] {
  const range = [Math.min(...values), Math.max(...values)] as const;
  const peer = isPeer && { isPeer };
  return [
    { name: `${name}, p50`, unit: 'ms', measured: median(values), range, ...peer },
    {
      name: `${name}, p95`,
      unit: 'ms',
      measured: quantile(values, 0.95),
      range,
      ...(p95 && { target: p95 }),
      ...peer,
    },
  ];
}

async function bootAlone(): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CHILD], { env: { PORT: String(port) }, stdio: 'ignore' });
  await answeredBy(port, () => true);
  const ms = performance.now() - startedAt;
  await end(child);
  return ms;
}

async function healed() {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-heal-'));
  const number = await freePort();
  const port = createHttpPort({ port: number });
  const service = createProcessService({
    id: 'api',
    command: process.execPath,
    args: [CHILD],
    env: { PORT: String(number) },
    stateFolder: folder,
    stopGraceMs: 200,
  });
  const { signal } = new AbortController();
  await service.start(signal);
  await answeredBy(number, () => true);
  const unlimited = 1_000_000;
  const guardian = createGuardian(
    {
      autonomy: { 3: 'auto' },
      probeIntervalMs: 250,
      probeTimeoutMs: 500,
      confirm: { samples: 2, intervalMs: 250 },
      longestStableMs: 200,
      limits: {
        restarts: { most: unlimited },
        budget: { most: unlimited },
        futility: { failures: unlimited },
        flapping: { most: unlimited },
      },
    },
    {
      resources: [
        { id: 'api', adapter: service },
        { id: 'api-port', adapter: port, dependsOn: ['api'] },
      ],
      playbooks: [serviceCrashed, portNotResponding],
      store: openSqliteStore(join(folder, 'guardian.db')),
    },
  );
  const kills: number[] = [];
  const hangs: number[] = [];
  const verified: number[] = [];
  guardian.events.on('incidentClosed', ({ incident }) => {
    if (incident.signal === 'process.exited' && incident.restored !== null) {
      verified.push(incident.restored - incident.firstBad);
    }
  });
  await guardian.start();
  for (let turn = 0; turn < KILLS + HANGS; turn += 1) {
    while (guardian.openIncidents.length > 0) await wait(10);
    const before = await answeredBy(number, () => true);
    const startedAt = performance.now();
    process.kill(before, turn < KILLS ? 'SIGKILL' : 'SIGSTOP');
    await answeredBy(number, (pid) => pid !== before);
    (turn < KILLS ? kills : hangs).push(performance.now() - startedAt);
  }
  while (guardian.openIncidents.length > 0) await wait(10);
  await guardian.stop();
  await service.stop(signal);
  await rm(folder, { recursive: true, force: true });
  return { kills, hangs, verified };
}

async function healedByPm2(): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-pm2-'));
  const port = await freePort();
  const bin = createRequire(import.meta.url).resolve('pm2/bin/pm2');
  const environment = { ...process.env, PM2_HOME: folder, PORT: String(port) };
  const pm2 = (...args: string[]) =>
    promisify(execFile)(process.execPath, [bin, ...args], {
      env: environment,
      timeout: LONGEST_MS,
    });
  const kills: number[] = [];
  try {
    await pm2(
      'start',
      CHILD,
      '--name',
      'api',
      '--interpreter',
      process.execPath,
      '--max-restarts',
      '10000',
    );
    for (let left = KILLS; left > 0; left -= 1) {
      const before = await answeredBy(port, () => true);
      await wait(50);
      const startedAt = performance.now();
      process.kill(before, 'SIGKILL');
      await answeredBy(port, (pid) => pid !== before);
      kills.push(performance.now() - startedAt);
    }
  } finally {
    await pm2('kill');
    await rm(folder, { recursive: true, force: true });
  }
  return kills;
}

/** A guardian over services that are well, in a process of its own. */
async function idle(): Promise<Figure[]> {
  const server = createHttpServer((_request, answer) => answer.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const program = fileURLToPath(new URL('../children/idle-guardian.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--conditions=@buddy/source',
      program,
      ...[portOf(server), SERVICES_WHEN_IDLE, IDLE_MS].map(String),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child, 'close');
  server.close();
  const { cpuShare, heapMb } = JSON.parse(text);
  const name = `an idle guardian over ${SERVICES_WHEN_IDLE} services, a look each every 10 s`;
  return [
    {
      name: `${name}: processor`,
      unit: '%',
      measured: cpuShare * 100,
      target: { is: 'at most', value: 0.5 },
    },
    {
      name: `${name}: heap beyond an empty program's`,
      unit: 'MB',
      measured: heapMb,
      target: { is: 'at most', value: 15 },
    },
  ];
}

async function answeredBy(port: number, isWanted: (pid: number) => boolean): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const pid = await ask(port);
    if (pid !== undefined && isWanted(pid)) return pid;
    if (performance.now() > deadline) throw new Error(`nobody answers at ${port}`);
    await wait(1);
  }
}

function ask(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, agent: false, timeout: 100 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', () => resolve(undefined));
      answer.on('end', () => resolve(Number(text)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address) return address.port;
  throw new Error('the server does not listen');
}
