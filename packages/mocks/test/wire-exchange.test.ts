import { type Clock, ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { MockOptions } from '../src/exchange/options.ts';
import { FaultRule } from '../src/faults/fault-rule.ts';
import { createWireExchange } from '../src/wire/exchange.ts';
import type { WireRequest } from '../src/wire/message.ts';
import { NotesProvider } from './notes/notes-provider.ts';

type Options = z.input<typeof MockOptions>;

function notesMock(options: Options = {}, clock: Clock = new ManualClock()) {
  const provider = new NotesProvider();
  const exchange = createWireExchange(
    provider,
    MockOptions.parse({ latency: 'none', ...options }),
    clock,
  );
  return { ...exchange, calls: provider.calls };
}

type NotesMock = ReturnType<typeof notesMock>;

const ORIGIN = 'https://api.mployer.example';

/** What a caller sees, whichever way it calls. */
interface Seen {
  status?: number;
  headers?: Record<string, string | undefined>;
  body?: unknown;
  isLost?: true;
}

interface Way {
  name: string;
  call: (
    mock: NotesMock,
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ) => Promise<Seen>;
}

const inProcess: Way = {
  name: 'in process',
  call: async ({ transport }, method, path, body, signal) => {
    const request: WireRequest = {
      method,
      origin: ORIGIN,
      path,
      query: new URLSearchParams(),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? { kind: 'none' } : { kind: 'json', value: body },
    };
    try {
      const { status, headers, body: answer } = await transport.send(request, { signal });
      return { status, headers: { ...headers }, body: answer };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'MOCKS_CONNECTION_LOST')
        return { isLost: true };
      throw error;
    }
  },
};

const overFetch: Way = {
  name: 'over fetch',
  call: async ({ fetch }, method, path, body, signal) => {
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
      ...(signal && { signal }),
    });
    try {
      const response = await fetch(request);
      const text = await response.text();
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: text === '' ? undefined : JSON.parse(text),
      };
    } catch (error) {
      if (error instanceof TypeError) return { isLost: true };
      throw error;
    }
  },
};

describe.each([inProcess, overFetch])('a call $name', ({ call }) => {
  it('is answered by the provider, as JSON', async () => {
    const mock = notesMock();
    expect(await call(mock, 'POST', '/notes', { text: 'buy milk' })).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/json; charset=utf-8', 'x-notes': 'yes' },
      body: { id: 'note-1', text: 'buy milk' },
    });
    expect(await call(mock, 'GET', '/notes/note-1')).toMatchObject({ body: { text: 'buy milk' } });
    expect(await call(mock, 'GET', '/elsewhere')).toMatchObject({ status: 404 });
  });

  it('sends what JSON can carry, and no more', async () => {
    const mock = notesMock();
    await call(mock, 'POST', '/notes', { text: 'milk', password: undefined });
    expect(mock.journal.entries()).toMatchObject([{ request: { body: { text: 'milk' } } }]);
    expect(mock.journal.entries()[0]?.request.body).not.toHaveProperty('password');
  });

  it.each([
    ['status', { kind: 'status', status: 404 }, { status: 404 }, 0],
    ['latency', { kind: 'latency', addMs: 700 }, { status: 201 }, 1],
    ['reset', { kind: 'reset' }, { isLost: true }, 0],
    ['hang', { kind: 'hang', capMs: 5_000 }, { isLost: true }, 0],
    ['truncate', { kind: 'truncate' }, { isLost: true }, 1],
    ['slowBody', { kind: 'slowBody', overMs: 900 }, { status: 201 }, 1],
    ['commitThenFail', { kind: 'commitThenFail' }, { isLost: true }, 1],
    ['commitThenFail, told', { kind: 'commitThenFail', status: 422 }, { status: 422 }, 1],
    ['staleRead', { kind: 'staleRead' }, { status: 201 }, 1],
  ])('meets a fault of kind %s, and leaves so many notes', async (_name, fault, seen, left) => {
    const clock = new ManualClock();
    const rule = { match: { operation: 'notes.create' }, when: { nth: 1 }, ...fault };
    const mock = notesMock({ faults: [FaultRule.parse(rule)] }, clock);
    await clock.run(async () => {
      expect(await call(mock, 'POST', '/notes', { text: 'milk' })).toMatchObject(seen);
    });
    const took = { latency: 700, hang: 5_000, slowBody: 900 }[fault.kind] ?? 0;
    expect(clock.monotonic()).toBe(took);
    expect(await call(mock, 'GET', '/notes')).toMatchObject({
      body: { notes: Array.from({ length: left }, () => ({ text: 'milk' })) },
    });
    expect(mock.journal.entries('notes.create')).toMatchObject([
      { fault, isCarriedOut: left === 1, changes: left === 1 ? [{ kind: 'created' }] : [] },
    ]);
  });

  it('rejects with the reason of its signal, while it is on its way, hangs or comes slowly', async () => {
    for (const kind of ['reset', 'hang', 'slowBody'] as const) {
      const clock = new ManualClock();
      const mock = notesMock(
        {
          latency: { medianMs: 100, sigma: 0 },
          faults: [{ match: { operation: '*' }, kind, when: { rate: 1 } }],
        },
        clock,
      );
      const controller = new AbortController();
      const called = call(mock, 'GET', '/notes', undefined, controller.signal);
      const failed = called.catch((error: unknown) => error);
      await clock.advance(90);
      controller.abort(new Error('enough'));
      expect(await failed).toMatchObject({ message: 'enough' });
    }
  });
});
