import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { oneAtATime, parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { GuardianConfigError, GuardianMisuseError } from '../../errors.ts';
import type {
  LaunchAdapter,
  LaunchSettings,
  ProcessIdentity,
} from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { bearsMark, markOf } from './process-mark.ts';

/** What is run. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

const Environment = z.record(z.string(), z.string());
const positive = z.int().positive();

const Release = z.strictObject({
  id: z.string().min(1),
  /** What is not said here is as the service says. */
  command: z.string().min(1).optional(),
  args: z.array(z.string()).optional(),
  cwd: z.string().min(1).optional(),
  /** Added to that of the service: the path of a configuration, say, which then goes back with its release. */
  env: Environment.default({}),
});

export const ServiceLaunchOptions = z.strictObject({
  /** Id of the service, as its process service has it. */
  service: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots, dashes and underscores only'),
  /** That of the process service. What was chosen is kept there, so that a guardian that starts anew knows it. */
  stateFolder: z.string().min(1),
  /** What can be run, the oldest first. The newest is, until another is chosen. */
  releases: z
    .array(Release)
    .min(1)
    .default([{ id: 'only', env: {} }]),
  /** A release that was well for so long, in ms, is known to be good: one can go back to it. */
  provenAfterMs: z.number().nonnegative().default(60_000),
  /** Added in safe mode, in which it leaves out what it can start without. Default: it has no safe mode. */
  safeMode: z
    .strictObject({ args: z.array(z.string()).default([]), env: Environment.default({}) })
    .optional(),
  /** Limit of the heap of a service that runs on Node, in MiB, and how far it may be raised. */
  memory: z.strictObject({ limitMb: positive, capMb: positive }).optional(),
  /** Where such a service leaves a snapshot of its heap shortly before it is full. It takes seconds to write. */
  heapSnapshotFolder: z.string().min(1).optional(),
  /** File descriptors that it may have open, and how far that may be raised; by the shell's `ulimit`. */
  openFiles: z.strictObject({ limit: positive, cap: positive }).optional(),
  /** Where it may listen: the usual port first, then others to which it may move. */
  ports: z.array(z.int().min(1).max(65_535)).default([]),
  /** The address at which it listens, where it has to be found out whether a port is free. */
  host: z.string().min(1).default('127.0.0.1'),
  /** The variable that tells it its port. */
  portVariable: z.string().min(1).default('PORT'),
});
export type ServiceLaunchInput = z.input<typeof ServiceLaunchOptions>;
type ServiceLaunchOptions = z.output<typeof ServiceLaunchOptions>;

export interface ServiceLaunchPorts {
  /** Told of each change of the port: where whoever calls the service learns its address. */
  onPort?: (port: number) => Promise<void> | void;
}

/** How a process service is launched; hand it to `createProcessService`. */
export interface ServiceLaunch extends LaunchAdapter {
  /** What is run, as things are set now. */
  commandOf(base: Command): Command;
  /** Notes that a release does its work, and for how long (ms) it has. */
  noteWell(release: string, forMs: number): Promise<void>;
}

const Kept = z.object({
  /** Holds until there is a newer release than the one that was left for it. */
  release: z.object({ id: z.string(), newest: z.string() }).optional(),
  mode: z.enum(['normal', 'safe']).default('normal'),
  memory_mb: positive.optional(),
  open_files: positive.optional(),
  port: z.int().optional(),
  good: z.array(z.string()).default([]),
});
type Kept = z.output<typeof Kept>;

/**
 * How a service is launched: which release, in which mode, with which limits and at which port. What is changed is so from
 * the next start on, and is kept in the state folder.
 *
 * `memory` is for services that run on Node (V8's `--max-old-space-size`), `openFiles` needs a POSIX shell.
 * @throws {InvalidInputError} When the options, or what was kept, are not usable.
 * @throws {GuardianConfigError} When a limit is above its cap, or two releases have one id.
 * @example
 * const launch = createServiceLaunch({
 *   service: 'api', stateFolder: 'state', ports: [8080, 8081], memory: { limitMb: 256, capMb: 512 },
 *   releases: [{ id: 'v1', args: ['v1/api.js'] }, { id: 'v2', args: ['v2/api.js'] }],
 * });
 * const api = createProcessService({ id: 'api', command: 'node', stateFolder: 'state' }, { launch });
 */
