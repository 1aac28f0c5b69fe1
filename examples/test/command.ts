import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = join(import.meta.dirname, '..');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RunningExample {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): void;
}

export interface StartOptions {
  /** Where the caller stands, as pnpm tells it. */
  folder?: string;
  environment?: Readonly<Record<string, string>>;
  /** Called with all of standard error so far. */
  onStderr?: (text: string, child: RunningExample) => void;
  /** Called when it was started; what it throws fails the run. */
  onStart?: (child: RunningExample) => Promise<void>;
  /** Stops reading standard output at once. */
  isStdoutClosed?: boolean;
}

/** Runs a file of the examples as a newcomer's shell does; resolves when it has ended. */
export function runExample(
  file: string,
  args: readonly string[] = [],
  {
    folder = tmpdir(),
    environment = {},
    onStderr,
    onStart,
    isStdoutClosed = false,
  }: StartOptions = {},
): Promise<Ended> {
  const {
    NO_COLOR: _noColor,
    FORCE_COLOR: _forceColor,
    DRY_RUN: _dryRun,
    ...inherited
  } = process.env;
  const child = spawn(
    process.execPath,
    ['--conditions=@buddy/source', join(EXAMPLES, file), ...args],
    {
      cwd: EXAMPLES,
      env: { ...inherited, INIT_CWD: folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  if (isStdoutClosed) child.stdout.destroy();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    onStart?.(child).catch((error: unknown) => {
      child.kill('SIGKILL');
      reject(error);
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** New folders, gone at the end of the test file. */
export function temporaryFolders(): { make: () => Promise<string>; remove: () => Promise<void> } {
  const made: string[] = [];
  return {
    make: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'buddy-examples-'));
      made.push(folder);
      return folder;
    },
    remove: async () => {
      for (const folder of made) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Relative path and text of every file below a folder. */
export async function filesBelow(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
  const files = new Map<string, string>();
  for (const path of paths) files.set(path.slice(folder.length + 1), await readFile(path, 'utf8'));
  return files;
}

/** One hash of all `phase*` folders. */
export async function hashOfPhases(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, text] of await filesBelow(folder)) {
    if (path.startsWith('phase')) hash.update(`${path}\n${text.length}\n${text}`);
  }
  return hash.digest('hex');
}

/** The records of a JSON Lines file; throws for a line that is none or half. */
export function recordsOf(text: string): Record<string, unknown>[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('It ends in half a line');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
