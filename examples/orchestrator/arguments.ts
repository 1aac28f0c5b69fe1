import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Strategy } from '@buddy/agents';
import { BuddyError } from '@buddy/core';
import { defaultPolicyFile } from '@buddy/governance';

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
  /** How many times faster than it does time passes, on the real clock. */
  speed: number;
  /** Whether the providers are servers that real clients speak to. */
  wire: boolean;
  /** Whether the providers' servers and a worker are broken while the run goes on, and healed. Only with `wire`. */
  faults: boolean;
  /** Mean pause between two faults, in seconds. */
  faultEvery: number;
  /** Absolute. */
  policy: string;
  /** Whether requests for approval are granted by nobody's word. */
  approveAll: boolean;
  force: boolean;
  json: boolean;
}

/** Of `--go-on` and `--resume`. */
export interface GoOnArguments {
  /** Of the run that was left waiting, or was interrupted. Absolute. */
  run: string;
  approveAll: boolean;
  json: boolean;
}

/** Of `--cancel`. */
interface CancelArguments {
  /** Of the run that another process works on. Absolute. */
  run: string;
  json: boolean;
}

export type Command =
  | { kind: 'run'; arguments: Arguments }
  | { kind: 'goOn'; arguments: GoOnArguments }
  | { kind: 'resume'; arguments: GoOnArguments }
  | { kind: 'cancel'; arguments: CancelArguments }
  | { kind: 'help' };

/** The command line asks for something that there is not. */
export class UsageError extends BuddyError {
  readonly code = 'EXAMPLES_USAGE';
}

export const STRATEGIES = [
  'load_balanced',
  'round_robin',
  'priority',
  'confidence',
] as const satisfies readonly Strategy[];
export const CLOCKS = ['manual', 'real'] as const;
export const DEFAULT_INPUT = join(import.meta.dirname, '..', 'data', 'phase20');
export const DEFAULT_POLICY = fileURLToPath(defaultPolicyFile);

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
  --wire            speak to the providers through their real clients, over HTTP to mock servers on this machine;
                    on the real clock
  --faults          with --wire: run those servers and a worker as processes of their own, break them for real while the
                    run goes on, and let the guardian heal them; the run waits until each kind of fault was there once
  --fault-every N   seconds between two faults, half to one and a half of it by chance, 0 to 3600 (default: 10)
  --speed N         on the real clock, let time pass N times as fast, 1 to 1000 (default: 1; with --wire 20,
                    with --faults 5: healing takes its real time)
  --policy FILE     what agents may do (default: the policy that comes with @buddy/governance)
  --approve-all-dev grant every request for approval, by nobody's word; for development only
  --go-on DIR       run what the run in DIR left waiting, as far as people have decided by now
  --resume DIR      go on with the run in DIR that was killed, or waits; for runs on the real clock
  --cancel DIR      stop the run in DIR that another process works on; for runs on the real clock
  --json            print the result as JSON on standard output
  --help            print this

Paths are relative to the folder you call from. Progress goes to standard error.
Exit status: 0 the run completed, or waits for people, whatever its tasks did; 1 the run failed; 2 bad usage;
130 interrupted.

