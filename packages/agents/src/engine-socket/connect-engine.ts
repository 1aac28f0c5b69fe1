import { lstat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { userInfo } from 'node:os';
import {
  type Clock,
  describeFailure,
  connectLocally,
  parseOrThrow,
  receiveMessages,
  sendMessage,
  systemClock,
} from '@buddy/core';
import { z } from 'zod';
import { EngineMisuseError } from '../errors.ts';
import { EngineLostError, EngineRefusedError, EngineUnreachableError } from './errors.ts';
import type { AskedEngine } from './open-engine-socket.ts';
import { EngineAnswer, type EngineRequest, LONGEST_REQUEST } from './protocol.ts';
import { readSocketFile } from './socket-file.ts';

export const ConnectEngineOptions = z.strictObject({
  /** How long the engine may be silent before it is given up, in ms. */
  timeoutMs: z.number().positive().default(30_000),
});
export type ConnectEngineInput = z.input<typeof ConnectEngineOptions>;

export interface ConnectEnginePorts {
  clock?: Clock;
}

/**
 * Asks the engine that works on a run, in whatever process of this user it is. What resolves will not be lost. Each call may
 * reject with {EngineRefusedError}, whose `remoteCode` is that of the engine's own error, {EngineLostError}, after which the
 * same may be asked again, or {EngineUnreachableError}.
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {EngineUnreachableError} When nobody answers.
 * @example
 * const engine = await connectEngine('out/run-1');
 * await engine.signal('invoice-7', 'verdict', { isApproved: true }, { key: 'verdict-1' });
 */
export async function connectEngine(
  runFolder: string,
  input: ConnectEngineInput = {},
  { clock = systemClock }: ConnectEnginePorts = {},
): Promise<AskedEngine> {
  const { timeoutMs } = parseOrThrow(ConnectEngineOptions, input, 'options of connectEngine');
  const ask = (request: EngineRequest) => answersTo(request, { runFolder, timeoutMs, clock });
  (await open(runFolder)).destroy();
  return {
    signal: (id, topic, value, { key }) =>
      done(ask({ command: 'signal', id, topic, value: value ?? null, key })),
    cancel: (id, reason) => done(ask({ command: 'cancel', id, reason })),
    list: async function* list() {
      for await (const answer of ask({ command: 'list' })) {
        if (answer.kind === 'workflow') yield answer.view;
      }
    },
  };
}

async function done(answers: AsyncIterable<EngineAnswer>): Promise<void> {
  for await (const { kind } of answers) {
    if (kind !== 'done') throw new EngineLostError(`it said ${kind}, which was not asked for`);
  }
}

interface Asking {
  runFolder: string;
  timeoutMs: number;
  clock: Clock;
}

/** One connection for each request, which ends with it. */
async function* answersTo(
  request: EngineRequest,
  { runFolder, timeoutMs, clock }: Asking,
): AsyncGenerator<EngineAnswer, void> {
  refuseTooLong(request);
  const socket = await open(runFolder);
  const silence = new Silence(socket, timeoutMs, clock);
  try {
    await sendMessage(socket, request);
    for await (const message of receiveMessages(socket)) {
      silence.begin();
      const answer = EngineAnswer.parse(message);
      if (answer.kind === 'done') return;
      if (answer.kind === 'failed') {
        const { code, message: told, retryable, effect } = answer;
        throw new EngineRefusedError(code, told, { retryable, effect });
      }
      yield answer;
    }
    throw new Error('the connection was closed');
  } catch (error) {
    if (error instanceof EngineRefusedError) throw error;
    const why = silence.isOver
      ? `it was silent for ${timeoutMs} ms`
      : describeFailure(error).message;
    throw new EngineLostError(why, { cause: error });
  } finally {
    silence.end();
    socket.destroy();
  }
}

/** The engine would break the connection off, and could not say why. */
function refuseTooLong(request: EngineRequest): void {
  const bytes = Buffer.byteLength(JSON.stringify(request));
  if (bytes <= LONGEST_REQUEST) return;
  throw new EngineMisuseError(
    `A request to an engine may have ${LONGEST_REQUEST} bytes, and this has ${bytes}; hand over where the value is to be found`,
  );
}

/** Breaks a connection off over which nothing has come for too long. */
class Silence {
  isOver = false;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #waiting = new AbortController();

  constructor(socket: Socket, timeoutMs: number, clock: Clock) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.begin();
  }

  begin(): void {
    this.end();
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#listen(waiting.signal);
  }

  async #listen(signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(this.#timeoutMs, signal);
    } catch {
      return; // something came, or it has ended
    }
    this.isOver = true;
    this.#socket.destroy();
  }

  end(): void {
    this.#waiting.abort();
  }
}

async function open(runFolder: string): Promise<Socket> {
  const path = await readSocketFile(runFolder);
  try {
    const { uid } = await lstat(path);
    if (uid !== userInfo().uid) throw new ForeignSocket();
    return await connectLocally(path);
  } catch (cause) {
    throw unreachable(runFolder, cause);
  }
}

class ForeignSocket extends Error {}

function unreachable(runFolder: string, cause: unknown): EngineUnreachableError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (cause instanceof ForeignSocket || code === 'EACCES' || code === 'EPERM') {
    return new EngineUnreachableError(
      `The engine of the run in ${runFolder} is another user's; ask as that user`,
      { cause },
    );
  }
  return new EngineUnreachableError(
    `No engine works on the run in ${runFolder} any more: nobody answers at its socket`,
    { cause, retryable: true },
  );
}
