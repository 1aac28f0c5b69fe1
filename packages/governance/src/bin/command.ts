import type { Clock } from '@buddy/core';
import type { z } from 'zod';
import type { CommandResult } from '../policy/commands.ts';
import { showUntrusted } from '../untrusted/show-untrusted.ts';

/** What a command needs of the process that it runs in. */
export interface Host {
  /** For what was asked. */
  readonly out: (text: string) => void;
  /** For all else. */
  readonly err: (text: string) => void;
  readonly clock: Clock;
  /** Of the operating system's user. */
  readonly userName: () => string;
}

export interface OptionDefinition {
  /** What stands after it in the help; absent for a switch. */
  value?: string;
  isRepeatable?: boolean;
  about: string;
}

export interface Command {
  /** `policy check`. */
  name: string;
  about: string;
  /** Names of what stands after it without a dash; all of them have to. */
  operands: readonly string[];
  /** Names of what may stand there too. */
  optionalOperands?: readonly string[];
  options: Readonly<Record<string, OptionDefinition>>;
  /** More for the help. */
  notes?: string;
  /** @param values Of options and operands, by name, not checked yet. */
  readonly run: (values: unknown, host: Host) => Promise<CommandResult>;
}

interface CommandDefinition<Schema extends z.ZodType> extends Omit<Command, 'run'> {
  /** Of options and operands together. */
  schema: Schema;
  readonly run: (values: z.output<Schema>, host: Host) => CommandResult | Promise<CommandResult>;
}

/** A command whose values are checked before it runs. */
export function defineCommand<Schema extends z.ZodType>({
  schema,
  run,
  ...rest
}: CommandDefinition<Schema>): Command {
  return {
    ...rest,
    run: async (values, host) => {
      const checked = schema.safeParse(values);
      if (!checked.success) throw new UsageError(problemOf(checked.error, rest));
      return run(checked.data, host);
    },
  };
}

/** The same answer, fit for a terminal: what an agent wrote into the log can do nothing to it. */
export function fitForTerminal(result: CommandResult): CommandResult {
  const text = showUntrusted(result.text, { keepLines: true, maxChars: Number.POSITIVE_INFINITY });
  return { ...result, text };
}

/** What was asked cannot be understood. */
export class UsageError extends Error {}

function problemOf(
  { issues }: z.ZodError,
  { operands, optionalOperands = [] }: Pick<Command, 'operands' | 'optionalOperands'>,
): string {
  return issues
    .map(({ path, message }) => {
      const name = String(path[0] ?? '');
      if (name === '') return message;
      return `${[...operands, ...optionalOperands].includes(name) ? name.toUpperCase() : `--${name}`}: ${message}`;
    })
    .join('\n');
}
