import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Logger, silentLogger } from '../logger/logger.ts';

/** A socket file at which other processes of this user are answered. */
export interface LocalSocket {
  readonly path: string;
  /** Ends every connection, and takes the socket's file away. */
  close(): Promise<void>;
}

export interface LocalSocketPorts {
  /** Hears at level `debug` of connections that broke, and of what `answer` rejected with. Default: silent. */
  logger?: Logger;
}

/**
 * Listens at a path, for this user only (mode 0600). Whatever is there is removed, so hold a lock that says that it is a dead
 * one's. When `answer` has resolved the connection is ended; when it rejects, it is broken off.
 * @throws What the system throws when it cannot listen there.
 * @example
 * const socket = await listenLocally(await localSocketPath('greeter', 'main'), async (connection) => {
 *   for await (const message of receiveMessages(connection)) await sendMessage(connection, { heard: message });
 * });
 */
export async function listenLocally(
  path: string,
  answer: (connection: Socket) => Promise<void>,
  { logger = silentLogger }: LocalSocketPorts = {},
): Promise<LocalSocket> {
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', (error) => logger.debug({ err: error }, 'A connection was lost'));
    answer(connection).then(
      () => connection.end(),
      (error: unknown) => {
        logger.debug({ err: error }, 'A request could not be answered');
        connection.destroy();
      },
    );
  });
  try {
    await rm(path, { force: true });
    await listen(server, path);
    await chmod(path, 0o600);
  } catch (error) {
    server.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = async () => {
    const gone = new Promise((resolve) => server.close(resolve));
    for (const connection of connections) connection.destroy();
    await gone; // which removes the socket's file, too
  };
  return { path, close: () => (closed ??= close()) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Connects to who listens at a path. That the connection breaks later is told by the end of what is received.
 * @throws What the system throws: `ENOENT` and `ECONNREFUSED` where nobody listens, `EACCES` where this user may not.
 */
export function connectLocally(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
