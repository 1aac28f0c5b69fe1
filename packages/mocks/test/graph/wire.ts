import { ManualClock } from '@buddy/core';
import { createGraphMailMock, type GraphMailMock, type GraphMailMockInput } from '@buddy/mocks';
import { z } from 'zod';
import { NOON } from './ways.ts';

const Item = z.looseObject({ id: z.string(), subject: z.string().optional() });
type Item = z.output<typeof Item>;
const Body = z.looseObject({ value: z.array(Item).optional() }).catch({});

/** What was answered, with the body read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, when it is a JSON object; empty otherwise. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Of a list: the path of the next page, if there is one. */
  readonly next: string | undefined;
  /** Of a list, what it holds. */
  readonly value: readonly Item[];
}

export interface Wire {
  readonly clock: ManualClock;
  readonly mock: GraphMailMock;
  /** Sends to `https://graph.microsoft.com`, with a token unless the headers say otherwise. */
  readonly send: (
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ) => Promise<Answered>;
}

/** A mock, spoken to in requests. */
export function openWire(input: GraphMailMockInput = {}): Wire {
  const clock = new ManualClock(NOON);
  const mock = createGraphMailMock({ latency: 'none', ...input }, { clock });
  return {
    clock,
    mock,
    send: async (method, path, { body, headers = {} } = {}) => {
      const response = await mock.fetch(
        new Request(`https://graph.microsoft.com${path}`, {
          method,
          headers: {
            authorization: 'Bearer an-access-token',
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body !== undefined && {
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
        }),
      );
      const text = await response.text();
      const { status, headers: answered } = response;
      const parsed = Body.parse(text === '' ? {} : JSON.parse(text));
      return {
        status,
        headers: answered,
        text,
        body: parsed,
        next: nextOf(parsed),
        value: parsed.value ?? [],
      };
    },
  };
}

function nextOf({ '@odata.nextLink': link }: z.output<typeof Body>): string | undefined {
  return typeof link === 'string' ? link.replace('https://graph.microsoft.com', '') : undefined;
}
