import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/**
 * Where a soak's worlds make their folders: always the same place for one soak, so that what a killed one left is found. Their
 * sockets need short paths, so it is not in the soak's own folder.
 */
export async function openGrounds(soak: string): Promise<AsyncDisposable & { folder: string }> {
  const name = createHash('sha256').update(soak).digest('hex').slice(0, 8);
  const grounds = join(tmpdir(), `guardian-soak-${name}`);
  await clear(grounds);
  await mkdir(grounds, { recursive: true });
  return { folder: grounds, [Symbol.asyncDispose]: () => clear(grounds) };
}

/** Ends what runs there: each process of a world has the place in its environment or its arguments. */
async function clear(grounds: string): Promise<void> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of numbers) {
    if (pid !== process.pid && (await isOf(pid, grounds))) end(pid);
  }
  await rm(grounds, { recursive: true, force: true, maxRetries: 5 });
}

async function isOf(pid: number, grounds: string): Promise<boolean> {
  for (const about of ['environ', 'cmdline']) {
    // One that has ended meanwhile, or that we may not look at, is none of ours.
    const text = await readFile(`/proc/${pid}/${about}`, 'utf8').catch(() => '');
    if (text.includes(`${grounds}/`) || text.includes(`TMPDIR=${grounds}\0`)) return true;
  }
  return false;
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
