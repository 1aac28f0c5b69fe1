import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ChildMeasurement {
  stdout: string;
  /** From the start of the process to its end. */
  wallMs: number;
  /** The most memory that it held at once, resident. */
  peakMb: number;
}

/**
 * Runs a program in a Node process of its own, from the sources, and measures it from outside.
 * @throws {Error} When it ends otherwise than well; with the end of what it said.
 */
export async function measureChild(
  program: URL,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<ChildMeasurement> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-'));
  const peakFile = join(folder, 'peak');
  try {
    const startedAt = performance.now();
    const stdout = await run(program, args, nodeOptions, peakFile);
    const wallMs = performance.now() - startedAt;
    const peakMb = Number(await readFile(peakFile, 'utf8')) / 2 ** 20;
    return { stdout, wallMs, peakMb };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  program: URL,
  args: readonly string[],
  nodeOptions: readonly string[],
  peakFile: string,
): Promise<string> {
  const tellPeak = new URL('./tell-peak-memory.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      '--conditions=@buddy/source',
      `--import=${tellPeak}`,
      ...nodeOptions,
      fileURLToPath(program),
      ...args,
    ],
    {
      env: { ...process.env, BUDDY_BENCH_PEAK_FILE: peakFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const said = (stderr || stdout).slice(-2_000);
      reject(new Error(`${fileURLToPath(program)} ended with ${code ?? signal}: ${said}`));
    });
  });
}
