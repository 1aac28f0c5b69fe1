import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { AVAILABLE, defineFault } from '@buddy/guardian/faults';
import { z } from 'zod';

const TOKEN = 'BUDDY_FAULT';
const SECONDS = 120;

/** Waits until the port is free, takes it, and answers nothing. Ends when its time is over, or who started it is gone. */
const OCCUPANT = `
const [port, seconds] = process.argv.slice(1).map(Number);
const server = require('node:net').createServer((peer) => peer.on('error', () => peer.destroy()));
server.on('error', () => { process.stdout.write('waits\\n'); setTimeout(listen, 2); });
server.on('listening', () => process.stdout.write('has it\\n'));
function listen() { server.listen(port, '127.0.0.1'); }
listen();
process.stdin.on('end', () => process.exit(0)).resume();
setTimeout(() => process.exit(0), seconds * 1000);
`;

/**
 * A service ends, and a stale process of its own, which waited for that, has its port before it is started again: the next
 * start meets an address in use. The kit's `portOccupy` needs a port that is free.
 */
export const portTaken = defineFault({
  kind: 'portTaken',
  description: 'A service ends, and a stale process of its own has its port.',
  options: z.strictObject({
    port: z.int().min(1).max(65_535),
    /** Of the service; ended by SIGKILL. */
    pid: z.int().min(2),
    /** What marks a process as one of the service. */
    env: z.record(z.string(), z.string()),
  }),
  note: z.strictObject({ token: z.string() }),
  caps: { seconds: SECONDS, bytes: 0 },
  capability: async (host) =>
    (await host.hasProc())
      ? AVAILABLE
      : { is: 'unavailable', reason: 'without /proc (Linux) a stale process is not known as one' },
  open: async ({ port, pid, env }, { scratch }) => {
    const token = basename(scratch);
    let occupant: number | undefined;
    let hasIt = false;
    return {
      note: { token },
      isPresent: async () => hasIt && occupant !== undefined && (await isOurs(occupant, token)),
      apply: async (signal) => {
        const child = spawn(process.execPath, ['-e', OCCUPANT, String(port), String(SECONDS)], {
          env: { ...env, [TOKEN]: token },
          detached: true,
          stdio: ['pipe', 'pipe', 'ignore'],
        });
        await once(child, 'spawn', { signal });
        occupant = child.pid;
        for (let told = ''; !told.includes('waits');) {
          const [chunk] = await once(child.stdout, 'data', { signal });
          told += String(chunk);
        }
        process.kill(pid, 'SIGKILL');
        for (let told = ''; !told.includes('has it');) {
          const [chunk] = await once(child.stdout, 'data', { signal });
          told += String(chunk);
        }
        hasIt = true;
        child.stdout.destroy();
        child.unref();
      },
      revert: () => vacate({ token }),
    };
  },
  recover: vacate,
});

async function isOurs(pid: number, token: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(`${TOKEN}=${token}`);
}

async function vacate({ token }: { token: string }): Promise<void> {
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await isOurs(Number(name), token)))
      process.kill(Number(name), 'SIGKILL');
  }
}
