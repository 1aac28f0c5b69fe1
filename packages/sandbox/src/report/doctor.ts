import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchPlan, Spawn } from '../host/launch.ts';
import { checkFromOutside } from './check-from-outside.ts';
import { checkHostSide } from './check-host-side.ts';
import { checkRuns, type Runner } from './check-runs.ts';
import { probeSource, startRealmProbeSource } from './probe.ts';
import { runProbe } from './run-probe.ts';

export interface Check {
  /**
   * What is tried: `source gate`, `compartment`, `limits`, `empty start realm`, `process`, `namespace` (where there is one),
   * `host side`.
   */
  layer: string;
  name: string;
  isHeld: boolean;
  details: string;
}

export interface Diagnosis {
  /** Whether every check held. */
  isHealthy: boolean;
  checks: readonly Check[];
}

/** Tries from inside what the layers must not let happen. */
export async function diagnose(
  sandbox: Runner,
  /** Asked after the first runs, which find out what this Node does not know. */
  planOf: () => LaunchPlan,
  spawn: Spawn,
): Promise<Diagnosis> {
  const inRuns = await checkRuns(sandbox);
  const checks = [...inRuns, ...(await checkProcesses(planOf(), spawn))];
  return { isHealthy: checks.every(({ isHeld }) => isHeld), checks };
}

async function checkProcesses(plan: LaunchPlan, spawn: Spawn): Promise<Check[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'buddy-doctor-')));
  const server = createServer((socket) => socket.destroy());
  try {
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () =>
        resolve(Number(Reflect.get(Object(server.address()), 'port'))),
      );
    });
    await writeFile(join(folder, 'canary'), 'canary');
    const program = { path: process.execPath, args: ['--version'] };
    const place = { folder, plan, spawn };
    const startRealm = startRealmProbeSource(await readFile(plan.program, 'utf8'));
    return [
      ...(await runProbe(startRealm, 'empty start realm', place)),
      ...(await runProbe(probeSource({ folder, program, port }), 'process', place, (pid) =>
        checkFromOutside(pid, plan),
      )),
      await checkHostSide(place),
    ];
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
