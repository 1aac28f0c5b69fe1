import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BotReport, createBotRegistry, createSupervisor } from '@buddy/bots';
import { createLogUpdate } from 'log-update';

/*
 * Three workers under one supervisor: one that works, one that crashes again and again, one that leaks. Ends by itself once the
 * last two are quarantined, or with Ctrl-C. `npx -y pnpm@12 example:bots`
 */

const folder = await mkdtemp(join(tmpdir(), 'buddy-bots-example-'));
const registry = createBotRegistry({ file: join(folder, 'bots.json') });
const supervisor = createSupervisor({ registry });

await registry.putTemplate({
  name: 'worker',
  deployment: {
    command: process.execPath,
    readiness: { kind: 'line', text: 'ready' },
    restart: { intensity: 2, periodMs: 30_000, backoffMs: 300 },
    limits: { maxRssBytes: 200_000_000, durationMs: 300 },
    stopGraceMs: 1_000,
  },
});
const worker = fileURLToPath(new URL('bots/worker.ts', import.meta.url));
for (const id of ['steady', 'fragile', 'leaky']) {
  await registry.create({
    id,
    role: 'worker',
    template: 'worker',
    deployment: { args: [worker, id] },
  });
}

const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end());

const told: string[] = [];
const tell = (id: string, what: string) => {
  told.push(`${id.padEnd(8)} ${what}`);
  if (!process.stdout.isTTY) console.log(told.at(-1));
};
let quarantined = 0;
supervisor.events.on('botReady', ({ botId }) => tell(botId, 'is ready'));
supervisor.events.on('botExited', ({ botId, exit, reason }) =>
  tell(botId, `ended: ${exit.kind}, ${reason}`),
);
supervisor.events.on('limitExceeded', ({ botId, sample, forMs }) =>
  tell(botId, `uses ${megabytes(sample.rssBytes)}, too much for ${Math.round(forMs)} ms`),
);
supervisor.events.on('botQuarantined', ({ botId, reason }) => {
  tell(botId, `is quarantined: ${reason}`);
  quarantined += 1;
  if (quarantined === 2) end();
});

let ends = 0;
supervisor.events.on('botExited', () => (ends += 1));

const live = createLogUpdate(process.stdout);
const drawing = process.stdout.isTTY ? setInterval(() => void draw(), 250) : undefined;
const starting = supervisor.startAll();
await isOver;
clearInterval(drawing);
if (process.stdout.isTTY) {
  await draw();
  live.done();
}
await supervisor.close();
await starting;
const bots = await registry.all();
const states = bots.map(({ id, status }) => `${id} is ${status}`).join(', ');
console.log(`${ends} processes started and ended. Now ${states}.`);
await rm(folder, { recursive: true });

async function draw(): Promise<void> {
  const reports = await supervisor.statuses();
  live([...reports.map(lineOf), '', ...told.slice(-8)].join('\n'));
}

function lineOf({ id, status, pid, usage, restarts }: BotReport): string {
  const memory = usage ? megabytes(usage.rssBytes) : '-';
  return `${id.padEnd(8)} ${status.padEnd(12)} ${String(pid ?? '-').padStart(8)} ${memory.padStart(8)}  ${restarts} restarts`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
