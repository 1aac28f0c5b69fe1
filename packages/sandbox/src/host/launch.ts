import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Starts a process; `spawn` of node:child_process, or what stands in for it. */
export type Spawn = (
  command: string,
  args: readonly string[],
  options: {
    cwd: string;
    env: Record<string, string>;
    stdio: ['pipe', 'pipe', 'pipe'];
    detached: boolean;
  },
) => ChildProcess;

export const systemSpawn: Spawn = (command, args, options) => spawnProcess(command, args, options);

export interface LaunchPlan {
  /** The file a child runs, and the only one it may read. */
  program: string;
  /** A start-up snapshot of the program; see docs/decisions/0009. */
  snapshot?: string | undefined;
  memoryMb: number;
  /** Seconds of processor time after which the kernel ends the child, should the host not be able to. */
  cpuSeconds: number;
  hardened: boolean;
  inNamespace: boolean;
  /** Flags this Node does not know. */
  unknownFlags: ReadonlySet<string>;
}

/** Flags without which a child is not started at all. */
export const REQUIRED_FLAG = '--permission';
const SHELL = '/bin/sh';
/** What Node and V8 reserve as data before a program holds anything; with less, Node does not start. */
const NODE_DATA_MB = 700;
export const UNSHARE_ARGS = ['-r', '-n', '-p', '-i', '-u', '--fork', '--kill-child'] as const;

export const hasShell: boolean = process.platform !== 'win32' && existsSync(SHELL);

/** Node's flags for a child; each takes something away. */
export function nodeFlags(plan: LaunchPlan): string[] {
  const { program, snapshot, memoryMb, unknownFlags } = plan;
  return [
    REQUIRED_FLAG,
    `--allow-fs-read=${program}`,
    `--max-old-space-size=${memoryMb}`,
    '--max-semi-space-size=8',
    ...languageFlags(plan),
    '--disable-sigusr1', // else a signal opens the inspector
    '--v8-pool-size=1',
    ...(snapshot === undefined ? [] : [`--snapshot-blob=${snapshot}`]),
  ].filter((flag) => !unknownFlags.has(nameOf(flag)));
}

/** Those that change what the language is, or what of Node there is: a start-up snapshot has to be made under the same. */
export function languageFlags({ hardened }: Pick<LaunchPlan, 'hardened'>): string[] {
  return [
    '--no-js-source-phase-imports', // SES does not see `import.source(…)`
    '--no-experimental-sqlite', // opens files the permission model does not watch
    '--no-addons',
    '--disable-proto=delete',
    '--enable-experimental-regexp-engine-on-excessive-backtracks',
    ...(hardened ? ['--jitless'] : []),
  ];
}

function nameOf(flag: string): string {
  return flag.split('=', 1)[0] ?? flag;
}

/** The whole command of a child: limits of the shell, then a namespace, then Node. */
function launchCommand(plan: LaunchPlan): [command: string, args: string[]] {
  const node = [process.execPath, ...nodeFlags(plan), plan.program];
  const inner = plan.inNamespace ? ['unshare', ...UNSHARE_ARGS, '--', ...node] : node;
  if (!hasShell) return [inner[0] ?? process.execPath, inner.slice(1)];
  // A shell exports a few variables of its own, such as PWD; `env -i` takes them away again.
  return [SHELL, ['-c', `${limitsOf(plan)} exec env -i "$0" "$@"`, ...inner]];
}

export function launch(spawn: Spawn, plan: LaunchPlan): ChildProcess {
  const [command, args] = launchCommand(plan);
  return spawn(command, args, {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // a group of its own, to be killed as one
  });
}

function limitsOf({ memoryMb, cpuSeconds }: LaunchPlan): string {
  const dataKb = (memoryMb + NODE_DATA_MB) * 1_024;
  // One that a system refuses must not keep the others from being set.
  return ['-c 0', `-t ${cpuSeconds}`, '-f 0', '-n 64', `-d ${dataKb}`]
    .map((limit) => `ulimit ${limit} 2>/dev/null;`)
    .join(' ');
}
