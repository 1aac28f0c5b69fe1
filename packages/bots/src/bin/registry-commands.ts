import { textTable } from '@buddy/core';
import { z } from 'zod';
import { type Bot, BotRole } from '../bot/bot.ts';
import { BOT_STATUSES } from '../bot/status.ts';
import { connectControl } from '../control/control-client.ts';
import { NoSupervisorError } from '../control/errors.ts';
import { UnknownBotError } from '../registry/errors.ts';
import type { EntryProblem } from '../registry/file/problem.ts';
import { toSnakeCase } from '../registry/file/snake-case.ts';
import { SORT_KEYS } from '../registry/query/query.ts';
import type { BotReport } from '../supervisor/supervisor.ts';
import { type CommandResult, defineCommand } from './command.ts';
import { ageOf, megabytesOf } from './terminal.ts';
import { Count, openRegistry, Registry, REGISTRY } from './values.ts';

export const list = defineCommand({
  name: 'list',
  about: 'Shows bots, and what was last recorded of them.',
  operands: [],
  options: {
    registry: REGISTRY,
    role: { value: 'ROLE', isRepeatable: true, about: BotRole.options.join(', ') },
    status: { value: 'STATUS', isRepeatable: true, about: BOT_STATUSES.join(', ') },
    tag: { value: 'TAG', isRepeatable: true, about: 'bots that have all of these' },
    text: { value: 'TEXT', about: 'somewhere in id, description, tags, template, command line' },
    sort: { value: 'FIELD', about: `${SORT_KEYS.join(', ')} (default id)` },
    order: { value: 'ORDER', about: 'ascending, descending (default ascending)' },
    limit: { value: 'N', about: 'at most so many (default 100)' },
    after: { value: 'CURSOR', about: 'the next page, from where the one before ended' },
  },
  schema: z.strictObject({
    registry: Registry,
    role: z.array(BotRole).exactOptional(),
    status: z.array(z.enum(BOT_STATUSES)).exactOptional(),
    tag: z.array(z.string()).exactOptional(),
    text: z.string().exactOptional(),
    sort: z.enum(SORT_KEYS).exactOptional(),
    order: z.enum(['ascending', 'descending']).exactOptional(),
    limit: Count.exactOptional(),
    after: z.string().exactOptional(),
  }),
  run: async ({ registry: file, ...query }, host): Promise<CommandResult> => {
    const registry = await openRegistry(file, host);
    const [page, problems] = [await registry.list(query), await registry.problems()];
    const now = host.clock.now();
    const table = textTable(
      ['ID', 'ROLE', 'STATUS', 'FOR', 'RESTARTS', 'TAGS', 'WHY'],
      page.bots.map((bot) => [
        bot.id,
        bot.role,
        bot.status,
        ageOf(bot.statusSince, now),
        bot.restarts,
        bot.tags.join(' '),
        bot.statusReason,
      ]),
    );
    const more = page.next === undefined ? '' : `The next page: --after ${page.next}\n`;
    const count = `${page.bots.length} of ${page.total} bots.\n`;
    return {
      text: `${table}${count}${more}${tellProblems(problems)}`,
      json: toSnakeCase({ ...page, problems }),
      exitCode: 0,
    };
  },
});

