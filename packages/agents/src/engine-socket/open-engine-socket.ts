import { mkdir, realpath, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  describeFailure,
  type FileLock,
  listenLocally,
  type LocalSocket,
  localSocketPath,
  type Logger,
  parseOrThrow,
  receiveMessages,
  sendMessage,
  silentLogger,
  tryLockFile,
  writeFileAtomic,
} from '@buddy/core';
import { z } from 'zod';
import type { Engine } from '../durable/engine.ts';
import { EngineSocketTakenError } from './errors.ts';
import { type EngineAnswer, EngineRequest, LONGEST_REQUEST } from './protocol.ts';
import { socketFileOf } from './socket-file.ts';

export const EngineSocketOptions = z.strictObject({
  /** The run's: by it others find the socket. Its folder `state` is made when it is not there. */
  runFolder: z.string().min(1),
});
export type EngineSocketInput = z.input<typeof EngineSocketOptions>;

export interface EngineSocketPorts {
  /** Hears at level `debug` of connections that broke. Default: silent. */
  logger?: Logger;
}

/** What others may ask. */
export type AskedEngine = Pick<Engine, 'signal' | 'cancel' | 'list'>;

/**
 * Lets other processes of this user signal, cancel and list the workflows of an engine: what they hear of as done will not be
 * lost. The socket is in the system's temporary folder, for this user only (mode 0600); its path is in `state/engine.socket`
 * of the run's folder. Close it before the engine.
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {EngineSocketTakenError} When another engine has one for this folder.
 * @throws {SocketFolderError} When the folder of the sockets is not this user's alone.
 * @example
 * const socket = await openEngineSocket(engine, { runFolder: 'out/run-1' });
 */
export async function openEngineSocket(
  engine: AskedEngine,
  input: EngineSocketInput,
  { logger = silentLogger }: EngineSocketPorts = {},
): Promise<LocalSocket> {
  const { runFolder } = parseOrThrow(EngineSocketOptions, input, 'options of openEngineSocket');
  const file = socketFileOf(runFolder);
  await mkdir(dirname(file), { recursive: true });
  const path = await localSocketPath('buddy-agents', await realpath(dirname(file)));
  const lock = lockOf(file, runFolder);
  let socket: LocalSocket;
  try {
    socket = await listenLocally(path, (connection) => answer(engine, connection), { logger });
    await writeFileAtomic(file, `${path}\n`, { mode: 0o600 });
  } catch (error) {
    lock.release();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = async () => {
    await rm(file, { force: true });
    await socket.close();
    lock.release();
  };
  return { path, close: () => (closed ??= close()) };
}

/** It vanishes with its holder: a socket that is there while we have it is a dead one's. */
function lockOf(file: string, runFolder: string): FileLock {
  const lock = tryLockFile(`${file}-owner`);
  if (lock) return lock;
  throw new EngineSocketTakenError(`Another engine works on the run in ${runFolder} already`);
}

async function answer(engine: AskedEngine, connection: Socket): Promise<void> {
  for await (const message of receiveMessages(connection, LONGEST_REQUEST)) {
    try {
      const request = parseOrThrow(EngineRequest, message, 'request to the engine');
      for await (const reply of replies(engine, request)) await sendMessage(connection, reply);
      await sendMessage(connection, { kind: 'done' } satisfies EngineAnswer);
    } catch (error) {
      const { code, message: told, retryable, effect } = describeFailure(error);
      const failed: EngineAnswer = { kind: 'failed', code, message: told, retryable, effect };
      await sendMessage(connection, failed);
    }
    return;
  }
}

async function* replies(
  engine: AskedEngine,
  request: EngineRequest,
): AsyncGenerator<EngineAnswer, void> {
  switch (request.command) {
    case 'signal': {
      const { id, topic, value, key } = request;
      return engine.signal(id, topic, value, { key });
    }
    case 'cancel':
      return engine.cancel(request.id, request.reason);
    case 'list':
      for await (const view of engine.list()) yield { kind: 'workflow', view };
  }
}
