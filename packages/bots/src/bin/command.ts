import type { Clock } from '@buddy/core';
import type { z } from 'zod';

/** What a command needs of the process that it runs in. */
export interface Host {
  /** For what was asked. */
  readonly out: (text: string) => void;
  /** For all else. */
  readonly err: (text: string) => void;
  /** Whether what goes to `out` is for programs: JSON. */
  readonly isJson: boolean;
  readonly clock: Clock;
  /** Aborted when somebody ends the program; from the first call on, that is no longer done without a word. */
  readonly whenInterrupted: () => AbortSignal;
}

export interface CommandResult {
  /** For people. */
  readonly text: string;
  /** For programs; undefined when there is nothing more to say. */
  readonly json: unknown;
  readonly exitCode: 0 | 1 | 2;
}

export interface OptionDefinition {
  /** What stands after it in the help; absent for a switch. */
  value?: string;
  /** One letter that says the same. */
  short?: string;
  isRepeatable?: boolean;
  about: string;
}

export interface Command {
  name: string;
  about: string;
  /** What stands after it without a dash; `bot...` stands for one or more, `[bot]` for none or one. */
  operands: readonly string[];
  options: Readonly<Record<string, OptionDefinition>>;
  /** More for the help. */
  notes?: string;
  /** @param values Of options and operands, by name, not checked yet. */
  readonly run: (values: unknown, host: Host) => Promise<CommandResult>;
}

interface CommandDefinition<Schema extends z.ZodType> extends Omit<Command, 'run'> {
  /** Of options and operands together. */
  schema: Schema;
  readonly run: (values: z.output<Schema>, host: Host) => Promise<CommandResult>;
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

/** What was asked cannot be understood. */
export class UsageError extends Error {}

/** An operand's name without the marks that say how often it may stand there. */
export function bareName(operand: string): string {
  return operand.replaceAll(/[[\].]/g, '');
}

function problemOf({ issues }: z.ZodError, { operands }: Pick<Command, 'operands'>): string {
  const bare = operands.map(bareName);
  return issues
    .map(({ path, message }) => {
      const name = String(path[0] ?? '');
      if (name === '') return message;
      return `${bare.includes(name) ? name.toUpperCase() : `--${name}`}: ${message}`;
    })
    .join('\n');
}
