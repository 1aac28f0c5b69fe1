import { BotRole, type ExitKind } from '../../bot/bot.ts';
import { BOT_STATUSES, type BotStatus } from '../../bot/status.ts';
import type { Contents } from '../contents.ts';

export interface RegistryStatistics {
  /** Of the file: how often it was written. */
  readonly generation: number;
  readonly bots: number;
  readonly byStatus: Readonly<Record<BotStatus, number>>;
  readonly byRole: Readonly<Record<BotRole, number>>;
  /** By template, those that extend none left out. */
  readonly byTemplate: Readonly<Record<string, number>>;
  /** How the last process ended, of bots that had one. */
  readonly byLastExit: Readonly<Partial<Record<ExitKind, number>>>;
  /** Of all bots, since they were registered. */
  readonly restarts: number;
  /** Entries of the file that cannot be read. */
  readonly malformed: number;
}

export function statisticsOf({ generation, bots, malformed }: Contents): RegistryStatistics {
  const all = [...bots.values()].map(({ bot }) => bot);
  return {
    generation,
    bots: all.length,
    byStatus: tally(
      BOT_STATUSES,
      all.map(({ status }) => status),
    ),
    byRole: tally(
      BotRole.options,
      all.map(({ role }) => role),
    ),
    byTemplate: count(all.flatMap(({ template }) => template ?? [])),
    byLastExit: count(all.flatMap(({ lastExit }) => lastExit?.kind ?? [])),
    restarts: all.reduce((sum, bot) => sum + bot.restarts, 0),
    malformed: malformed.length,
  };
}

/** All names, also those of which there are none. */
function tally<Name extends string>(
  names: readonly Name[],
  found: readonly Name[],
): Record<Name, number> {
  const counts = count(found);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each name
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? 0])) as Record<Name, number>;
}

function count(found: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