export const status = defineCommand({
  name: 'status',
  about: 'Shows what bots do now, or all that is known about one.',
  operands: ['[bot]'],
  options: { registry: REGISTRY },
  notes: `With a supervisor running, what it sees; without one, what was last recorded.`,
  schema: z.strictObject({ registry: Registry, bot: z.string().exactOptional() }),
  run: async ({ registry: file, bot: id }, host): Promise<CommandResult> => {
    const registry = await openRegistry(file, host);
    if (id === undefined) {
      const live = await reportsOf(file, undefined);
      const [bots, statistics] = [await registry.all(), await registry.statistics()];
      const problems = await registry.problems();
      const table = textTable(
        ['ID', 'STATUS', 'FOR', 'PID', 'MEMORY', 'CPU', 'RESTARTS', 'WHY'],
        bots.map((bot) => rowOf(bot, live?.get(bot.id), host.clock.now())),
      );
      return {
        text: `${table}${toldOfSupervisor(live)}${tellProblems(problems)}`,
        json: toSnakeCase({
          isSupervised: live !== undefined,
          statistics,
          bots: bots.map((bot) => live?.get(bot.id) ?? recordedReport(bot)),
          problems,
        }),
        exitCode: 0,
      };
    }
    const bot = await registry.get(id);
    if (!bot) throw new UnknownBotError(id);
    const live = await reportsOf(file, id);
    const report = live?.get(id);
    return {
      text: `${detailsOf(bot, report, host.clock.now())}${toldOfSupervisor(live)}`,
      json: toSnakeCase({ isSupervised: live !== undefined, bot, live: report ?? null }),
      exitCode: 0,
    };
  },
});

type Reports = ReadonlyMap<string, BotReport>;

/** Undefined when no supervisor is running. */
async function reportsOf(
  registryFile: string,
  id: string | undefined,
): Promise<Reports | undefined> {
  try {
    const control = await connectControl({ registryFile });
    return new Map((await control.status(id)).map((report) => [report.id, report]));
  } catch (error) {
    if (error instanceof NoSupervisorError) return undefined;
    throw error;
  }
}

function rowOf(bot: Bot, live: BotReport | undefined, now: number) {
  const { status: state, statusSince, statusReason, restarts } = live ?? bot;
  return [
    bot.id,
    state,
    ageOf(statusSince, now),
    live ? live.pid : bot.process?.pid,
    memoryOf(live),
    cpuOf(live),
    restarts,
    statusReason,
  ];
}

function memoryOf(live: BotReport | undefined): string | undefined {
  return live?.usage && megabytesOf(live.usage.rssBytes);
}

function cpuOf(live: BotReport | undefined): string | undefined {
  const percent = live?.usage?.cpuPercent;
  return percent === undefined ? undefined : `${Math.round(percent)} %`;
}

function recordedReport(bot: Bot) {
  const { id, role, status: state, statusReason, statusSince, restarts, lastExit, process } = bot;
  return {
    id,
    role,
    status: state,
    statusReason,
    statusSince,
    pid: process?.pid,
    restarts,
    lastExit,
  };
}

function detailsOf(bot: Bot, live: BotReport | undefined, now: number): string {
  const { status: state, statusSince, statusReason, restarts, lastExit } = live ?? bot;
  const { command, args, dependsOn, restart } = bot.deployment;
  const ended = lastExit && [
    lastExit.kind,
    lastExit.exitCode === null ? undefined : `exit code ${lastExit.exitCode}`,
    lastExit.signal ?? undefined,
    `${ageOf(lastExit.at, now)} ago`,
  ];
  return textTable(
    ['ID', bot.id],
    [
      ['role', bot.role],
      ['description', bot.description],
      ['tags', bot.tags.join(' ')],
      ['status', `${state}, for ${ageOf(statusSince, now)}`],
      ['why', statusReason],
      ['process', live ? live.pid : bot.process?.pid],
      ['memory', memoryOf(live)],
      ['cpu', cpuOf(live)],
      ['restarts', restarts],
      ['last exit', ended?.filter((part) => part !== undefined).join(', ')],
      ['command', [command, ...args].join(' ')],
      ['restart policy', `${restart.kind}, ${restart.intensity} in ${restart.periodMs} ms`],
      ['template', bot.template],
      ['depends on', dependsOn.join(' ')],
      ['revision', bot.revision],
    ],
  );
}

function toldOfSupervisor(live: Reports | undefined): string {
  return live ? '' : 'No supervisor is running: this is what was last recorded.\n';
}

export function tellProblems(problems: readonly EntryProblem[]): string {
  if (problems.length === 0) return '';
  const lines = problems.map(({ path, reason, name }) => {
    const named = name === undefined ? '' : ` (${name})`;
    return `  ${path}${named}: ${reason}\n`;
  });
  return `These entries cannot be read, the others go on:\n${lines.join('')}`;
}
