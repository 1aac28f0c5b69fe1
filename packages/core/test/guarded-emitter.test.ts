import { EventEmitter } from 'eventemitter3';
import { describe, expect, it } from 'vitest';
import { createGuardedEmitter } from '@buddy/core';

interface Events {
  done: [at: number];
  failed: [reason: string];
}

function emitter() {
  const errors: [event: string, error: unknown][] = [];
  const guarded = createGuardedEmitter<Events>((error, event) => errors.push([event, error]));
  return { ...guarded, errors };
}

function fail(): never {
  throw new Error('no');
}

describe('a guarded emitter', () => {
  it('calls the listeners after one that throws, and reports what was thrown', () => {
    const { events, emit, errors } = emitter();
    const heard: string[] = [];
    events.on('done', () => {
      throw new Error('first');
    });
    events.on('done', (at) => heard.push(`second ${at}`));
    events.once('done', () => {
      throw new Error('third');
    });
    events.addListener('done', (at) => heard.push(`fourth ${at}`));
    emit('done', 1);
    emit('done', 2);
    expect(heard).toEqual(['second 1', 'fourth 1', 'second 2', 'fourth 2']);
    expect(errors).toEqual([
      ['done', new Error('first')],
      ['done', new Error('third')],
      ['done', new Error('first')],
    ]);
  });

  it('reports what an asynchronous listener rejects with, without waiting for it', async () => {
    const { events, emit, errors } = emitter();
    const heard: number[] = [];
    events.on('done', async () => {
      await Promise.resolve();
      throw new Error('later');
    });
    events.on('done', (at) => heard.push(at));
    emit('done', 1);
    expect({ heard, errors }).toEqual({ heard: [1], errors: [] });
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([['done', new Error('later')]]);
  });

  it('names the event in which a listener of several failed', () => {
    const { events, emit, errors } = emitter();
    events.on('done', fail).on('failed', fail);
    emit('failed', 'x');
    emit('done', 1);
    expect(errors.map(([event]) => event)).toEqual(['failed', 'done']);
  });

  it.each([
    ['EventEmitter', () => new EventEmitter<Events>()],
    ['a guarded emitter', () => emitter().events],
  ])('adds, lists and removes listeners as EventEmitter does: %s', (_name, make) => {
    const events = make();
    const calls: unknown[] = [];
    const context = { is: 'context' };
    const listener = function (this: unknown, at: number) {
      calls.push([this === context, at]);
    };
    events.on('done', listener, context).once('done', listener);
    expect(events.listeners('done')).toEqual([listener, listener]);
    events.emit('done', 1);
    expect(events.listeners('done')).toEqual([listener]);
    events.emit('done', 2);
    events.off('done', listener, {});
    expect(events.listenerCount('done')).toBe(1);
    events.removeListener('done', listener, context);
    events.emit('done', 3);
    expect(calls).toEqual([
      [true, 1],
      [false, 1],
      [true, 2],
    ]);
    events.once('done', listener).off('done');
    expect(events.listenerCount('done')).toBe(0);
  });
});
