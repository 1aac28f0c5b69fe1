import { parseArgs } from 'node:util';
import { createSandbox } from '../create-sandbox.ts';
import type { Diagnosis } from '../report/doctor.ts';
import type { SandboxReport } from '../report/report.ts';

const USAGE = `Usage: buddy-sandbox doctor [--json]

Tries each layer of the sandbox on this machine and prints what is enforced.

  --json         prints { report, isHealthy, checks } as JSON
  -h, --help     prints this
  -v, --version  prints the version

Ends with 0 when every layer that is active holds, 1 when one does not, 2 when it was called wrongly.
`;

/** @returns The code that the process ends with. */
export async function runCommand(args: readonly string[], version: string): Promise<number> {
  const asked = readArgs(args);
  if (typeof asked === 'string') {
    process.stderr.write(`buddy-sandbox: ${asked}\n\n${USAGE}`);
    return 2;
  }
  if (asked.help || asked.version) {
    process.stdout.write(asked.help ? USAGE : `${version}\n`);
    return 0;
  }
  await using sandbox = await createSandbox();
  const diagnosis = await sandbox.doctor();
  const report = sandbox.report();
  const text = asked.json
    ? JSON.stringify({ report, ...diagnosis }, null, 2)
    : reading(report, diagnosis);
  process.stdout.write(`${text}\n`);
  return diagnosis.isHealthy ? 0 : 1;
}

interface Asked {
  help: boolean;
  version: boolean;
  json: boolean;
}

/** What is asked for, or what is wrong with how it is asked. */
function readArgs(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    if (values.help || values.version) return values;
    const [command, surplus] = positionals;
    if (command === undefined) return 'no command was given';
    if (command !== 'doctor') return `unknown command ${JSON.stringify(command)}`;
    return surplus === undefined ? values : `unexpected argument ${JSON.stringify(surplus)}`;
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return error.message; // of parseArgs: an unknown option
    throw error;
  }
}

function reading(
  { node, platform, layers, network, missingFlags }: SandboxReport,
  { isHealthy, checks }: Diagnosis,
): string {
  return [
    `Node ${node}, ${platform}`,
    ...layers.map(
      ({ number, name, isActive, by }) =>
        `layer ${number}  ${isActive ? 'active ' : 'missing'}  ${name}: ${by}`,
    ),
    `network: ${network}`,
    ...(missingFlags.length > 0
      ? [`flags this Node does not know: ${missingFlags.join(' ')}`]
      : []),
    '',
    ...checks.map(
      ({ layer, name, isHeld, details }) =>
        `${isHeld ? 'holds' : 'FAILS'}  ${layer}: ${name} (${details})`,
    ),
    '',
    isHealthy
      ? 'Every layer that is active holds.'
      : 'Something does not hold: see the lines that begin with FAILS.',
  ].join('\n');
}
