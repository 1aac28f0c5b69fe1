import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SandboxContender } from '../sandboxes/contender.ts';

/** What a host is to do with its sandbox. */
export type HostTask = TaskBase &
  (
    | { type: 'latency'; code: string; runs: number; warmUps: number; pauseMs: number }
    | { type: 'rate'; code: string; width: number; seconds: number }
    | { type: 'hostile'; code: string }
    | { type: 'idle' }
  );

interface TaskBase {
  kind: 'fresh' | 'again';
  /** Default 10 s. */
  timeoutMs?: number;
  /** Default 128. */
  memoryMb?: number;
}

export interface TaskAnswer {
  numbers: readonly number[];
  said?: string;
  /** Why the contender could not be loaded. */
  missing?: string;
}

export interface HostReport {
  answer: TaskAnswer | undefined;
  /** How it ended when it did not answer: `dies (SIGSEGV)`, `hangs`, `> 1500 MB`. */
  fate: string | undefined;
  /** The most that the host and the largest process below it held at one time, resident. Zero where there is no /proc. */
  peakMb: number;
}

export interface HostBounds {
  timeoutMs: number;
  /** Past it, the host is ended: the machine is needed for other rows. */
  maxMb: number;
}

const POLL_MS = 5;

/** Lets a contender do something in a process of its own, and tells what became of that process. */
export async function runHost(
  { name, nodeOptions = [] }: SandboxContender,
  task: HostTask,
  { timeoutMs, maxMb }: HostBounds,
): Promise<HostReport> {
  const program = fileURLToPath(new URL('../children/sandbox-host.ts', import.meta.url));
  const host = spawn(
    process.execPath,
    [
      '--conditions=@buddy/source',
      '--expose-gc',
      ...nodeOptions,
      program,
      name,
      JSON.stringify(task),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let stdout = '';
  let stderr = '';
  host.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  host.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let fate: string | undefined;
  let peakMb = 0;
  const end = (why: string): void => {
    fate ??= why;
    host.kill('SIGKILL');
  };
  const timer = setTimeout(() => end('hangs'), timeoutMs);
  const poll = setInterval(() => {
    peakMb = Math.max(peakMb, heldMb(host.pid));
    if (peakMb > maxMb) end(`> ${maxMb} MB`);
  }, POLL_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    host.on('error', reject);
    host.on('close', (...how) => resolve(how));
  });
  clearTimeout(timer);
  clearInterval(poll);
  const answer = answerIn(stdout);
  if (!answer && fate === undefined) {
    fate = /out of memory|allocation failed|heap limit/i.test(stderr)
      ? 'dies (out of memory)'
      : `dies (${signal ?? `code ${code}`})`;
    if (code === 1) throw new Error(`${name} could not do its task: ${stderr.slice(-2_000)}`);
  }
  return { answer, fate, peakMb };
}

function answerIn(stdout: string): TaskAnswer | undefined {
  const line = stdout.trimEnd().split('\n').at(-1);
  if (line === undefined || !line.startsWith('{')) return undefined;
  // children/sandbox-host.ts wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(line) as TaskAnswer;
}

function heldMb(pid: number | undefined): number {
  if (pid === undefined || process.platform !== 'linux') return 0;
  const below = descendants(pid).map(residentMb);
  return residentMb(pid) + Math.max(0, ...below);
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim();
  if (children === '') return [];
  return children.split(' ').flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

function residentMb(pid: number): number {
  const [, pages = '0'] = read(`/proc/${pid}/statm`).split(' ');
  return (Number(pages) * 4_096) / 2 ** 20;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // gone meanwhile
  }
}
