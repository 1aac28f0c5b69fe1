import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { launch, type LaunchPlan, type Spawn } from '../host/launch.ts';
import type { RunResult } from '../run/result.ts';
import { PROBE_SOURCE } from './probe.ts';

export interface Check {
  /** The layers that are tried: `compartment`, `process`, `limits`. */
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

const Probed = z.object({ name: z.string(), isHeld: z.boolean(), details: z.string() });
const PROBE_TIMEOUT_MS = 15_000;

interface Runner {
  run(code: string): Promise<RunResult>;
}

/** Tries from inside what the layers must not let happen. */
export async function diagnose(
  sandbox: Runner,
  plan: LaunchPlan,
  spawn: Spawn,
): Promise<Diagnosis> {
  const checks = [...(await checkRuns(sandbox)), ...(await checkProcess(plan, spawn))];
  return { isHealthy: checks.every(({ isHeld }) => isHeld), checks };
}

async function checkRuns(sandbox: Runner): Promise<Check[]> {
  const expectations: [
    layer: string,
    name: string,
    code: string,
    holds: (result: RunResult) => boolean,
  ][] = [
    ['compartment', 'run a program', '6 * 7', (it) => it.status === 'ok' && it.value === 42],
    [
      'compartment',
      'reach the network',
      'fetch("http://127.0.0.1")',
      (it) => it.status === 'violation',
    ],
    [
      'compartment',
      'reach the process',
      '(() => {}).constructor("return process")()',
      (it) => it.status !== 'ok',
    ],
    [
      'source gate',
      'import a module of Node',
      'import fs from "node:fs"',
      (it) => it.status === 'violation',
    ],
    ['limits', 'loop for ever', 'for (;;) {}', (it) => it.status === 'limit'],
    [
      'limits',
      'fill the memory',
      'const all = []; for (;;) all.push(new Uint8Array(4e6).fill(1))',
      (it) => it.status === 'limit',
    ],
    ['limits', 'run after all that', '6 * 7', (it) => it.status === 'ok' && it.value === 42],
  ];
  const checks: Check[] = [];
  for (const [layer, name, code, holds] of expectations) {
    const result = await sandbox.run(code);
    checks.push({ layer, name, isHeld: holds(result), details: result.status });
  }
  return checks;
}

async function checkProcess(plan: LaunchPlan, spawn: Spawn): Promise<Check[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'buddy-doctor-')));
  const server = createServer((socket) => socket.destroy());
  try {
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () =>
        resolve(Number(Reflect.get(Object(server.address()), 'port'))),
      );
    });
    const program = join(folder, 'probe.cjs');
    await writeFile(program, PROBE_SOURCE.replace('PORT', String(port)));
    return await probe({ ...plan, program }, spawn);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function probe(plan: LaunchPlan, spawn: Spawn): Promise<Check[]> {
  const child = launch(spawn, plan);
  const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_MS);
  const checks: Check[] = [];
  try {
    if (!child.stdout)
      return [{ layer: 'process', name: 'start', isHeld: false, details: 'no output' }];
    for await (const line of createInterface({ input: child.stdout })) {
      checks.push({ layer: 'process', ...Probed.parse(JSON.parse(line)) });
    }
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
  if (checks.length > 0) return checks;
  return [{ layer: 'process', name: 'answer', isHeld: false, details: 'the probe did not answer' }];
}
