import { runInNewContext } from 'node:vm';
import { showUntrusted, snapshotUntrusted } from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('a snapshot of what nobody vouches for', () => {
  it('is equal to plain data, and shares nothing with it', () => {
    const input = { to: ['ada', null], at: new Date(7), deep: { n: 1.5, yes: true } };
    const snapshot = snapshotUntrusted(input);
    expect(snapshot).toEqual({ ok: true, value: input });
    input.to.push('eve');
    input.at.setTime(8);
    input.deep.n = 2;
    expect(snapshot).toEqual({
      ok: true,
      value: { to: ['ada', null], at: new Date(7), deep: { n: 1.5, yes: true } },
    });
  });

  it('copies every JSON value that has no prototype key, and no other', () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value);
        const hasPrototypeKey = /"(?:__proto__|constructor|prototype)":/.test(text);
        const snapshot = snapshotUntrusted(JSON.parse(text));
        expect(snapshot.ok ? snapshot.value : 'refused').toEqual(
          hasPrototypeKey ? 'refused' : JSON.parse(text),
        );
      }),
    ));

  it('takes no arguments at all for what they are, and leaves undefined fields out', () => {
    expect(snapshotUntrusted(undefined)).toEqual({ ok: true, value: undefined });
    const snapshot = snapshotUntrusted({ a: undefined, b: 1 });
    expect(snapshot.ok && Object.keys(snapshot.value ?? {})).toEqual(['b']);
  });

  it('takes what is in it twice, which is no cycle, as two', () => {
    const shared = { n: 1 };
    const list = Array.from({ length: 40 }, () => shared);
    const snapshot = snapshotUntrusted(list);
    shared.n = 2;
    expect(snapshot).toEqual({ ok: true, value: list.map(() => ({ n: 1 })) });
  });

  it('makes minus zero zero, for canonical JSON knows no other', () => {
    const snapshot = snapshotUntrusted(-0);
    expect(snapshot).toStrictEqual({ ok: true, value: 0 });
  });

  it('takes plain data of another realm, as a plain object of this one', () => {
    const snapshot = snapshotUntrusted(runInNewContext('({ a: [1, { b: new Date(5) }] })'));
    expect(snapshot).toStrictEqual({ ok: true, value: { a: [1, { b: new Date(5) }] } });
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = { cyclic };
  const counting = { reads: 0 };
  const refused: [string, unknown, string][] = [
    [
      'a getter',
      {
        get now() {
          return (counting.reads += 1);
        },
      },
      'input.now is a getter',
    ],
    [
      'a proxy',
      {
        a: new Proxy(
          {},
          {
            ownKeys: () => {
              counting.reads += 1;
              return [];
            },
          },
        ),
      },
      'input.a is a proxy',
    ],
    ['a proxy as a list', [new Proxy([], {})], 'input[0] is a proxy'],
    [
      'a proxy as a prototype',
      Object.create(
        new Proxy(
          {},
          {
            getPrototypeOf: () => {
              counting.reads += 1;
              return null;
            },
          },
        ),
      ),
      'input is an instance',
    ],
    ['a function', { run: () => 1 }, 'input.run is a function'],
    ['a toJSON', { toJSON: () => 'other' }, 'input.toJSON is a function'],
    ['a symbol', { s: Symbol('s') }, 'input.s is a symbol'],
    ['a field named by a symbol', { [Symbol('s')]: 1 }, 'named by a symbol'],
    ['a bigint', { n: 1n }, 'input.n is a bigint'],
    ['a number that is none', { n: Number.NaN }, 'input.n is NaN'],
    ['an endless number', { n: -Infinity }, 'input.n is -Infinity'],
    [
      'an own __proto__',
      JSON.parse('{"a":{"__proto__":{"admin":true}}}'),
      'input.a.__proto__ is a name',
    ],
    ['a constructor', { constructor: 1 }, 'input.constructor is a name'],
    ['a prototype', [{ prototype: {} }], 'input[0].prototype is a name'],
    ['what is inherited', Object.create({ admin: true }), 'input is an instance of a class'],
    ['a map', { m: new Map() }, 'input.m is an instance'],
    ['bytes', new Uint8Array(3), 'input is an instance'],
    ['an error', new Error('no'), 'input is an instance'],
    ['a boxed text', { s: Object('s') }, 'input.s is an instance'],
    ['an invalid date', { at: new Date(Number.NaN) }, 'input.at is an invalid date'],
    [
      'a date that says otherwise',
      Object.assign(new Date(0), { toJSON: () => 'x' }),
      'input is a date with fields',
    ],
    [
      'a hidden field',
      Object.defineProperty({}, 'h', { value: 1, enumerable: false }),
      'input.h is a hidden field',
    ],
    ['a cycle', cyclic, 'input.self.cyclic is an object that it is itself in'],
    ['a hole', [1, , 3], 'input[1] is a hole'], // oxlint-disable-line no-sparse-arrays
    ['undefined in a list', [undefined], 'input[0] is undefined'],
    ['a list with a name', Object.assign([1], { x: 1 }), 'input is a list with named fields'],
    ['half a character', { t: '\uD800' }, 'input.t has half a character'],
    ['a huge text', { t: 'x'.repeat(1_000_001) }, 'input.t is too long'],
    [
      'huge texts together',
      Array.from({ length: 11 }, () => 'x'.repeat(100_000)),
      'input[10] is too long',
    ],
    ['a huge name', { ['x'.repeat(1_000_001)]: 1 }, 'is too long'],
    ['a list said to be endless', Object.assign([], { length: 4_294_967_295 }), 'is too long'],
    [
      'too many values',
      Array.from({ length: 101 }, () => Array.from({ length: 100 }, () => 0)),
      'too',
    ],
  ];
  it.each(refused)('refuses %s, and says where', (_name, value, problem) => {
    const snapshot = snapshotUntrusted(value);
    expect(snapshot).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    expect(counting.reads).toBe(0); // nothing of the value's own was called
  });

  it('refuses a tree deeper than allowed, and takes one as deep', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });
    expect(snapshotUntrusted(deep(32)).ok).toBe(true);
    expect(snapshotUntrusted(deep(33))).toMatchObject({ ok: false, problem: /too deep/ });
    expect(snapshotUntrusted(deep(100_000 / 100)).ok).toBe(false);
    expect(snapshotUntrusted(deep(2), { maxDepth: 1 }).ok).toBe(false);
  });

  it('says where by names that cannot hide anything', () => {
    const snapshot = snapshotUntrusted({ ['a\u202Eb']: () => 1 });
    expect(snapshot).toMatchObject({ path: 'input.a⟦U+202E⟧b' });
  });

  it('leaves path traversal and markup as the text that they are', () => {
    const value = { path: '../../etc/passwd', name: '<script>alert(1)</script>' };
    expect(snapshotUntrusted(value)).toEqual({ ok: true, value });
  });
});

