import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@buddy/core';
import { ReaperError } from './errors.ts';
import type { ReaperMessage } from './reaper-messages.ts';

type Watched = Extract<ReaperMessage, { kind: 'watch' }>;

/**
 * A small process that outlives this one, if need be, to end the trees it was told of: the kernel closes our end of its
 * pipe whatever becomes of us. It starts with the first tree, in a session of its own, and goes when this process does.
 */
export class Reaper {
  readonly #logger: Logger;
  readonly #watched = new Map<string, Watched>();
  #child: ChildProcess | undefined;
  #isClosed = false;

  readonly #lookUp: 'proc' | 'ps' | undefined;

  /** @param lookUp As this process does: start times from elsewhere could not be compared. */
  constructor(logger: Logger, lookUp: 'proc' | 'ps' | undefined) {
    this.#logger = logger;
    this.#lookUp = lookUp;
  }

  /**
   * Returns when the kernel has the message; the reaper itself may read it as late as after our end.
   * @throws {ReaperError} The reaper's program is missing, or it is closed: then nobody would watch, and nothing may start.
   */
  watch(tree: Omit<Watched, 'kind'>): void {
    if (this.#isClosed) throw new ReaperError('Processes are closed: nothing is started any more.');
    const message = { kind: 'watch', ...tree } as const;
    this.#watched.set(tree.mark, message);
    if (this.#child) this.#tell(message);
    else this.#start();
  }

  /** The same again with more of it, unless it was to be forgotten meanwhile. */
  watchOn(tree: Omit<Watched, 'kind'>): void {
    if (!this.#isClosed && this.#watched.has(tree.mark)) this.watch(tree);
  }

  forget(mark: string): void {
    if (this.#watched.delete(mark)) this.#tell({ kind: 'forget', mark });
  }

  /** It then ends what it was not told to forget. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    await exited;
  }

  #start(): void {
    const conditions = import.meta.url.endsWith('.ts') ? ['--conditions=@buddy/source'] : [];
    const lookUp = this.#lookUp === undefined ? [] : [this.#lookUp];
    const child = spawn(process.execPath, [...conditions, findProgram(), ...lookUp], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child = child;
    child.on('error', (error) => this.#logger.error({ err: error }, 'The reaper does not start'));
    child.stdin.on('error', () => undefined); // it has ended, which its exit tells
    child.once('exit', (exitCode, signal) => this.#replace(child, exitCode ?? signal));
    // It must not keep this process alive.
    child.unref();
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
    for (const message of this.#watched.values()) this.#tell(message);
  }

  /** Somebody ended it: as long as there are trees, there has to be one. */
  #replace(child: ChildProcess, end: unknown): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#isClosed || this.#watched.size === 0) return;
    this.#logger.warn({ end }, 'The reaper has ended; another one takes its place');
    setTimeout(() => {
      if (!this.#isClosed && !this.#child && this.#watched.size > 0) this.#start();
    }, 100).unref();
  }

  #tell(message: ReaperMessage): void {
    this.#child?.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

/** Beside the sources, or beside or above the chunk that this code was built into. */
function findProgram(): string {
  const places = import.meta.url.endsWith('.ts')
    ? ['./reaper-main.ts']
    : ['./reaper.js', '../reaper.js'];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ReaperError(`The reaper's program is missing; it should be ${paths.join(' or ')}.`);
}
