import { fitForTerminal } from '@buddy/core';
import { z } from 'zod';
import { connectControl, type ControlClient } from '../control/control-client.ts';
import { type CommandResult, defineCommand, type Host } from './command.ts';
import { Count, Registry, REGISTRY } from './values.ts';

/* What a supervisor is asked to do, which runs in another process: see `run`. */

const BOTS = z.strictObject({ registry: Registry, bot: z.array(z.string()) });
const NEEDS_SUPERVISOR =
  'Asks the supervisor that `buddy-bots run` is, of the same user on the same machine.';

export const start = defineCommand({
  name: 'start',
  about: 'Starts bots, after those that they depend on, and waits until they are ready.',
  operands: ['bot...'],
  options: { registry: REGISTRY },
  notes: `${NEEDS_SUPERVISOR}\nA bot that is quarantined gets another chance.`,
  schema: BOTS,
  run: async ({ registry, bot: ids }, host) =>
    eachInTurn(registry, ids, host, async (control, id) => {
      await control.start(id);
      return { text: `${id} is ready.`, json: { id, status: 'ready' } };
    }),
});

export const stop = defineCommand({
  name: 'stop',
  about: 'Stops bots, after those that depend on them, and waits until nothing of them is left.',
  operands: ['bot...'],
  options: { registry: REGISTRY },
  notes: NEEDS_SUPERVISOR,
  schema: BOTS,
  run: async ({ registry, bot: ids }, host) =>
    eachInTurn(registry, ids, host, async (control, id) => {
      const stopped = await control.stop(id);
      const others = stopped.filter((other) => other !== id);
      const before = others.length === 0 ? '' : `, after ${others.join(', ')}`;
      return { text: `${id} is stopped${before}.`, json: { id, status: 'stopped', stopped } };
    }),
});

export const restart = defineCommand({
  name: 'restart',
  about:
    'Stops bots and starts them again, as they are defined now, and waits until they are ready.',
  operands: ['bot...'],
  options: { registry: REGISTRY },
  notes: NEEDS_SUPERVISOR,
  schema: BOTS,
  run: async ({ registry, bot: ids }, host) =>
    eachInTurn(registry, ids, host, async (control, id) => {
      await control.restart(id);
      return { text: `${id} is ready again.`, json: { id, status: 'ready' } };
    }),
});

export const logs = defineCommand({
  name: 'logs',
  about: 'Prints what a bot wrote last; with -f, also what it writes from now on.',
  operands: ['bot'],
  options: {
    registry: REGISTRY,
    follow: { short: 'f', about: 'go on until it is interrupted, or the supervisor ends' },
    last: { short: 'n', value: 'N', about: 'at most so many lines of what is past (default 100)' },
  },
  notes: `${NEEDS_SUPERVISOR}
Secrets were taken out before a line was kept. With --json, one document a line.`,
  schema: z.strictObject({
    registry: Registry,
    bot: z.string(),
    follow: z.boolean().default(false),
    last: Count.default(100),
  }),
  run: async ({ registry, bot, follow, last }, host): Promise<CommandResult> => {
    const control = await connectControl({ registryFile: registry });
    const interrupted = follow ? { signal: host.whenInterrupted() } : {};
    for await (const line of control.logs(bot, { last, follow, ...interrupted })) {
      const at = new Date(line.at).toISOString();
      host.out(
        host.isJson
          ? `${JSON.stringify({ ...line, at })}\n`
          : `${at} ${line.stream === 'stderr' ? '!' : '|'} ${fitForTerminal(line.text)}\n`,
      );
    }
    return { text: '', json: undefined, exitCode: 0 };
  },
});

interface Done {
  text: string;
  json: unknown;
}

/** One after the other, in the order in which they were named; the first that fails ends it. */
async function eachInTurn(
  registryFile: string,
  ids: readonly string[],
  host: Host,
  work: (control: ControlClient, id: string) => Promise<Done>,
): Promise<CommandResult> {
  const control = await connectControl({ registryFile });
  const done: unknown[] = [];
  for (const id of ids) {
    const { text, json } = await work(control, id);
    if (!host.isJson) host.out(`${text}\n`);
    done.push(json);
  }
  return { text: '', json: { bots: done }, exitCode: 0 };
}
