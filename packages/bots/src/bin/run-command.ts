import { resolve } from 'node:path';
import { describeFailure, fitForTerminal } from '@buddy/core';
import { z } from 'zod';
import type { Breach } from '../limits/limit-watch.ts';
import { serveControl } from '../control/control-server.ts';
import { toSnakeCase } from '../registry/file/snake-case.ts';
import { createBotRegistry } from '../registry/registry.ts';
import type { ImportReport } from '../registry/transfer/import.ts';
import type { SupervisorEvents } from '../supervisor/events.ts';
import { createSupervisor, type Supervisor } from '../supervisor/supervisor.ts';
import { type CommandResult, defineCommand, type Host, UsageError } from './command.ts';
import { tellProblems } from './registry-commands.ts';
import { megabytesOf } from './terminal.ts';
import { readText, Registry, REGISTRY } from './values.ts';

export const run = defineCommand({
  name: 'run',
  about: 'Runs the bots of a file, and keeps them running until it is interrupted.',
  operands: ['file'],
  options: {
    registry: REGISTRY,
    logs: {
      value: 'FOLDER',
      about: 'also write what the bots write into files there, which rotate',
    },
    leave: { about: 'when it ends, leave the bots running for the next `run`; needs --logs' },
  },
  notes: `The file is what \`export\` prints. What it says of a bot replaces what the registry says; bots that only the
registry has are not started, but can be, by \`start\`. Entries that are malformed are named, and the others run.
SIGINT, SIGTERM and SIGHUP stop all bots, in the reverse of the order in which they start. A bot that is quarantined
stays so until \`start\`. With --json, one event a line.`,
  schema: z.strictObject({
    registry: Registry,
    file: z.string(),
    logs: z.string().min(1).exactOptional(),
    leave: z.boolean().default(false),
  }),
  run: async ({ registry: registryFile, file, logs, leave }, host): Promise<CommandResult> => {
    if (leave && logs === undefined) throw new UsageError('--leave needs --logs FOLDER.');
    const interrupted = host.whenInterrupted();
    const text = await readText(file);
    const registry = createBotRegistry({ file: registryFile }, { clock: host.clock });
    const supervisor = createSupervisor(
      {
        registry,
        orphans: leave ? 'leave' : 'end',
        ...(logs !== undefined && { logs: { folder: resolve(logs) } }),
      },
      { clock: host.clock },
    );
    // Before anything is written: it keeps two supervisors from one registry.
    const control = await serveControl(supervisor, { registryFile });
    try {
      const report = await registry.import(text, { conflicts: 'replace', source: file });
      if (report.problems.length > 0) host.err(fitForTerminal(tellProblems(report.problems)));
      tellEvents(supervisor, host);
      await supervisor.open();
      const starting = startAll(supervisor, idsOf(report), host);
      await untilAborted(interrupted);
      await supervisor.close({ bots: leave ? 'leave' : 'stop' });
      await starting;
    } finally {
      await control.close();
      await supervisor.close();
    }
    return { text: '', json: undefined, exitCode: 0 };
  },
});

/** Of the bots in the file. */
function idsOf({ added, replaced, unchanged }: ImportReport): string[] {
  return [...added, ...replaced, ...unchanged]
    .filter(({ kind }) => kind === 'bot')
    .map(({ name }) => name);
}

/** All at once, for each waits for those that it depends on. */
async function startAll(supervisor: Supervisor, ids: readonly string[], host: Host): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      try {
        const { status } = await supervisor.status(id);
        if (status === 'quarantined') host.err(`${id} stays quarantined; buddy-bots start ${id}\n`);
        else await supervisor.start(id);
      } catch (error) {
        const { code, message } = describeFailure(error);
        if (code !== 'BOTS_SUPERVISOR_CLOSED') host.err(fitForTerminal(`${id}: ${message}\n`));
      }
    }),
  );
}

/** How each event is told to people; what the bots write is told by `logs`. */
const TOLD: {
  [Name in Exclude<keyof SupervisorEvents, 'lineLogged'>]: (
    event: SupervisorEvents[Name][0],
  ) => string;
} = {
  botStarted: ({ process }) => `started, process ${process.pid}`,
  botReady: ({ afterMs }) => `ready after ${Math.round(afterMs)} ms`,
  botExited: ({ exit, reason }) => `ended: ${exit.kind}, ${reason}`,
  botRestarting: ({ waitMs, restarts }) =>
    `will be started again in ${Math.round(waitMs)} ms, restart ${restarts} of the period`,
  botQuarantined: ({ reason }) => `quarantined: ${reason}`,
  botAdopted: ({ process }) => `adopted, process ${process.pid}`,
  leftoversEnded: ({ pids }) => `ended what was left of it: ${pids.join(', ')}`,
  processesStuck: ({ pids }) => `hangs in the kernel and cannot be ended: ${pids.join(', ')}`,
  limitExceeded: (event) => `ended, for it used ${useOf(event)} for ${Math.round(event.forMs)} ms`,
  statusChanged: ({ from, to, reason }) =>
    `${from} -> ${to}${reason === undefined ? '' : ` (${reason})`}`,
  recordFailed: ({ error }) => `could not be recorded: ${describeFailure(error).message}`,
};

function useOf(breach: Breach): string {
  const { sample } = breach;
  switch (breach.limit) {
    case 'rss':
      return `${megabytesOf(sample.rssBytes)}, more than ${megabytesOf(breach.maxRssBytes)},`;
    case 'cpu':
      return `${Math.round(sample.cpuPercent ?? 0)} % of a core, more than ${breach.maxCpuPercent} %,`;
  }
}

function tellEvents({ events }: Supervisor, host: Host): void {
  const tell = <Name extends keyof typeof TOLD>(name: Name) => {
    const told: (event: SupervisorEvents[Name][0]) => string = TOLD[name];
    return (event: SupervisorEvents[Name][0]) => {
      const at = new Date(event.at).toISOString();
      host.out(
        host.isJson
          ? `${JSON.stringify(toSnakeCase({ event: name, ...event, at }))}\n`
          : fitForTerminal(`${at} ${event.botId}: ${told(event)}\n`),
      );
    };
  };
  events.on('botStarted', tell('botStarted'));
  events.on('botReady', tell('botReady'));
  events.on('botExited', tell('botExited'));
  events.on('botRestarting', tell('botRestarting'));
  events.on('botQuarantined', tell('botQuarantined'));
  events.on('botAdopted', tell('botAdopted'));
  events.on('leftoversEnded', tell('leftoversEnded'));
  events.on('processesStuck', tell('processesStuck'));
  events.on('limitExceeded', tell('limitExceeded'));
  events.on('statusChanged', tell('statusChanged'));
  events.on('recordFailed', tell('recordFailed'));
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
