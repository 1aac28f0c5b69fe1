#!/usr/bin/env node
import { createSandbox } from '../create-sandbox.ts';

const USAGE =
  'Usage: buddy-sandbox doctor\n\nTries each layer of the sandbox on this machine and prints what is enforced.\n';

async function main([command]: readonly string[]): Promise<number> {
  if (command !== 'doctor') {
    process.stderr.write(USAGE);
    return 2;
  }
  await using sandbox = await createSandbox({ limits: { wallMs: 2_000, memoryMb: 128 } });
  const { isHealthy, checks } = await sandbox.doctor();
  const { node, platform, layers, network, missingFlags } = sandbox.report();
  const lines = [
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
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return isHealthy ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
