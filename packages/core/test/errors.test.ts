import { runInNewContext } from 'node:vm';
import {
  BuddyError,
  countingId,
  describeFailure,
  InvalidInputError,
  parseOrThrow,
  randomId,
} from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

class QuotaExceededError extends BuddyError {
  readonly code = 'CRM_QUOTA_EXCEEDED';
}

function fail(): never {
  throw new Error('unreadable');
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('an error of Buddy', () => {
  it('has a name, a code, a cause, and is taken for final and without effect', () => {
    const cause = new Error('429');
    const error = new QuotaExceededError('Used up', { cause });
    expect(error).toMatchObject({
      name: 'QuotaExceededError',
      code: 'CRM_QUOTA_EXCEEDED',
      cause,
      retryable: false,
      effect: 'none',
    });
    expect(new QuotaExceededError('Used up')).not.toHaveProperty('cause');
  });
});

describe('the description of a failure', () => {
  it('repeats what an error of Buddy says', () => {
    const error = new QuotaExceededError('Used up', {
      retryable: true,
      retryAfterMs: 5,
      effect: 'unknown',
    });
    expect(describeFailure(error)).toEqual({
      name: 'QuotaExceededError',
      message: 'Used up',
      code: 'CRM_QUOTA_EXCEEDED',
      retryable: true,
      retryAfterMs: 5,
      effect: 'unknown',
    });
  });

  it('takes any other error for the worst, and keeps its code', () => {
    const worst = { retryable: false, effect: 'unknown' };
    expect(describeFailure(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toEqual({
      name: 'Error',
      message: 'reset',
      code: 'ECONNRESET',
      ...worst,
    });
    expect(describeFailure(AbortSignal.abort().reason)).toMatchObject({
      name: 'AbortError',
      code: 'UNKNOWN',
      ...worst,
    });
    expect(describeFailure(runInNewContext('new TypeError("far away")'))).toMatchObject({
      name: 'TypeError',
      message: 'far away',
      ...worst,
    });
  });

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['no', 'no'],
    [Symbol('s'), 'Symbol(s)'],
    [{ status: 500 }, '{ status: 500 }'],
    [Object.create(null), '[Object: null prototype] {}'],
  ])('describes %o', (thrown, message) => {
    expect(describeFailure(thrown)).toEqual({
      name: 'Error',
      message,
      code: 'UNKNOWN',
      retryable: false,
      effect: 'unknown',
    });
  });

  it.each([
    ['a missing message', { value: undefined }, '(no message)'],
    ['an object for a message', { value: { reason: 'full' } }, "{ reason: 'full' }"],
    ['a bigint for a message', { value: 7n }, '7n'],
    ['a message that throws', { get: fail }, '(a message that cannot be read)'],
    ['a revoked proxy for a message', { value: revokedProxy() }, '<Revoked Proxy>'],
  ])('has a message for an error with %s', (_what, property: PropertyDescriptor, message) => {
    const error = Object.defineProperty(new Error('x'), 'message', property);
    expect(describeFailure(error)).toMatchObject({ name: 'Error', message, code: 'UNKNOWN' });
  });

  it('takes nothing for said that is of the wrong kind or cannot be read', () => {
    const plain = {
      name: 'Error',
      message: 'x',
      code: 'UNKNOWN',
      retryable: false,
      effect: 'unknown',
    };
    const fields = ['name', 'code', 'retryable', 'effect', 'retryAfterMs'];
    for (const property of [{ get: fail }, { value: 5n }, { value: {} }]) {
      const error = new Error('x');
      for (const field of fields) Object.defineProperty(error, field, property);
      expect(describeFailure(error)).toEqual(plain);
    }
    expect(describeFailure(revokedProxy())).toEqual({ ...plain, message: '<Revoked Proxy>' });
    const unprintable = Object.defineProperty({}, Symbol.toStringTag, { get: fail });
    expect(typeof describeFailure(unprintable).message).toBe('string');
  });

  it.each([NaN, Infinity, -1])('leaves out a wait of %d ms', (retryAfterMs) => {
    const error = new QuotaExceededError('Used up', { retryAfterMs });
    expect(describeFailure(error)).not.toHaveProperty('retryAfterMs');
  });

  it('cuts a message of more than 4 000 characters, and says by how much', () => {
    const whole = 'x'.repeat(4_000);
    expect(describeFailure(new Error(whole)).message).toBe(whole);
    for (const thrown of [new Error(whole.repeat(25)), whole.repeat(25)]) {
      const { message } = describeFailure(thrown);
      expect(message.length).toBeLessThanOrEqual(4_000);
      const [, kept = '', leftOut] = /^(x+)… \((\d+) characters left out\)$/.exec(message) ?? [];
      expect(kept.length + Number(leftOut)).toBe(100_000);
    }
    expect(describeFailure('😀'.repeat(5_000)).message.isWellFormed()).toBe(true);
    expect(describeFailure('a' + '😀'.repeat(5_000)).message.isWellFormed()).toBe(true);
  });

  it('describes anything as plain data, without throwing', () =>
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withProxy: false } as fc.ObjectConstraints),
        (thrown) => {
          const description = describeFailure(thrown);
          expect(JSON.parse(JSON.stringify(description))).toEqual(description);
        },
      ),
    ));
});

describe('parseOrThrow', () => {
  const Options = z.strictObject({ limit: z.int().default(3) });

  it('gives back what the schema makes of the value', () => {
    expect(parseOrThrow(Options, {}, 'options')).toEqual({ limit: 3 });
  });

  it('names the subject, the field and the reason', () => {
    let thrown: unknown;
    try {
      parseOrThrow(Options, { limit: 'x' }, 'options of createHarness');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidInputError);
    expect(thrown).toMatchObject({
      code: 'CORE_INVALID_INPUT',
      subject: 'options of createHarness',
      issues: [{ path: ['limit'] }],
      message: expect.stringMatching(/^Invalid options of createHarness:\n.*expected number/),
    });
  });
});

describe('ids', () => {
  it('count from 1, each factory for itself', () => {
    const newId = countingId('run');
    expect([newId(), newId(), countingId('run')()]).toEqual(['run-1', 'run-2', 'run-1']);
  });

  it('are random UUIDs behind their prefix', () => {
    const newId = randomId('run');
    expect(newId()).toMatch(/^run-[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(newId()).not.toBe(newId());
  });
});
