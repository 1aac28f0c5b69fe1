import { parseArgs } from 'node:util';
import { BuddyError } from '@buddy/core';
import type { z } from 'zod';
import { FAULT_PROFILES } from '../faults/fault-rule.ts';
import { readServeConfig, ServeConfigError } from './serve-config.ts';
import { serve, ServeOptions } from './serve.ts';

export interface CommandLinePorts {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Resolves when the process is asked to end. */
  readonly untilToldToStop: () => Promise<void>;
}

const HELP = `Serves mocks of GoHighLevel, Microsoft Graph mail and Mployer over HTTP and HTTPS, on this machine only.

  buddy-mocks serve [options]

  --port N        the first of six ports; 0, the default, takes whatever is free
  --only NAME     one mock alone: gohighlevel, msgraph or mployer; then --port is its HTTP
  --plain         HTTP alone, no HTTPS
  --seed TEXT     decides data, latencies and faults (default 1)
  --faults WHAT   a JSON file with a list of fault rules, or one of ${FAULT_PROFILES.join(', ')} (default none)
  --latency WHAT  typical, or none (default typical)
  --contacts N    sample contacts in GoHighLevel (default 100)
  --clock WHAT    real, or virtual: waiting costs nothing, and /__buddy/clock moves the time (default real)
  --speed N       on the real clock, let time pass N times as fast, 1 to 1000 (default 1)
  --admit FILE    a JSON list of the tokens that GoHighLevel and Graph let in, read anew when it changes (default any)
  --config FILE   a JSON object of these options by their names; what is on the command line wins
  --token TEXT    for the control endpoints under /__buddy (default a random one, printed)
  --print-env     prints shell exports that point clients here: eval "$(head -n 12 env.sh)"
  --help          prints this

Ends on SIGINT, SIGTERM and SIGHUP. Exit code 0: told to stop; 1: could not serve; 2: a mistake in the options; 78: one
in the config file.
`;

const OPTIONS = {
  port: { type: 'string' },
  seed: { type: 'string' },
  faults: { type: 'string' },
  latency: { type: 'string' },
  contacts: { type: 'string' },
  clock: { type: 'string' },
  speed: { type: 'string' },
  only: { type: 'string' },
  plain: { type: 'boolean' },
  admit: { type: 'string' },
  config: { type: 'string' },
  token: { type: 'string' },
  'print-env': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** @returns The exit code. */
export async function runCommandLine(
  args: readonly string[],
  ports: CommandLinePorts,
): Promise<number> {
  let given;
  try {
    given = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return mistake(error.message, ports); // an option that is not known
  }
  const { help, 'print-env': printEnv, config, ...values } = given.values;
  if (help === true) {
    ports.out(HELP);
    return 0;
  }
  const [command, ...more] = given.positionals;
  if (command !== 'serve' || more.length > 0) {
    return mistake(`The only command is serve, not "${given.positionals.join(' ')}"`, ports);
  }
  const parsed = ServeOptions.safeParse({ ...values, printEnv });
  if (!parsed.success) return mistake(problemsOf(parsed.error), ports);
  try {
    const options =
      config === undefined ? parsed.data : await withConfig(config, { ...values, printEnv });
    await serve(options, ports);
    return 0;
  } catch (error) {
    if (!(error instanceof BuddyError)) throw error;
    ports.err(`buddy-mocks: ${error.message}\n`);
    if (error instanceof ServeConfigError) return EX_CONFIG;
    return error.code === 'MOCKS_SERVER_FAILED' ? 1 : 2;
  }
}

const EX_CONFIG = 78;

async function withConfig(file: string, values: object): Promise<ServeOptions> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const options = { ...(await readServeConfig(file)), ...Object.fromEntries(given) };
  const parsed = ServeOptions.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new ServeConfigError(`--config ${file}: ${problemsOf(parsed.error)}`);
}

function problemsOf({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `--${path.join('.')} ${message}`))
    .join('\n');
}

function mistake(message: string, { err }: CommandLinePorts): number {
  err(`buddy-mocks: ${message}\n\n${HELP}`);
  return 2;
}
