import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { z } from 'zod';
import { findByEnvironment, findListener, hasInEnvironment } from '../adapters/process/proc.ts';
import { GuardianMisuseError } from '../errors.ts';
import { defineFault } from './define-fault.ts';
import { LoopbackHost } from './loopback.ts';
import { needsProc } from './target-process.ts';

const TOKEN = 'BUDDY_FAULT';
const SECONDS = 120;

const Occupied = z.strictObject({ port: z.int(), token: z.string() });
type Occupied = z.output<typeof Occupied>;

/** Ends by itself when its time is over, whoever forgot it. */
const OCCUPANT = `
const [port, host, seconds] = process.argv.slice(1);
require('node:net').createServer((peer) => peer.on('error', () => peer.destroy())).listen(Number(port), host);
setTimeout(() => process.exit(0), Number(seconds) * 1000);
`;

/**
 * A process listens at a port on this machine, and answers nothing. With the mark of a service in its `env` it is one that
 * this service left behind; without, it is a stranger.
 * @example
 * await using stranger = await kit.inject(portOccupy, { port: 8080 });
 */
export const portOccupy = defineFault({
  kind: 'portOccupy',
  description: 'A process has a port.',
  options: z.strictObject({
    port: z.int().min(1).max(65_535),
    host: LoopbackHost.default('127.0.0.1'),
    /** Added to the environment of that process. */
    env: z.record(z.string(), z.string()).default({}),
  }),
  note: Occupied,
  caps: { seconds: SECONDS, bytes: 0 },
  capability: needsProc,
  open: async ({ port, host, env }, { scratch }) => {
    const note = { port, token: basename(scratch) };
    return {
      note,
      isPresent: () => isOccupied(note),
      apply: async () => {
        const owner = await findListener(port);
        if (owner.is !== 'nobody') {
          throw new GuardianMisuseError(`Port ${port} has an owner already: end it first.`);
        }
        const args = ['-e', OCCUPANT, String(port), host, String(SECONDS)];
        const child = spawn(process.execPath, args, {
          env: { ...env, [TOKEN]: note.token },
          detached: true,
          stdio: 'ignore',
        });
        child.unref();
        await once(child, 'spawn');
      },
      revert: () => vacate(note),
    };
  },
  recover: vacate,
  remains: async ({ token }) => (await findByEnvironment(TOKEN, token)).length > 0,
});

async function isOccupied({ port, token }: Occupied): Promise<boolean> {
  const owner = await findListener(port);
  return owner.is === 'process' && hasInEnvironment(owner.identity, TOKEN, token);
}

async function vacate({ token }: Occupied): Promise<void> {
  for (const { pid } of await findByEnvironment(TOKEN, token)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
