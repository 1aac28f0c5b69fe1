import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describeFailure, type Logger, silentLogger } from '@buddy/core';
import type { LogLine } from '../logs/log-line.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { SupervisorRunningError } from './errors.ts';
import { receive, send } from './json-socket.ts';
import { type ControlAnswer, ControlRequest, LONGEST_REQUEST } from './protocol.ts';
import { socketPathFor } from './socket-path.ts';

export interface ControlOptions {
  /** Of the supervisor's registry: by it others find the socket. */
  readonly registryFile: string;
  readonly logger?: Logger;
}

export interface ControlServer {
  readonly path: string;
  /** Ends every connection, and takes the socket away. */
  close(): Promise<void>;
}

/**
 * Lets other processes of this user ask a supervisor. Also the lock that keeps a second one from the same registry: take it before
 * the supervisor opens.
 * @throws {SupervisorRunningError} Another one answers already. @throws {SocketFolderError}
 */
export async function serveControl(
  supervisor: Supervisor,
  { registryFile, logger = silentLogger }: ControlOptions,
): Promise<ControlServer> {
  const path = await socketPathFor(registryFile);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => logger.debug({ err: error }, 'A connection was lost'));
    answer(supervisor, socket).catch((error: unknown) => {
      logger.debug({ err: error }, 'A request could not be answered');
      socket.destroy();
    });
  });
  await listen(server, path, registryFile);
  await chmod(path, 0o600);
  return {
    path,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed; // which removes the socket's file, too
    },
  };
}

async function listen(server: Server, path: string, registryFile: string): Promise<void> {
  for (let isRetry = false; ; isRetry = true) {
    try {
      await tryListen(server, path);
      return;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || isRetry) throw error;
      if (await isAnswered(path)) throw new SupervisorRunningError(registryFile);
      await rm(path, { force: true }); // left by one that was killed
    }
  }
}

function tryListen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function answer(supervisor: Supervisor, socket: Socket): Promise<void> {
  for await (const message of receive(socket, LONGEST_REQUEST)) {
    try {
      const request = ControlRequest.parse(message);
      for await (const reply of replies(supervisor, request, socket)) await send(socket, reply);
      await send(socket, { kind: 'done' } satisfies ControlAnswer);
    } catch (error) {
      const { code, message: told } = describeFailure(error);
      await send(socket, { kind: 'failed', code, message: told } satisfies ControlAnswer);
    }
    socket.end();
    return;
  }
}

async function* replies(
  supervisor: Supervisor,
  request: ControlRequest,
  socket: Socket,
): AsyncGenerator<ControlAnswer, void> {
  switch (request.command) {
    case 'start':
      return supervisor.start(request.botId);
    case 'restart':
      return supervisor.restart(request.botId);
    case 'stop':
      yield { kind: 'stopped', botIds: [...(await supervisor.stop(request.botId))] };
      return;
    case 'status': {
      const { botId } = request;
      const reports =
        botId === undefined ? await supervisor.statuses() : [await supervisor.status(botId)];
      yield { kind: 'reports', reports: [...reports] };
      return;
    }
    case 'logs':
      yield* lines(supervisor, request, socket);
  }
}

/** What waits for a reader that does not read; lines beyond are left out for this reader. */
const MAX_WAITING_LINES = 10_000;

async function* lines(
  supervisor: Supervisor,
  { botId, last, follow }: Extract<ControlRequest, { command: 'logs' }>,
  socket: Socket,
): AsyncGenerator<ControlAnswer, void> {
  const waiting: LogLine[] = [];
  let wake: (() => void) | undefined;
  const onLine = (event: { botId: string; line: LogLine }) => {
    if (event.botId === botId && waiting.length < MAX_WAITING_LINES) waiting.push(event.line);
    wake?.();
  };
  const past = await supervisor.logs(botId, { last });
  if (follow) supervisor.events.on('lineLogged', onLine); // in the same turn: no line is missed, none comes twice
  const onClose = () => wake?.();
  socket.once('close', onClose);
  try {
    for (const line of past) yield { kind: 'line', line };
    if (!follow) return;
    while (!socket.destroyed) {
      for (const line of waiting.splice(0)) yield { kind: 'line', line };
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      if (waiting.length === 0 && !socket.destroyed) await woken.promise;
    }
  } finally {
    supervisor.events.off('lineLogged', onLine);
    socket.off('close', onClose);
  }
}