export function createServiceLaunch(
  input: ServiceLaunchInput,
  ports: ServiceLaunchPorts = {},
): ServiceLaunch {
  const options = parseOrThrow(ServiceLaunchOptions, input, 'a service launch');
  checkOptions(options);
  return new FiledServiceLaunch(options, ports);
}

function checkOptions({ service, releases, memory, openFiles }: ServiceLaunchOptions): void {
  const wrong = (problem: string): never => {
    throw new GuardianConfigError(`Launch of ${service}: ${problem}`);
  };
  if (new Set(releases.map(({ id }) => id)).size < releases.length) {
    wrong('two releases have one id.');
  }
  if (memory && memory.limitMb > memory.capMb) wrong('memory.limitMb is above memory.capMb.');
  if (openFiles && openFiles.limit > openFiles.cap) {
    wrong('openFiles.limit is above openFiles.cap.');
  }
}

class FiledServiceLaunch implements ServiceLaunch {
  readonly kind = 'launch';
  readonly #options: ServiceLaunchOptions;
  readonly #onPort: ServiceLaunchPorts['onPort'];
  readonly #newest: string;
  #kept: Kept;
  /** One after the other, so that the last choice is the one that stays. */
  readonly #inTurn = oneAtATime();

  constructor(options: ServiceLaunchOptions, { onPort }: ServiceLaunchPorts) {
    this.#options = options;
    this.#onPort = onPort;
    this.#newest = options.releases.at(-1)?.id ?? '';
    this.#kept = readKept(this.#path);
  }

  /** Whether what is chosen is there to be run. */
  async probe(): Promise<Reading> {
    const { cwd, id } = this.#release;
    if (cwd === undefined) return HEALTHY;
    const isThere = await stat(cwd).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return HEALTHY;
    const note = `the folder of release ${id} is not there: ${cwd}`;
    return { status: 'FAILED', signal: 'launch.release_missing', certainty: 'decisive', note };
  }

  settings(): LaunchSettings {
    const { memory, openFiles, ports } = this.#options;
    const { mode, memory_mb: memoryMb, open_files: openNow, port } = this.#kept;
    return {
      release: this.#release.id,
      mode: this.hasSafeMode() ? mode : 'normal',
      memoryMb: memory ? Math.min(memoryMb ?? memory.limitMb, memory.capMb) : null,
      openFiles: openFiles ? Math.min(openNow ?? openFiles.limit, openFiles.cap) : null,
      port: (port !== undefined && ports.includes(port) ? port : ports[0]) ?? null,
    };
  }

  usualMemoryMb(): number | null {
    return this.#options.memory?.limitMb ?? null;
  }

  caps(): { memoryMb: number | null; openFiles: number | null } {
    const { memory, openFiles } = this.#options;
    return { memoryMb: memory?.capMb ?? null, openFiles: openFiles?.cap ?? null };
  }

  ports(): readonly number[] {
    return this.#options.ports;
  }

