import { createSocket } from 'node:dgram';
import { mkdtempSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Targets } from './attempt.ts';

/** Servers that nobody may reach, a secret file that nobody may read, and folders that have to stay as they are. */
export interface Tripwires extends AsyncDisposable {
  /** Targets with a folder of its own. */
  targets(): Targets;
  readonly fileSecret: string;
  /** TCP and Unix connections, and datagrams, so far. */
  readonly connections: number;
  /** What was made in a folder of `targets`, or in a watched folder, so far. */
  strangeFiles(folder: string): string[];
  /** A file beside the others, for a program that a lane runs. */
  place(name: string, content: string): string;
}

export async function layTripwires(fileSecret: string): Promise<Tripwires> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'abuse-')));
  const secretFile = join(root, 'secret.txt');
  writeFileSync(secretFile, fileSecret);
  let connections = 0;
  const count = (socket: { destroy(): void }): void => {
    connections += 1;
    socket.destroy();
  };
  const tcp = createServer(count);
  const unix = createServer(count);
  const socketPath = join(root, 'unix.sock');
  const udp = createSocket('udp4').on('message', () => {
    connections += 1;
  });
  const port = await listen(tcp, { port: 0, host: '127.0.0.1' });
  await listen(unix, { path: socketPath });
  await new Promise<void>((resolve) => {
    udp.bind(0, '127.0.0.1', resolve);
  });
  const udpPort = udp.address().port;
  const before = WATCHED.map((folder) => new Set(readdirSync(folder)));
  let folders = 0;
  return {
    fileSecret,
    targets: () => {
      folders += 1;
      const folder = join(root, `folder-${folders}`);
      mkdirSync(folder);
      return { port, udpPort, socketPath, secretFile, folder, pid: process.pid };
    },
    get connections() {
      return connections;
    },
    strangeFiles: (folder) => [
      ...readdirSync(folder),
      ...WATCHED.flatMap((path, at) =>
        readdirSync(path)
          .filter((name) => !before[at]?.has(name) && !isOfVitest(name))
          .map((name) => join(path, name)),
      ),
    ],
    place: (name, content) => {
      const path = join(root, name);
      writeFileSync(path, content);
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      tcp.close();
      unix.close();
      await new Promise<void>((resolve) => {
        udp.close(() => resolve());
      });
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Where a child is, and where the host is. */
const WATCHED = ['/', process.cwd()];

function isOfVitest(name: string): boolean {
  return name.startsWith('node_modules') || name === '.vitest' || name === 'coverage';
}

function listen(
  server: Server,
  where: { port: number; host: string } | { path: string },
): Promise<number> {
  return new Promise((resolve) => {
    server.listen(where, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
