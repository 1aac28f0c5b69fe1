import { createRedactor, redact } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function fail(): never {
  throw new Error('no');
}

describe('redaction of a tree', () => {
  it('replaces values by the names of their fields, however these are cased and joined', () => {
    for (const name of [
      'password',
      'PASSWORD',
      'db_password',
      'userPassword',
      'X-Api-Key',
      'apiKey',
      'private_key',
    ]) {
      expect(redact({ [name]: 'x' })).toEqual({
        [name]: expect.stringMatching(/^\[redacted:[a-z-]+\]$/),
      });
    }
    expect(redact({ auth: { user: 'ada' }, cookies: ['a=1'], pin: 1234 })).toEqual({
      auth: '[redacted:authorization]',
      cookies: '[redacted:cookie]',
      pin: '[redacted:password]',
    });
  });

  it.each([
    [{ tokens: ['a'] }, { tokens: '[redacted:token]' }],
    [{ authTokens: { ada: 'a' } }, { authTokens: '[redacted:token]' }],
    [{ passwords: ['a', 'b'] }, { passwords: '[redacted:password]' }],
    [{ api_keys: { crm: 'a' } }, { api_keys: '[redacted:api-key]' }],
    [{ 'access-keys': ['a'] }, { 'access-keys': '[redacted:api-key]' }],
    [{ secrets: 'a' }, { secrets: '[redacted:secret]' }],
    [{ privateKeys: ['a'] }, { privateKeys: '[redacted:private-key]' }],
    [{ sessionIds: ['a'] }, { sessionIds: '[redacted:session]' }],
    [{ passwords: 1234 }, { passwords: '[redacted:password]' }],
    [{ tokens: [1200, 'a'] }, { tokens: '[redacted:token]' }],
    [{ tokens: ['123456'] }, { tokens: '[redacted:token]' }], // one-time codes
    [{ token: 42 }, { token: '[redacted:token]' }],
    [
      ['tokens', 'a'],
      ['tokens', '[redacted:token]'],
    ],
    [
      { name: 'tokens', value: 'a' },
      { name: 'tokens', value: '[redacted:token]' },
    ],
  ])('knows the plural of a name: %j becomes %j', (value, redacted) => {
    expect(redact(value)).toEqual(redacted);
  });

  it.each([
    { tokens: 42, input_tokens: 1200, maxTokens: 4096, total_tokens: 0 },
    { tokens: { input: 900, output: 300, cache: { read: 5 } }, passwordless: 'yes' },
    { 'x-ratelimit-remaining-tokens': '149984' },
    { name: 'total_tokens', value: 1200 },
    ['tokens', 42],
  ])('shows how many tokens were used: %j', (usage) => {
    expect(redact(usage)).toEqual(usage);
  });

  it('takes numbers out too when their field was named as a secret', () => {
    const redactor = createRedactor({ keys: ['tokens'] });
    expect(redactor.redact({ tokens: 42 })).toEqual({ tokens: '[redacted:custom]' });
  });

  it('replaces secrets in every string, in names of fields too', () => {
    expect(redact({ log: [{ line: 'at 10.0.0.1' }], 'at 10.0.0.1': 1, 'at ::1': 2 })).toEqual({
      log: [{ line: 'at [redacted:ipv4]' }],
      'at [redacted:ipv4]': 1,
      'at [redacted:ipv6]': 2,
    });
    expect(redact({ '10.0.0.1': 'a', '10.0.0.2': 'b' })).toEqual({
      '[redacted:ipv4]': 'a',
      '[redacted:ipv4]+': 'b',
    });
  });

  it('shows that a secret is missing, and other fields as they are', () => {
    const harmless = {
      password: null,
      token: '',
      hasSecret: true,
      secret: false,
      max_tokens: 5,
      nextPageToken: 'x',
      n: NaN,
    };
    expect(redact(harmless)).toEqual(harmless);
  });

  it('replaces the value of a pair and of a named value', () => {
    expect(
      redact([
        ['authorization', 'x'],
        ['accept', 'y'],
      ]),
    ).toEqual([
      ['authorization', '[redacted:authorization]'],
      ['accept', 'y'],
    ]);
    expect(redact({ name: 'password', value: 'x', type: 'text' })).toEqual({
      name: 'password',
      value: '[redacted:password]',
      type: 'text',
    });
  });

  it('turns what JSON cannot hold into plain data', () => {
    const error = new TypeError('password=hunter2', { cause: new Error('at 10.0.0.1') });
    error.stack = 'TypeError: password=hunter2';
    expect(
      redact({
        error,
        map: new Map([['token', 'x']]),
        pairs: new Map([[1, 'at ::1']]),
        set: new Set(['a', 'at ::1']),
        date: new Date(0),
        bytes: Buffer.from('secret'),
        big: 5n,
        symbol: Symbol('at ::1'),
        run: () => 1,
        boxed: Object('at ::1') as unknown,
        url: new URL('https://ada:hunter2@example.com/'),
        query: new URLSearchParams({ token: 'x', page: '1' }),
        headers: new Headers({ authorization: 'Bearer x', accept: 'y' }),
      }),
    ).toEqual({
      error: {
        name: 'TypeError',
        message: 'password=[redacted:password]',
        stack: 'TypeError: password=[redacted:password]',
        cause: expect.objectContaining({ name: 'Error', message: 'at [redacted:ipv4]' }),
      },
      map: { token: '[redacted:token]' },
      pairs: [[1, 'at [redacted:ipv6]']],
      set: ['a', 'at [redacted:ipv6]'],
      date: '1970-01-01T00:00:00.000Z',
      bytes: '[6 bytes]',
      big: '5',
      symbol: 'Symbol(at [redacted:ipv6])',
      run: '[function]',
      boxed: 'at [redacted:ipv6]',
      url: 'https://ada:[redacted:password]@example.com/',
      query: 'token=[redacted:token]&page=1',
      headers: { accept: 'y', authorization: '[redacted:authorization]' },
    });
  });

  it('survives circles, getters and proxies that throw, and hides nothing else over them', () => {
    const circle: { self?: unknown; n: number } = { n: 1 };
    circle.self = circle;
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const trap = {
      get broken(): never {
        throw new Error('no');
      },
      shown: 1,
    };
    const shared = { n: 2 };
    expect(
      redact({ circle, proxy, trap, json: { toJSON: fail }, twice: [shared, shared] }),
    ).toEqual({
      circle: { n: 1, self: '[redacted:circular]' },
      proxy: '[redacted:unreadable]',
      trap: { broken: '[redacted:unreadable]', shown: 1 },
      json: '[redacted:unreadable]',
      twice: [{ n: 2 }, { n: 2 }],
    });
  });

  it('is not fooled by a field named __proto__', () => {
    const copy = redact(JSON.parse('{"__proto__":{"polluted":true,"password":"x"}}'));
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(copy)).toBe(
      '{"__proto__":{"polluted":true,"password":"[redacted:password]"}}',
    );
    expect({}).not.toHaveProperty('polluted');
  });

  it('stops at the depth and the number of values it was given', () => {
    const redactor = createRedactor({ maxDepth: 2, maxValues: 6 });
    expect(redactor.redact({ a: { b: { c: 1 } } })).toEqual({ a: { b: '[redacted:too-deep]' } });
    expect(redactor.redact([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([
      1,
      2,
      3,
      4,
      5,
      '[redacted:too-many]',
    ]);
    let bomb: unknown = 'x';
    for (let level = 0; level < 60; level += 1) bomb = [bomb, bomb]; // 2^60 leaves
    expect(() => redact(bomb)).not.toThrow();
  });

  const anything = fc.anything({
    key: fc.oneof(
      fc.constantFrom(
        'password',
        'tokens',
        'name',
        'value',
        'key',
        '10.0.0.1',
        'password=x',
        '__proto__',
      ),
      fc.string(),
    ),
    values: [
      fc.constantFrom('password', 'token=x', 'at 10.0.0.1', '[redacted:jwt]'),
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ],
    withMap: true,
    withSet: true,
    withDate: true,
    withBigInt: true,
    withTypedArray: true,
    withNullPrototype: true,
    withBoxedValues: true,
    withObjectString: true,
    withSparseArray: true,
  });
  const redactors = [createRedactor(), createRedactor({ maxDepth: 2, maxValues: 9, email: true })];

  it('never throws, gives what JSON can hold, and done twice is done once', () =>
    fc.assert(
      fc.property(anything, fc.constantFrom(...redactors), (value, redactor) => {
        const once = redactor.redact(value);
        expect(() => JSON.stringify(once)).not.toThrow();
        expect(redactor.redact(once)).toEqual(once);
      }),
      { numRuns: 500 },
    ));

  it('leaves out the same of a map and of its copy, whose order differs', () => {
    const { redact: few } = createRedactor({ maxValues: 4 });
    const once = few(
      new Map<string, unknown>([
        ['b', ['x', 'y']],
        ['1', 'z'],
        ['0', 'w'],
      ]),
    );
    expect(once).toEqual({ 0: 'w', 1: 'z', b: ['[redacted:too-many]'] });
    expect(few(once)).toEqual(once);
  });

  it('leaves its input as it was', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const before = structuredClone(value);
        redact(value);
        expect(value).toEqual(before);
      }),
      { numRuns: 100 },
    ));
});
