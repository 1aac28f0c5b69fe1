import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { z } from 'zod';

const Answer = z.union([
  z.strictObject({ kind: z.literal('stripped'), code: z.string() }),
  z.strictObject({
    kind: z.literal('failed'),
    isSyntaxError: z.boolean(),
    errorCode: z.string(),
    message: z.string(),
    stack: z.string(),
  }),
]);
export type StripperAnswer = z.output<typeof Answer> | { kind: 'too-slow' };

/** The code of Node's error for what can only be compiled, not erased. */
export const UNSUPPORTED = 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';

/** A quarter of a megabyte takes some 50 ms. */
const MAX_STRIP_MS = 500;
const MAX_START_MS = 10_000;

/**
 * Node's type stripper in a thread of its own. It tries out what it cannot tell apart, and a text can be written so that
 * this doubles its work with every few characters: in the host's own thread nothing could end it.
 */
export class TypeStripper {
  #thread: Thread | undefined;

  /** Waits for the answer, so that its callers need not be asynchronous; for half a second at most. */
  strip(code: string): StripperAnswer {
    this.#thread ??= startThread();
    const { worker, port, state } = this.#thread;
    Atomics.wait(state, 0, STARTING, MAX_START_MS);
    Atomics.store(state, 0, BUSY);
    port.postMessage(code);
    Atomics.wait(state, 0, BUSY, MAX_STRIP_MS);
    const received = receiveMessageOnPort(port);
    const answer = received ? Answer.parse(received.message) : ({ kind: 'too-slow' } as const);
    if (!isSound(answer)) {
      this.#thread = undefined;
      void worker.terminate();
    }
    return answer;
  }
}

/** Once its WebAssembly has failed by itself, the stripper fails for every later text; and a slow one is still at work. */
function isSound(answer: StripperAnswer): boolean {
  return (
    answer.kind === 'stripped' ||
    (answer.kind === 'failed' && (answer.isSyntaxError || answer.errorCode === UNSUPPORTED))
  );
}

interface Thread {
  worker: Worker;
  port: MessagePort;
  /** STARTING, IDLE or BUSY. */
  state: Int32Array<SharedArrayBuffer>;
}

const STARTING = 0;
const BUSY = 2;

function startThread(): Thread {
  const { port1, port2 } = new MessageChannel();
  const state = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(PROGRAM, {
    eval: true,
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
    workerData: { port: port2, state },
    transferList: [port2],
  });
  // It must not keep a program from ending, and whether it starts is seen by whether it answers.
  worker.unref();
  worker.on('error', () => undefined);
  port1.unref();
  return { worker, port: port1, state };
}

const PROGRAM = `
const { workerData: { port, state } } = require('node:worker_threads');
const { stripTypeScriptTypes } = require('node:module');
port.on('message', (code) => {
  port.postMessage(answer(code));
  say(1);
});
say(1);
function say(idle) {
  Atomics.store(state, 0, idle);
  Atomics.notify(state, 0);
}
function answer(code) {
  try {
    return { kind: 'stripped', code: stripTypeScriptTypes(code) };
  } catch (error) {
    const { message = '', stack = '', code: errorCode = '' } = Object(error);
    const isSyntaxError = error instanceof SyntaxError;
    return { kind: 'failed', isSyntaxError, errorCode: String(errorCode), message: String(message), stack: String(stack) };
  }
}
`;
