import type { Socket } from 'node:net';
import {
  describeFailure,
  listenLocally,
  type FileLock,
  type LocalSocket,
  type Logger,
  receiveMessages,
  sendMessage,
  silentLogger,
  systemRandom,
} from '@buddy/core';
import type { LogLine } from '../logs/log-line.ts';
import { RegistryBusyError } from '../registry/errors.ts';
import { lockFile } from '../registry/file/file-lock.ts';
import { locate } from '../registry/file/locate.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { SupervisorRunningError } from './errors.ts';
import { type ControlAnswer, ControlRequest, LONGEST_REQUEST } from './protocol.ts';
import { socketPathFor } from './socket-path.ts';

export interface ControlOptions {
  /** Of the supervisor's registry: by it others find the socket. */
  readonly registryFile: string;
  readonly logger?: Logger;
}

/** Its `close` ends every connection, takes the socket away, and lets another supervisor come. */
export type ControlServer = LocalSocket;

/**
 * Lets other processes of this user ask a supervisor. Also the lock that keeps a second one from the same registry: take it before
 * the supervisor opens.
 * @throws {SupervisorRunningError} Another one has it already. @throws {SocketFolderError}
 */
export async function serveControl(
  supervisor: Supervisor,
  { registryFile, logger = silentLogger }: ControlOptions,
): Promise<ControlServer> {
  const path = await socketPathFor(registryFile);
  const lock = await lockOf(registryFile);
  let socket: LocalSocket;
  try {
    socket = await listenLocally(path, (connection) => answer(supervisor, connection), { logger });
  } catch (error) {
    lock.release();
    throw error;
  }
  const close = async () => {
    await socket.close();
    lock.release();
  };
  return { path, close };
}

/**
 * Held as long as we listen. It vanishes with its holder, so a socket that is there while we have it is a dead one's. Beside the
 * registry, where all who name the file look and nobody clears away: temporary folders differ, and are cleaned.
 */
async function lockOf(registryFile: string): Promise<FileLock> {
  const path = `${await locate(registryFile, 'write')}.supervisor.lock`;
  try {
    return await lockFile(path, { timeoutMs: CONTEST_MS, random: systemRandom });
  } catch (error) {
    if (error instanceof RegistryBusyError) throw new SupervisorRunningError(registryFile);
    throw error;
  }
}

/** Two that come at the same moment may stand in each other's way at first; one of them has it soon. */
const CONTEST_MS = 250;

async function answer(supervisor: Supervisor, socket: Socket): Promise<void> {
  for await (const message of receiveMessages(socket, LONGEST_REQUEST)) {
    try {
      const request = ControlRequest.parse(message);
      for await (const reply of replies(supervisor, request, socket))
        await sendMessage(socket, reply);
      await sendMessage(socket, { kind: 'done' } satisfies ControlAnswer);
    } catch (error) {
      const { code, message: told } = describeFailure(error);
      await sendMessage(socket, { kind: 'failed', code, message: told } satisfies ControlAnswer);
    }
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
