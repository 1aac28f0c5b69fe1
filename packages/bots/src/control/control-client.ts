import type { Socket } from 'node:net';
import { connectLocally, receiveMessages, sendMessage } from '@buddy/core';
import type { LogLine } from '../logs/log-line.ts';
import type { BotReport } from '../supervisor/supervisor.ts';
import { ControlFailedError, ControlLostError, NoSupervisorError } from './errors.ts';
import { ControlAnswer, type ControlRequest } from './protocol.ts';
import { socketPathFor } from './socket-path.ts';

export interface ControlClient {
  /** Resolves when it is ready. */
  start(botId: string): Promise<void>;
  /** The ids of what was stopped, in that order. */
  stop(botId: string): Promise<readonly string[]>;
  restart(botId: string): Promise<void>;
  /** Of one bot, or of all. */
  status(botId?: string): Promise<readonly BotReport[]>;
  /** What it wrote last, and with `follow` what it writes from then on, until the signal or the supervisor ends. */
  logs(botId: string, options?: LogsOptions): AsyncIterable<LogLine>;
}

export interface LogsOptions {
  /** All that is kept when left out. */
  readonly last?: number | undefined;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Asks the supervisor of a registry, in whatever process it is. Each call may reject with {ControlFailedError}, whose `remoteCode` is
 * that of the supervisor's own error, or {ControlLostError}.
 * @throws {NoSupervisorError} Nobody answers; from each call, too.
 * @example
 * const control = await connectControl({ registryFile: 'bots.json' });
 * await control.restart('mailer');
 */
export async function connectControl({
  registryFile,
}: {
  readonly registryFile: string;
}): Promise<ControlClient> {
  const ask = (request: ControlRequest, signal?: AbortSignal) =>
    answersTo(request, registryFile, signal);
  (await open(registryFile)).destroy();
  return {
    start: async (botId) => {
      await collect(ask({ command: 'start', botId }));
    },
    stop: async (botId) =>
      (await collect(ask({ command: 'stop', botId }))).flatMap((answer) =>
        answer.kind === 'stopped' ? answer.botIds : [],
      ),
    restart: async (botId) => {
      await collect(ask({ command: 'restart', botId }));
    },
    status: async (botId) =>
      (await collect(ask({ command: 'status', botId }))).flatMap((answer) =>
        answer.kind === 'reports' ? answer.reports : [],
      ),
    logs: async function* logs(botId, { last, follow = false, signal } = {}) {
      for await (const answer of ask({ command: 'logs', botId, last, follow }, signal)) {
        if (answer.kind === 'line') yield answer.line;
      }
    },
  };
}

async function collect(answers: AsyncIterable<ControlAnswer>): Promise<ControlAnswer[]> {
  const all: ControlAnswer[] = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

/** One connection for each request, which ends with it. */
async function* answersTo(
  request: ControlRequest,
  registryFile: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ControlAnswer, void> {
  const socket = await open(registryFile);
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await sendMessage(socket, request);
    for await (const message of receiveMessages(socket)) {
      const answer = ControlAnswer.parse(message);
      if (answer.kind === 'done') return;
      if (answer.kind === 'failed') throw new ControlFailedError(answer.code, answer.message);
      yield answer;
    }
    if (!signal?.aborted) throw new ControlLostError('the connection was closed');
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof ControlFailedError || error instanceof ControlLostError) throw error;
    throw new ControlLostError(String(error), { cause: error });
  } finally {
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}

async function open(registryFile: string): Promise<Socket> {
  const path = await socketPathFor(registryFile);
  try {
    return await connectLocally(path);
  } catch (cause) {
    throw new NoSupervisorError(registryFile, { cause });
  }
}
