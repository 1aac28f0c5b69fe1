import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pidusage from 'pidusage';
import {
  type Bot,
  BotDefinition,
  createBotRegistry,
  createSupervisor,
  createSystemProcesses,
  type ProcessTree,
  type SupervisedBots,
} from '../../packages/bots/src/index.ts';
import { median, quantile } from '../../packages/core/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { summary, timeRounds } from '../measure/rounds.ts';

const BOTS = 20;
const LOOKS_A_ROUND = 20;
const STARTS_A_ROUND = 20;
const KILLS = 40;

/** What supervising costs: looking at bots, starting one, having one back after it was killed. */
export async function measureBotsSupervisor(): Promise<Figure[]> {
  return [...(await measureUsage()), ...(await measureStart()), ...(await measureRecovery())];
}

async function measureUsage(): Promise<Figure[]> {
  const processes = createSystemProcesses();
  const trees: ProcessTree[] = [];
  for (let index = 0; index < BOTS; index += 1) {
    trees.push(
      await processes.launch({
        mark: `bench-${process.pid}-${index}`,
        command: 'sleep',
        args: ['600'],
        cwd: undefined,
        environment: { PATH: process.env['PATH'] ?? '' },
        hasMessages: false,
        stopGraceMs: 0,
        onOutput: () => undefined,
        onMessage: () => undefined,
      }),
    );
  }
  const pids = trees.map(({ identity }) => identity.pid);
  const ours = `${BOTS} bots: memory and processor of each tree`;
  const full = 'beside it: a look at all processes of the machine, every 10 s';
  const peer = `pidusage: of ${BOTS} processes, without their children`;
  const times = await timeRounds(
    [
      { name: ours, prepare: () => repeated(() => processes.usage(trees)) },
      { name: full, prepare: () => repeated(async () => trees[0]?.survivors()) },
      { name: peer, prepare: () => repeated(() => pidusage(pids)) },
    ],
    { rounds: 15, warmUps: 5 },
  );
  const before = process.cpuUsage();
  for (let left = 500; left > 0; left -= 1) await processes.usage(trees);
  const { user, system } = process.cpuUsage(before);
  for (const tree of trees) await tree.signal('SIGKILL');
  for (const tree of trees) tree.release();
  await processes.close();
  const usOf = (name: string) => (times.get(name) ?? []).map((ms) => (ms * 1_000) / LOOKS_A_ROUND);
  return [
    { name: ours, unit: 'us', ...summary(usOf(ours)), target: { is: 'at most', value: 400 } },
    { name: 'the same, time on the processor', unit: 'us', measured: (user + system) / 500 },
    { name: full, unit: 'us', ...summary(usOf(full)) },
    { name: peer, unit: 'us', ...summary(usOf(peer)), isPeer: true },
  ];
}

function repeated(look: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    for (let left = LOOKS_A_ROUND; left > 0; left -= 1) await look();
  };
}

async function measureStart(): Promise<Figure[]> {
  const ids = Array.from({ length: STARTS_A_ROUND }, (_, index) => `bot-${index}`);
  const supervisor = createSupervisor({ registry: forgetfulRegistry(ids), sampleEveryMs: 60_000 });
  await supervisor.start('bot-0'); // the reaper starts with the first
  await supervisor.stopAll();
  const ours = 'start of a bot, registry not counted';
  const peer = 'child_process.spawn';
  const plain: ReturnType<typeof spawn>[] = [];
  const times = await timeRounds(
    [
      {
        name: ours,
        prepare: async () => {
          await supervisor.stopAll();
          return async () => {
            for (const id of ids) await supervisor.start(id);
          };
        },
      },
      {
        name: peer,
        prepare: async () => {
          for (const child of plain.splice(0)) child.kill('SIGKILL');
          await supervisor.stopAll(); // what runs beside is the same for both
          return async () => {
            for (const _ of ids) {
              const child = spawn('sleep', ['600'], { stdio: ['ignore', 'pipe', 'pipe'] });
              plain.push(child);
              await once(child, 'spawn');
            }
          };
        },
      },
    ],
    { rounds: 15, warmUps: 3 },
  );
  for (const child of plain) child.kill('SIGKILL');
  await supervisor.close();
  const msOf = (name: string) => (times.get(name) ?? []).map((ms) => ms / STARTS_A_ROUND);
  const ratio = median(msOf(ours)) / median(msOf(peer));
  return [
    { name: ours, unit: 'ms', ...summary(msOf(ours)) },
    { name: peer, unit: 'ms', ...summary(msOf(peer)), isPeer: true },
    {
      name: 'start / child_process.spawn',
      unit: '',
      measured: ratio,
      target: { is: 'at most', value: 1.2 },
    },
  ];
}

