import type { Clock } from '@buddy/core';
import { FaultRule } from '@buddy/mocks';
import { describe, expect, it, vi } from 'vitest';
import { impatientClock } from './notes/impatient-clock.ts';
import { createNotesMock, type NotesMock } from './notes/notes-mock.ts';
import { EVERY_WAY, type OpenWay, type Way } from './notes/ways.ts';

vi.setConfig({ testTimeout: 60_000 }); // sockets and thousands of calls, on a machine that may be busy

async function through(way: Way, mock: NotesMock, act: (open: OpenWay) => Promise<void>) {
  const open = await way.open(mock);
  try {
    await act(open);
  } finally {
    await open.close();
  }
}

describe.each(EVERY_WAY)('a call $name', (way) => {
  it('is answered by the provider, as JSON', () =>
    through(way, createNotesMock(), async ({ call }) => {
      expect(
        await call({ method: 'POST', path: '/notes', body: { text: 'buy milk' } }),
      ).toMatchObject({
        status: 201,
        headers: { 'content-type': 'application/json; charset=utf-8', 'x-notes': 'yes' },
        body: { id: 'note-1', text: 'buy milk' },
      });
      expect(await call({ method: 'GET', path: '/notes/note-1' })).toMatchObject({
        body: { text: 'buy milk' },
      });
      expect(await call({ method: 'GET', path: '/elsewhere' })).toMatchObject({ status: 404 });
    }));

  it('sends what JSON can carry, and no more', async () => {
    const mock = createNotesMock();
    await through(way, mock, async ({ call }) => {
      await call({ method: 'POST', path: '/notes', body: { text: 'milk', password: undefined } });
    });
    expect(mock.journal.entries()[0]?.request.body).toEqual({ text: 'milk' });
  });

  it.each([
    ['status', { kind: 'status', status: 404 }, { status: 404 }, 0, 0],
    ['latency', { kind: 'latency', addMs: 700 }, { status: 201 }, 1, 700],
    ['reset', { kind: 'reset' }, { isLost: true }, 0, 0],
    ['hang', { kind: 'hang', capMs: 5_000 }, { isLost: true }, 0, 5_000],
    ['truncate', { kind: 'truncate' }, { isLost: true }, 1, 0],
    ['slowBody', { kind: 'slowBody', overMs: 900 }, { status: 201 }, 1, 900],
    ['commitThenFail', { kind: 'commitThenFail' }, { isLost: true }, 1, 0],
    ['commitThenFail, 422', { kind: 'commitThenFail', status: 422 }, { status: 422 }, 1, 0],
    ['staleRead', { kind: 'staleRead' }, { status: 201 }, 1, 0],
  ])('meets a fault of kind %s', async (_name, fault, seen, left, tookMs) => {
    const clock = impatientClock();
    const rule = FaultRule.parse({
      match: { operation: 'notes.create' },
      when: { nth: 1 },
      ...fault,
    });
    const mock = createNotesMock({ faults: [rule] }, clock);
    await through(way, mock, async ({ call }) => {
      const answered = await call({ method: 'POST', path: '/notes', body: { text: 'milk' } });
      expect(answered).toMatchObject(seen);
      expect(clock.monotonic()).toBe(tookMs);
      expect(await call({ method: 'GET', path: '/notes' })).toMatchObject({
        body: { notes: Array.from({ length: left }, () => ({ text: 'milk' })) },
      });
    });
    expect(mock.journal.entries('notes.create')).toMatchObject([
      { fault, isCarriedOut: left === 1, changes: left === 1 ? [{ kind: 'created' }] : [] },
    ]);
  });

  it('hangs until its caller gives up', async () => {
    const { clock, asleep } = endlessClock();
    const faults = [{ match: { operation: '*' }, kind: 'hang', when: { nth: 1 } } as const];
    const mock = createNotesMock({ faults }, clock);
    await through(way, mock, async ({ call }) => {
      const controller = new AbortController();
      const called = call({ method: 'GET', path: '/notes', signal: controller.signal });
      const ended = called.catch((error: unknown) => error);
      await asleep;
      controller.abort(new Error('enough'));
      expect(await ended).toMatchObject({ message: 'enough' });
      await expect.poll(() => mock.journal.total).toBe(1); // over a socket it takes a moment to be known
    });
    expect(mock.journal.entries().map(({ outcome }) => outcome)).toEqual(['aborted']);
  });
});

/** A clock on which whoever sleeps wakes only when told that nobody waits any more. */
function endlessClock(): { clock: Clock; asleep: Promise<void> } {
  const { promise: asleep, resolve } = Promise.withResolvers<void>();
  const clock: Clock = {
    now: () => Date.UTC(2026, 0, 1),
    monotonic: () => 0,
    sleep: (_ms, signal) => {
      resolve();
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
    external: (work) => work(),
  };
  return { clock, asleep };
}
