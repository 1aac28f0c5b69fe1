import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServerWorld } from './postgres-world.ts';

const NOBODY = 65_534;

/** Starts a server below a parent that never asks how it ended: what is killed then stays in the table of processes. */
export async function startWithoutReaper({
  command,
  dataFolder,
  args,
  env,
  server,
}: PostgresServerWorld) {
  // A shell that has become something else knows nothing of its child.
  const parent = spawn(
    'sh',
    ['-c', '"$@" & echo $!; exec sleep 600', 'sh', command, '-D', dataFolder, ...args],
    {
      cwd: '/',
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY }),
    },
  );
  const [told] = await once(parent.stdout, 'data');
  const pid = Number(String(told).trim());
  for (const { signal } = new AbortController(); ; await sleep(10)) {
    if ((await server.probe(signal)).status === 'HEALTHY') break;
  }
  return {
    killServer: () => process.kill(pid, 'SIGKILL'),
    isZombie: () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
    end: async () => {
      const gone = once(parent, 'exit');
      parent.kill('SIGKILL');
      await gone;
    },
  };
}