async function measureRecovery(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-bots-'));
  const port = await freePort();
  const script = `require('http').createServer((_, answer) => answer.end()).listen(${port}, '127.0.0.1')`;
  const registry = createBotRegistry({ file: join(folder, 'bots.json') });
  await registry.create({
    id: 'web',
    role: 'worker',
    deployment: {
      command: process.execPath,
      args: ['-e', script],
      readiness: { kind: 'http', port },
      restart: { backoffMs: 0, intensity: KILLS + 10 },
    },
  });
  const supervisor = createSupervisor({ registry });
  const boots: number[] = [];
  const recoveries: number[] = [];
  for (let turn = 0; turn < KILLS; turn += 1) {
    boots.push(await bootAlone(script, port));
    await supervisor.start('web');
    const pid = (await supervisor.identity('web'))?.pid ?? 0;
    const again = new Promise((resolve) => supervisor.events.once('botReady', resolve));
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    await untilAnswered(port, async () => (await supervisor.identity('web'))?.pid !== pid);
    recoveries.push(performance.now() - killedAt);
    await again;
    await supervisor.stop('web');
  }
  await supervisor.close();
  await rm(folder, { recursive: true, force: true });
  return [
    { name: 'kill to HTTP ready again, median', unit: 'ms', ...spread(recoveries, median) },
    { name: 'kill to HTTP ready again, p95', unit: 'ms', ...spread(recoveries, p95) },
    {
      name: "the child's own boot to HTTP ready, median",
      unit: 'ms',
      ...spread(boots, median),
      isPeer: true,
    },
    {
      name: "the child's own boot to HTTP ready, p95",
      unit: 'ms',
      ...spread(boots, p95),
      isPeer: true,
    },
    {
      name: 'what supervising adds to it, p95',
      unit: 'ms',
      measured: p95(recoveries) - p95(boots),
      target: { is: 'at most', value: 100 },
    },
  ];
}

function p95(values: readonly number[]): number {
  return quantile(values, 0.95);
}

function spread(values: readonly number[], of: (values: readonly number[]) => number) {
  return { measured: of(values), range: [Math.min(...values), Math.max(...values)] as const };
}

async function bootAlone(script: string, port: number): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  await untilAnswered(port, async () => true);
  const ms = performance.now() - startedAt;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  return ms;
}

async function untilAnswered(port: number, isNew: () => Promise<boolean>): Promise<void> {
  while (!(await isNew()) || !(await isAnswered(port))) await wait(1);
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

function forgetfulRegistry(ids: readonly string[]): SupervisedBots {
  const at = new Date(0).toISOString();
  const bots = new Map<string, Bot>(
    ids.map((id) => {
      const deployment = { command: 'sleep', args: ['600'], stopGraceMs: 0 };
      const definition = BotDefinition.parse({ id, role: 'worker', deployment });
      const fresh = { status: 'registered', statusSince: at, restarts: 0, revision: 1 } as const;
      return [id, { ...definition, ...fresh, createdAt: at, updatedAt: at }];
    }),
  );
  return {
    get: async (id) => bots.get(id),
    all: async () => [...bots.values()],
    record: async (id, { status }) => {
      const bot = bots.get(id);
      if (!bot) throw new Error(`There is no bot ${id}`);
      const next = status ? { ...bot, status } : bot;
      bots.set(id, next);
      return next;
    },
  };
}
