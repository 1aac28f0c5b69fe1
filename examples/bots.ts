import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBotRegistry, createSupervisor } from '@buddy/bots';
import { showBots } from './bots/show-bots.ts';
import { CRASHES, LEAKS, WORKS } from './bots/workers.ts';

// Three workers under one supervisor: one works, one crashes as soon as it is ready, one leaks. It ends by itself, when the one that
// crashes is quarantined and the one that leaks was caught and works again; or earlier, by Ctrl-C.

const folder = await mkdtemp(join(tmpdir(), 'buddy-example-bots-'));
const registry = createBotRegistry({ file: join(folder, 'bots.json') });
for (const [id, script] of Object.entries({ works: WORKS, crashes: CRASHES, leaks: LEAKS })) {
  await registry.create({
    id,
    role: 'worker',
    deployment: {
      command: process.execPath,
      args: ['-e', script],
      readiness: { kind: 'line', text: 'ready' },
      restart: { intensity: 3, periodMs: 60_000, backoffMs: 200, maxBackoffMs: 1_000 },
      limits: { maxRssBytes: 150 * 2 ** 20, durationMs: 500 },
      stopGraceMs: 1_000,
    },
  });
}

const supervisor = createSupervisor({ registry, logs: { folder } });
const show = showBots(supervisor, process.stdout);

const { events } = supervisor;
const quarantined = new Promise((resolve) => events.once('botQuarantined', resolve));
const caughtAndBack = new Promise<void>((resolve) => {
  events.once('limitExceeded', ({ botId: caught }) =>
    events.on('botReady', ({ botId }) => {
      if (botId === caught) resolve();
    }),
  );
});
const interrupted = new Promise((resolve) => process.once('SIGINT', resolve));

void supervisor.startAll(); // the one that crashes may never start, and says so in an event
await Promise.race([Promise.all([quarantined, caughtAndBack]), interrupted]);
const reports = await supervisor.statuses();
await supervisor.close();
show.end(reports);
await rm(folder, { recursive: true, force: true });
