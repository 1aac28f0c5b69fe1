import { BuddyError } from '@buddy/core';
import {
  callThroughGate,
  type ForeignCall,
  type ForeignTool,
  type GovernOptions,
} from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

export function isAsyncGeneratorFunction(run: object): boolean {
  return Object.prototype.toString.call(run) === '[object AsyncGeneratorFunction]';
}

/**
 * A call whose result comes piece by piece, at the pace of who reads it. Its outcome is written when it ends: with its last
 * piece, with an error, or because nobody reads on.
 */
export async function* streamThroughGate(
  gate: Gate,
  tool: ForeignTool,
  options: GovernOptions,
  call: ForeignCall,
  start: (snapshot: unknown) => unknown,
): AsyncGenerator<unknown, unknown> {
  const permit = Promise.withResolvers<unknown>();
  const ending = Promise.withResolvers<unknown>();
  const work = callThroughGate(gate, tool, options, call, (snapshot) => {
    permit.resolve(snapshot);
    return ending.promise;
  });
  work.catch(permit.reject); // refused; of no effect later
  const snapshot = await permit.promise;
  let pieces: AsyncIterator<unknown> | undefined;
  let last: unknown;
  let returned: unknown;
  let isDone = false;
  try {
    pieces = piecesOf(start(snapshot)); // throws here where the generator's parameters do
    for (;;) {
      const next = await pieces.next();
      if (next.done === true) {
        isDone = true;
        returned = next.value;
        break;
      }
      last = next.value;
      yield last;
    }
    ending.resolve(returned ?? last);
  } catch (error) {
    ending.reject(error);
    throw error;
  } finally {
    try {
      if (!isDone) await pieces?.return?.();
    } finally {
      // Of no effect unless the reader has gone before the end: then nobody knows how far it came.
      ending.reject(new StreamLeftError('Its reader left before the end.', { effect: 'unknown' }));
      await Promise.allSettled([work]);
    }
  }
  await work;
  return returned;
}

/** Seen in the log only, as the outcome's code. */
class StreamLeftError extends BuddyError {
  readonly code = 'GOVERNANCE_STREAM_LEFT';
}

function piecesOf(result: unknown): AsyncIterator<unknown> {
  return isAsyncIterable(result) ? result[Symbol.asyncIterator]() : onlyValue(result);
}

async function* onlyValue(result: unknown): AsyncGenerator {
  yield await result;
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