describe('what is shown of a text', () => {
  const hidden: [string, string, string][] = [
    ['an override of direction', 'a\u202Eb', 'a⟦U+202E⟧b'],
    ['an isolate', '\u2066x\u2069', '⟦U+2066⟧x⟦U+2069⟧'],
    ['a space without width', 'pay\u200Bpal', 'pay⟦U+200B⟧pal'],
    ['a tag', 'x\u{E0041}', 'x⟦U+E0041⟧'],
    ['a line feed', 'ok\napproved by ada', 'ok⟦U+000A⟧approved by ada'],
    ['an escape for terminals', '\u001B[2J', '⟦U+001B⟧[2J'],
    ['a null', '\0', '⟦U+0000⟧'],
    ['a soft hyphen', 'a\u00ADb', 'a⟦U+00AD⟧b'],
    ['a space that is none', 'a\u00A0b', 'a⟦U+00A0⟧b'],
    ['a Hangul filler', '\u3164', '⟦U+3164⟧'],
    ['a blank Braille pattern', '\u2800', '⟦U+2800⟧'],
    ['a variation selector', '\u{E0100}', '⟦U+E0100⟧'],
    ['a private character', '\uE000', '⟦U+E000⟧'],
    ['half a pair', '\uD83D', '⟦U+D83D⟧'],
    ['a line separator', '\u2028', '⟦U+2028⟧'],
    ['a mark that somebody wrote', '⟦U+0041⟧', '⟦U+27E6⟧U+0041⟦U+27E7⟧'],
    ['a pile of accents', `a${'\u0301'.repeat(6)}`, `a${'\u0301'.repeat(4)}⟦U+0301⟧⟦U+0301⟧`],
  ];
  it.each(hidden)('marks %s', (_name, text, shown) => {
    expect(showUntrusted(text)).toBe(shown);
  });

  it('leaves the letters of all languages, emoji and markup as they are', () => {
    const text = 'Grüße, 東京 <b>עברית</b> 😀 ñ naïve & "x"';
    expect(showUntrusted(text)).toBe(text);
  });

  it('cuts what is too long, never a pair, and says how much is missing', () => {
    expect(showUntrusted('abcdef', { maxChars: 4 })).toBe('abcd… (2 characters left out)');
    expect(showUntrusted('a😀b', { maxChars: 2 })).toBe('a… (3 characters left out)');
  });

  it('never lets a control or a reordering character through, whatever it is given', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(showUntrusted(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    ));
});
