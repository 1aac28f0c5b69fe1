import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Strategy } from '@buddy/agents';
import { BuddyError } from '@buddy/core';

export interface Arguments {
  /** Absolute. */
  input: string;
  /** Absolute; undefined: the next free `out/run-N`. */
  out: string | undefined;
  seed: number;
  agents: number;
  strategy: Strategy;
  waves: { from: number; to: number } | undefined;
  clock: 'manual' | 'real';
  force: boolean;
  json: boolean;
}

export type Command = { kind: 'run'; arguments: Arguments } | { kind: 'help' };

/** The command line asks for something that there is not. */
export class UsageError extends BuddyError {
  readonly code = 'EXAMPLES_USAGE';
}

const STRATEGIES: readonly Strategy[] = ['load_balanced', 'round_robin', 'priority', 'confidence'];
export const DEFAULT_INPUT = join(import.meta.dirname, '..', 'data', 'phase20');

export const HELP = `Runs predicted tasks over several agents, wave by wave, and writes down what happened.

Usage: npx -y pnpm@12 start [options]

  --input DIR       folder that holds predicted_tasks.jsonl (default: the shipped data)
  --out DIR         where to write; must be empty or not there (default: the next free out/run-N)
  --force           replace what is in --out
  --seed N          decides all chance (default: 23)
  --agents N        how many agents, 1 to 1000 (default: 4)
  --strategy NAME   ${STRATEGIES.join(', ')} (default: load_balanced)
  --waves A-B       only these waves, such as 2-4 or 3 (default: all)
  --clock KIND      manual: waiting costs no time; real: it does (default: manual)
  --json            print the result as JSON on standard output
  --help            print this

Paths are relative to the folder you call from. Progress goes to standard error.
Exit status: 0 the run completed, whatever its tasks did; 1 the run failed; 2 bad usage; 130 interrupted.
`;

/**
 * @param folder What relative paths are relative to.
 * @throws {UsageError} Naming the option and what it takes.
 */
export function parseArguments(args: readonly string[], folder: string): Command {
  const { values } = parse(args);
  if (values.help) return { kind: 'help' };
  return {
    kind: 'run',
    arguments: {
      input:
        values.input === undefined
          ? DEFAULT_INPUT
          : resolve(folder, nonEmpty('--input', values.input)),
      out: values.out === undefined ? undefined : resolve(folder, nonEmpty('--out', values.out)),
      seed: wholeNumber('--seed', values.seed, { from: 0, to: Number.MAX_SAFE_INTEGER }),
      agents: wholeNumber('--agents', values.agents, { from: 1, to: 1000 }),
      strategy: oneOf('--strategy', values.strategy, STRATEGIES),
      waves: values.waves === undefined ? undefined : waveRange(values.waves),
      clock: oneOf('--clock', values.clock, ['manual', 'real']),
      force: values.force,
      json: values.json,
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        input: { type: 'string' },
        out: { type: 'string' },
        force: { type: 'boolean', default: false },
        seed: { type: 'string', default: '23' },
        agents: { type: 'string', default: '4' },
        strategy: { type: 'string', default: 'load_balanced' },
        waves: { type: 'string' },
        clock: { type: 'string', default: 'manual' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function nonEmpty(option: string, value: string): string {
  if (value.trim() === '') throw new UsageError(`${option} needs a folder`);
  return value;
}

function wholeNumber(
  option: string,
  text: string,
  { from, to }: { from: number; to: number },
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`${option} takes a whole number from ${from} to ${to}, not "${text}"`);
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text);
  if (name !== undefined) return name;
  throw new UsageError(`${option} takes one of ${names.join(', ')}, not "${text}"`);
}

function waveRange(text: string): { from: number; to: number } {
  const match = /^([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match && from <= to) return { from, to };
  throw new UsageError(`--waves takes a range such as 2-4, or one wave, not "${text}"`);
}
