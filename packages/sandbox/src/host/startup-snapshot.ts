import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, isPrivate, makePrivateFolder } from './cache-folder.ts';
import { languageFlags } from './launch.ts';

/** Of what is kept; higher when it is made in another way. */
const FORM = 2;
const BUILD_TIMEOUT_MS = 30_000;
const known = new Map<string, StartupSnapshot>();

export interface SnapshotOptions {
  /** The child's program. */
  program: string;
  hardened: boolean;
  /** Default the user's cache. */
  folder?: string;
}

/**
 * A start-up snapshot of the child's program: a child that starts from one has run most of it already, and takes a quarter
 * less processor time to be ready. Made once for each program and Node, in the background; until then, and where it cannot
 * be made, children start without. What a child may do is the same either way: the flags decide, and they are not in it.
 */
export function startupSnapshot({
  program,
  hardened,
  folder = join(cacheFolder(), 'snapshots'),
}: SnapshotOptions): StartupSnapshot {
  const flags = languageFlags({ hardened });
  const path = join(folder, `${digestOf(program, flags)}.blob`);
  const snapshot = known.get(path) ?? new StartupSnapshot({ program, flags, folder, path });
  known.set(path, snapshot);
  return snapshot;
}

/** One for each program, Node and set of flags: Node refuses a snapshot that another one made. */
function digestOf(program: string, flags: readonly string[]): string {
  const { mtimeMs, size } = statSync(process.execPath);
  return createHash('sha256')
    .update(readFileSync(program))
    .update(
      JSON.stringify([FORM, process.version, process.arch, process.execPath, mtimeMs, size, flags]),
    )
    .digest('hex')
    .slice(0, 32);
}

interface SnapshotParts {
  program: string;
  flags: readonly string[];
  folder: string;
  path: string;
}

export class StartupSnapshot {
  readonly #parts: SnapshotParts;
  readonly #made: Promise<void>;
  #isReady = false;
  #details = 'being made';

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#made = this.#find().catch((error: unknown) =>
      this.giveUp(error instanceof Error ? error.message : String(error)),
    );
  }

  /** Undefined while there is none. */
  get path(): string | undefined {
    return this.#isReady ? this.#parts.path : undefined;
  }

  /** Where it is, or why there is none. */
  get details(): string {
    return this.#details;
  }

  /** Resolves when it is there, or when it is known that there will be none. */
  whenSettled(): Promise<void> {
    return this.#made;
  }

  /** From now on, children start without. */
  giveUp(reason: string): void {
    this.#isReady = false;
    this.#details = reason;
  }

  async #find(): Promise<void> {
    const { folder, path } = this.#parts;
    if (process.getuid === undefined) {
      this.giveUp('this system does not tell whose a file is');
      return;
    }
    makePrivateFolder(folder);
    if (!isPrivate(path, 'file')) await this.#build();
    if (!isPrivate(path, 'file')) throw new Error(`${path} is open to other users`);
    this.#isReady = true;
    this.#details = path;
  }

  async #build(): Promise<void> {
    const { program, flags, path } = this.#parts;
    const part = `${path}.${process.pid}.part`;
    const config = `${part}.json`;
    try {
      // Every process holds a copy of its own; the code of Node's modules is most of it, and Node has that already.
      writeFileSync(config, JSON.stringify({ builder: program, withoutCodeCache: true }));
      await run([
        ...flags,
        '--no-warnings', // about node:module, of which nothing is used before the snapshot is taken
        `--snapshot-blob=${part}`,
        `--build-snapshot-config=${config}`,
      ]);
      chmodSync(part, 0o600);
      renameSync(part, path); // whole or not at all: other processes may be looking
    } finally {
      rmSync(part, { force: true });
      rmSync(config, { force: true });
    }
  }
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { cwd: '/', env: {}, timeout: BUILD_TIMEOUT_MS },
      (error, _stdout, stderr) => {
        if (error) reject(new Error(`Node made none: ${stderr.trim().slice(0, 1_000)}`));
        else resolve();
      },
    );
  });
}
