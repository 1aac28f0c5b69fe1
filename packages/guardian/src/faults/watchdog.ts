import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaultUnavailableError } from './errors.ts';

/**
 * A small process that outlives this one, if need be, to take its faults back: the kernel closes our end of its pipe whatever
 * becomes of us. It is started with the first fault, in a session of its own. It knows the built-in faults.
 */
export class Watchdog {
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  start(): void {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) return;
    const conditions = import.meta.url.endsWith('.ts') ? ['--conditions=@buddy/source'] : [];
    const child = spawn(process.execPath, [...conditions, findProgram(), this.#folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#child = child;
    child.on('error', (error) => process.emitWarning(`The watchdog of faults: ${error.message}`));
    child.stdin.on('error', () => undefined); // it has ended; the next fault starts another
    // It must not keep this process alive.
    child.unref();
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  }

  /** It looks once more, and ends. */
  stop(): void {
    this.#child?.stdin?.end();
    this.#child = undefined;
  }
}

/** Where the program is, seen from the sources and from what was built of them. */
function findProgram(): string {
  const places = import.meta.url.endsWith('.ts')
    ? ['./watchdog-main.ts']
    : ['./watchdog-main.js', './faults/watchdog-main.js'];
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new FaultUnavailableError('watchdog', 'its program is not among the installed files');
}
