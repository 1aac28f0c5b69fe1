import type { Clock } from '@buddy/core';
import { readBody, writeBody } from './body.ts';
import { ConnectionLostError } from './connection-lost-error.ts';
import type { Deliver, Sent } from './exchange.ts';
import type { Json, WireRequest, WireResponse } from './message.ts';
import type { Transport } from './transport.ts';

/**
 * Reaches a mock without a socket. What is sent and answered is written out and read again, as it would be on a wire, so
 * that neither side can change what the other holds.
 */
export function createInProcessTransport(deliver: Deliver, clock: Clock): Transport {
  return {
    send: async (request, { signal } = {}): Promise<WireResponse> => {
      const delivery = await deliver(sentOf(request), signal);
      switch (delivery.kind) {
        case 'whole': {
          const { overMs, answer } = delivery;
          if (overMs > 0) await clock.sleep(overMs, signal);
          const { status, headers, text } = answer;
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just written from one
          return { status, headers, ...(text !== undefined && { body: JSON.parse(text) as Json }) };
        }
        case 'truncated':
          throw new ConnectionLostError(
            'The connection was lost in the middle of the answer',
            true,
          );
        case 'lost':
          throw new ConnectionLostError('The connection was lost before an answer came', true);
      }
    },
  };
}

function sentOf(request: WireRequest): Sent {
  const text = writeBody(request.body);
  if (request.body.kind !== 'json') return { request, text };
  return { request: { ...request, body: readBody(text ?? '', 'application/json') }, text };
}
