import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where Debian puts the sources of golang-golang-x-mod-dev. */
const GO_PATH = '/usr/share/gocode';

/** What there is to verify, as main.go reads it. */
export interface GoClaims {
  verifier_key: string;
  /** Each a tlog-proof file, and the entry that it is about. */
  inclusion: { entry: string; proof: string }[];
  /** Each a checkpoint, and the proof that the log has only grown since. */
  consistency: { old: string; proof: string }[];
}

/** For each claim what is wrong with it; empty when it holds. */
export interface GoVerdicts {
  inclusion: string[];
  consistency: string[];
}

/** Why Go cannot be asked here; undefined when it can. */
export function whyWithoutGo(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return 'there is no go';
  const library = join(GO_PATH, 'src/golang.org/x/mod/sumdb/tlog');
  return existsSync(library) ? undefined : 'golang.org/x/mod is not here';
}

/** A program that asks Go's own library; to be built once. */
export class GoVerifier implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'buddy-go-'));
  readonly #program = join(this.#folder, 'verify');

  constructor() {
    const source = fileURLToPath(new URL('./main.go', import.meta.url));
    this.#run('go', ['build', '-o', this.#program, source], '');
  }

  verify(claims: GoClaims): GoVerdicts {
    return JSON.parse(this.#run(this.#program, [], JSON.stringify(claims)));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(command: string, parameters: string[], input: string): string {
    const { status, stdout, stderr, error } = spawnSync(command, parameters, {
      input,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: {
        ...process.env,
        // Debian's packages are sources under GOPATH, not modules; nothing is fetched.
        GO111MODULE: 'off',
        GOPATH: GO_PATH,
        GOFLAGS: '',
        GOCACHE: join(tmpdir(), 'buddy-go-cache'),
      },
    });
    if (status !== 0) throw new Error(`${command} failed: ${stderr}`, { cause: error });
    return stdout;
  }
}