  /** By trying: who listens may be hidden, but not that it cannot be bound. */
  async isFree(port: number): Promise<boolean> {
    const server = createServer();
    try {
      server.listen({ port, host: this.#options.host, exclusive: true });
      await once(server, 'listening');
      return true;
    } catch {
      return false; // EADDRINUSE, or EACCES: either way it is not to be had
    } finally {
      server.close();
    }
  }

  hasSafeMode(): boolean {
    return this.#options.safeMode !== undefined;
  }

  lastKnownGood(): string | undefined {
    const ids = this.#options.releases.map(({ id }) => id);
    const older = ids.slice(0, ids.indexOf(this.#release.id));
    return older.findLast((id) => this.#kept.good.includes(id));
  }

  isOurs(identity: ProcessIdentity): Promise<boolean> {
    const { stateFolder, service: id } = this.#options;
    return bearsMark(identity, markOf({ stateFolder, id }));
  }

  async useRelease(release: string): Promise<void> {
    const { releases, service } = this.#options;
    if (!releases.some(({ id }) => id === release)) {
      throw new GuardianMisuseError(`${service} has no release "${release}".`);
    }
    await this.#keep({ release: { id: release, newest: this.#newest } });
  }

  async useMode(mode: LaunchSettings['mode']): Promise<void> {
    if (mode === 'safe' && !this.hasSafeMode()) {
      throw new GuardianMisuseError(`${this.#options.service} has no safe mode.`);
    }
    await this.#keep({ mode });
  }

  async limitMemory(megabytes: number): Promise<void> {
    this.#expectWithin('memory', megabytes, this.#options.memory?.capMb);
    await this.#keep({ memory_mb: megabytes });
  }

  async limitOpenFiles(count: number): Promise<void> {
    this.#expectWithin('open files', count, this.#options.openFiles?.cap);
    await this.#keep({ open_files: count });
  }

  async usePort(port: number): Promise<void> {
    const { ports, service } = this.#options;
    if (!ports.includes(port)) {
      throw new GuardianMisuseError(`${port} is none of the ports of ${service}.`);
    }
    await this.#keep({ port });
    await this.#onPort?.(port);
  }

  commandOf(base: Command): Command {
    const { release, memoryMb, openFiles, port, mode } = this.settings();
    const { safeMode, portVariable, heapSnapshotFolder } = this.#options;
    const chosen = this.#options.releases.find(({ id }) => id === release);
    const safe = mode === 'safe' ? safeMode : undefined;
    const args = [...(chosen?.args ?? base.args), ...(safe?.args ?? [])];
    const env: Record<string, string> = { ...base.env, ...chosen?.env, ...safe?.env };
    if (port !== null) env[portVariable] = String(port);
    const nodeOptions = [
      ...(memoryMb === null ? [] : [`--max-old-space-size=${memoryMb}`]),
      ...(heapSnapshotFolder === undefined
        ? []
        : ['--heapsnapshot-near-heap-limit=1', `--diagnostic-dir=${heapSnapshotFolder}`]),
    ];
    if (nodeOptions.length > 0) {
      env['NODE_OPTIONS'] = [env['NODE_OPTIONS'] ?? '', ...nodeOptions].join(' ').trim();
    }
    const command = chosen?.command ?? base.command;
    const cwd = chosen?.cwd ?? base.cwd;
    if (openFiles === null) return { command, args, cwd, env };
    // The shell becomes the service: one process, whose number is known.
    const limited = ['-c', 'ulimit -n "$0" && exec "$@"', String(openFiles), command, ...args];
    return { command: 'sh', args: limited, cwd, env };
  }

  async noteWell(release: string, forMs: number): Promise<void> {
    const { good } = this.#kept;
    if (forMs < this.#options.provenAfterMs || good.includes(release)) return;
    await this.#keep({ good: [...good, release] });
  }

  get #release() {
    const { releases, service } = this.#options;
    const chosen = this.#kept.release;
    const wanted = chosen?.newest === this.#newest ? chosen.id : this.#newest;
    const release = releases.find(({ id }) => id === wanted) ?? releases.at(-1);
    if (!release) throw new GuardianConfigError(`Launch of ${service}: it has no releases.`);
    return release;
  }

  #expectWithin(what: string, wanted: number, cap: number | undefined): void {
    if (cap !== undefined && Number.isInteger(wanted) && wanted > 0 && wanted <= cap) return;
    const { service } = this.#options;
    const most = cap === undefined ? 'it has no such limit' : `at most ${cap}`;
    throw new GuardianMisuseError(`${service} cannot be limited to ${wanted} of ${what}: ${most}.`);
  }

  #keep(change: Partial<Kept>): Promise<void> {
    this.#kept = { ...this.#kept, ...change };
    return this.#inTurn(async () => {
      await mkdir(this.#options.stateFolder, { recursive: true });
      await writeFileAtomic(this.#path, `${JSON.stringify(this.#kept)}\n`);
    });
  }

  get #path(): string {
    return join(this.#options.stateFolder, `${this.#options.service}.launch.json`);
  }
}

function readKept(path: string): Kept {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Kept.parse({});
    throw error;
  }
  return parseOrThrow(Kept, parseJson(text, path), `launch settings ${path}`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GuardianMisuseError(
      `${path} is no JSON; remove it, and the service is launched as its options say.`,
      { cause },
    );
  }
}