Tasks that need approval wait: the run ends, and says how to approve and go on. --go-on takes all but
--approve-all-dev and --json from that run. It is a new process with new mock providers, which know nothing of what
the run did before; a program (\`code\`) begins at its beginning. It works in DIR/go-on-N, and breaks nothing.

A run on the real clock keeps a journal, DIR/state/journal.db. --resume brings plans, counts and files to where they
were, does again only what is not in the journal, and goes on; so it does with what people have approved since. While
such a run works, what people approve or deny reaches it within a second, from whatever process they do.
`;

/**
 * @param folder What relative paths are relative to.
 * @throws {UsageError} Naming the option and what it takes.
 */
export function parseArguments(args: readonly string[], folder: string): Command {
  const values = parse(args);
  if (values.help) return { kind: 'help' };
  const approveAll = values['approve-all-dev'] ?? false;
  const json = values.json ?? false;
  if (values['go-on'] !== undefined) {
    const run = resolve(folder, nonEmpty('--go-on', values['go-on']));
    return { kind: 'goOn', arguments: { run, approveAll, json } };
  }
  if (values.resume !== undefined) {
    const run = resolve(folder, nonEmpty('--resume', values.resume));
    return { kind: 'resume', arguments: { run, approveAll, json } };
  }
  if (values.cancel !== undefined) {
    return {
      kind: 'cancel',
      arguments: { run: resolve(folder, nonEmpty('--cancel', values.cancel)), json },
    };
  }
  const path = (name: 'input' | 'out' | 'policy', what = 'folder') =>
    values[name] === undefined
      ? undefined
      : resolve(folder, nonEmpty(`--${name}`, values[name], what));
  const wire = values.wire ?? false;
  const clock = oneOf('--clock', values.clock ?? (wire ? 'real' : 'manual'), CLOCKS);
  if (wire && clock === 'manual') {
    throw new UsageError('--wire runs on the real clock; leave out --clock manual');
  }
  if (values.speed !== undefined && clock === 'manual') {
    throw new UsageError('--speed is for the real clock; add --clock real, or leave it out');
  }
  const faults = values.faults ?? false;
  if (faults && !wire) {
    throw new UsageError('--faults breaks the servers of --wire; add --wire, or leave it out');
  }
  const faultEvery = values['fault-every'];
  if (faultEvery !== undefined && !faults) {
    throw new UsageError('--fault-every is for --faults; add it, or leave this out');
  }
  const usualSpeed = faults ? '5' : wire ? '20' : '1';
  return {
    kind: 'run',
    arguments: {
      input: path('input') ?? DEFAULT_INPUT,
      out: path('out'),
      seed: wholeNumber('--seed', values.seed ?? '23', { from: 0, to: Number.MAX_SAFE_INTEGER }),
      agents: wholeNumber('--agents', values.agents ?? '4', { from: 1, to: MOST_AGENTS }),
      strategy: oneOf('--strategy', values.strategy ?? 'load_balanced', STRATEGIES),
      waves: values.waves === undefined ? undefined : waveRange(values.waves),
      clock,
      speed: wholeNumber('--speed', values.speed ?? usualSpeed, { from: 1, to: FASTEST }),
      wire,
      faults,
      faultEvery: wholeNumber('--fault-every', faultEvery ?? '10', { from: 0, to: SELDOMEST }),
      policy: path('policy', 'file') ?? DEFAULT_POLICY,
      approveAll,
      force: values.force ?? false,
      json,
    },
  };
}

export const MOST_AGENTS = 1_000;
export const FASTEST = 1_000;
export const SELDOMEST = 3_600;

/** What a run that goes on does not take from the run before. */
const OF_GOING_ON = new Set(['go-on', 'resume', 'approve-all-dev', 'json', 'help']);

/** What may be said beside `--cancel`. */
const OF_CANCELLING = new Set(['cancel', 'json', 'help']);

function parse(args: readonly string[]) {
  const values = parseOptions(args);
  const notOfCancelling = Object.keys(values).find((name) => !OF_CANCELLING.has(name));
  if (!values.help && values.cancel !== undefined && notOfCancelling !== undefined) {
    throw new UsageError(`--cancel goes with --json at most; leave out --${notOfCancelling}`);
  }
  const surplus = Object.keys(values).find((name) => !OF_GOING_ON.has(name));
  if (values.help) return values;
  if (values['go-on'] !== undefined && values.resume !== undefined) {
    throw new UsageError('--go-on and --resume are two ways to go on; leave one out');
  }
  const way = values.resume === undefined ? '--go-on' : '--resume';
  if ((values['go-on'] ?? values.resume) !== undefined && surplus !== undefined) {
    throw new UsageError(`${way} takes --${surplus} from the run that goes on; leave it out`);
  }
  return values;
}

function parseOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        input: { type: 'string' },
        out: { type: 'string' },
        force: { type: 'boolean' },
        seed: { type: 'string' },
        agents: { type: 'string' },
        strategy: { type: 'string' },
        waves: { type: 'string' },
        clock: { type: 'string' },
        speed: { type: 'string' },
        wire: { type: 'boolean' },
        faults: { type: 'boolean' },
        'fault-every': { type: 'string' },
        policy: { type: 'string' },
        'approve-all-dev': { type: 'boolean' },
        'go-on': { type: 'string' },
        resume: { type: 'string' },
        cancel: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function nonEmpty(option: string, value: string, what = 'folder'): string {
  if (value.trim() === '') throw new UsageError(`${option} needs a ${what}`);
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
