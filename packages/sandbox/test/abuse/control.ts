import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { hasProc, ProcReader } from '../../src/host/process-usage.ts';
import { type Attempt, CANARY_VARIABLE } from './attempt.ts';
import { AFTERWARDS } from './afterwards.ts';
import type { Evidence } from './oracle.ts';
import type { PlainTask } from './plain-host.ts';
import type { Tripwires } from './tripwires.ts';

/** The program of a plain host as one file, for it starts hundreds of times. It has to be inside the repository: its path must show. */
export async function bundlePlainHost(): Promise<string> {
  const outfile = fileURLToPath(
    new URL('../../node_modules/.cache/buddy-sandbox/plain-host.mjs', import.meta.url),
  );
  await build({
    entryPoints: [fileURLToPath(new URL('./plain-host.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  });
  return outfile;
}

/** A host that works for so long without a turn of its event loop has hung: processor time, for a machine may be busy. */
export const HANG_MS = 300;
/** One that fills its memory has no turns while it does. */
const HANG_OF_BOMB_MS = 4_000;
/** One that neither works nor turns for so long has hung as well. */
const SILENCE_MS = 15_000;
/** One that has turned so often, and not reported, is no host any more. */
const MAX_TURNS = 100;
/** A host that holds so much is stopped, long before it would stop by itself. */
export const CONTROL_MEMORY_MB = 200;
const LOOK_MS = 10;

const PlainReport = z.object({
  outputs: z.array(z.string()),
  changedIntrinsics: z.array(z.string()),
  aftermath: z.string().nullable(),
});

/** Runs an attempt in a host without a sandbox, in a process that is thrown away, and tells what became of that host. */
export async function runUnsandboxed(
  { code, form = 'body', expects }: Attempt,
  tripwires: Tripwires,
  secret: string,
  plainHost: string,
): Promise<Evidence> {
  const targets = tripwires.targets();
  const connectionsBefore = tripwires.connections;
  const host = spawn(process.execPath, ['--no-warnings', plainHost], {
    cwd: targets.folder,
    env: { [CANARY_VARIABLE]: secret },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const task: PlainTask = {
    code,
    form,
    input: targets,
    afterwards: expects.afterwards ?? AFTERWARDS,
  };
  host.stdin.on('error', () => undefined).end(JSON.stringify(task));
  let said = '';
  let errors = '';
  let hasStarted = false;
  const hangMs = expects.breaksThroughUnsandboxed === 'memory' ? HANG_OF_BOMB_MS : HANG_MS;
  using usage = host.pid === undefined || !hasProc ? undefined : new ProcReader(host.pid);
  const cpuMs = (): number => usage?.read()?.cpuMs ?? 0;
  let heardAt = performance.now();
  let isOverdue = false;
  let cpuMsWhenHeard = 0;
  let turns = 0;
  let longestBlockMs = 0;
  let peakMb = 0;
  host.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    hasStarted ||= said.startsWith('started');
    heardAt = performance.now();
    cpuMsWhenHeard = cpuMs();
    turns += 1;
  });
  host.stderr.on('data', (bytes: Buffer) => {
    if (errors.length < 2_000) errors += bytes.toString();
  });
  const watch = setInterval(() => {
    if (!hasStarted) return;
    peakMb = Math.max(peakMb, peakMemoryMb(host.pid));
    const workedMs = cpuMs() - cpuMsWhenHeard;
    const silentMs = performance.now() - heardAt;
    const isHung = workedMs > hangMs || silentMs > SILENCE_MS;
    isOverdue = turns > MAX_TURNS;
    if (!isHung && peakMb <= CONTROL_MEMORY_MB && !isOverdue) return;
    if (isHung) longestBlockMs = Math.max(workedMs, silentMs);
    host.kill('SIGKILL');
  }, LOOK_MS);
  const hostEnd = await new Promise<string>((resolve) => {
    host.on('close', (exitCode, signal) => resolve(signal ?? `code ${exitCode}: ${errors}`));
  });
  clearInterval(watch);
  const line = said.split('\n').find((each) => each.startsWith('{"outputs"'));
  const report = line === undefined ? undefined : PlainReport.parse(JSON.parse(line));
  const wasStopped = longestBlockMs > 0 || peakMb > CONTROL_MEMORY_MB;
  return {
    outputs: report?.outputs ?? [],
    connections: tripwires.connections - connectionsBefore,
    files: tripwires.strangeFiles(targets.folder),
    changedIntrinsics: report?.changedIntrinsics ?? [],
    longestBlockMs,
    peakMb,
    hostEnd: report || wasStopped ? null : isOverdue ? 'it gave no report' : hostEnd,
    aftermath: report?.aftermath ?? null,
  };
}

/** The most that a process has ever held; 0 when it is gone, or there is no /proc. */
export function peakMemoryMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
