import { connect } from 'node:net';
import type { z } from 'zod';
import { describeFailure, parseOrThrow } from '@buddy/core';
import { GuardianMisuseError } from '../../errors.ts';
import type { Question } from '../../vitals/protocol.ts';

/** `absent`: nobody listens there, or who does cannot take a call. Silence is not answered: the caller's signal ends it. */
export type Told<Answer> = { is: 'told'; answer: Answer } | { is: 'absent'; reason: string };

/**
 * Asks a process about itself, by the socket that `reportVitals` opens. It does not resolve while the process is silent.
 * @throws {GuardianMisuseError} When the process could not answer the question, or is not what it should be.
 */
export async function askVitals<Schema extends z.ZodType>(
  socket: string,
  question: Question,
  schema: Schema,
  signal: AbortSignal,
): Promise<Told<z.output<Schema>>> {
  const reply = await exchange(socket, question, signal);
  if (reply.is === 'absent') return reply;
  let answer: unknown;
  try {
    answer = JSON.parse(reply.answer);
  } catch (cause) {
    throw new GuardianMisuseError(`What listens at ${socket} does not report vitals.`, { cause });
  }
  if (typeof answer === 'object' && answer !== null && 'error' in answer) {
    throw new GuardianMisuseError(`The process could not answer: ${String(answer.error)}`);
  }
  return { is: 'told', answer: parseOrThrow(schema, answer, `an answer from ${socket}`) };
}

function exchange(
  socket: string,
  question: Question,
  signal: AbortSignal,
): Promise<Told<string>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const peer = connect(socket);
    const abort = () => {
      peer.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    let text = '';
    peer.setEncoding('utf8');
    peer.once('connect', () => peer.write(`${JSON.stringify(question)}\n`));
    peer.on('data', (part: string) => (text += part));
    let failure = 'it hung up without an answer';
    peer.on('error', (error) => (failure = describeFailure(error).message));
    peer.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(
        text.endsWith('\n') ? { is: 'told', answer: text } : { is: 'absent', reason: failure },
      );
    });
  });
}
