import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePlainData,
  encodePlainData,
  type PlainDataProblem,
} from '../src/protocol/plain-data.ts';

function through(value: unknown): unknown {
  const encoded = encodePlainData(value, { maxSize: 1_000_000 });
  if (!encoded.ok) throw new Error(encoded.problem.message);
  const decoded = decodePlainData(JSON.parse(JSON.stringify(encoded.wire)));
  if (!decoded.ok) throw new Error(decoded.problem.message);
  return decoded.value;
}

function problemOf(value: unknown, maxSize = 1_000): PlainDataProblem | undefined {
  const encoded = encodePlainData(value, { maxSize });
  return encoded.ok ? undefined : encoded.problem;
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const key = fc
  .oneof(fc.string(), fc.constant('$'), fc.constant('v'))
  .filter((each) => each !== '__proto__');
const { value: plainData } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, Number.NaN, Number.POSITIVE_INFINITY, -0),
    fc.double(),
    fc.bigInt(),
    fc.string(),
    fc.date({ noInvalidDate: false }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    fc.uniqueArray(fc.string(), { maxLength: 3 }).map((items) => new Set(items)),
    fc
      .array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 })
      .map((entries) => new Map(entries)),
  ),
}));

describe('plain data', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(plainData, (given) => {
        expect(through(given)).toStrictEqual(given);
      }),
    );
  });
  it('is as large to its reader as to its writer, at most', () => {
    fc.assert(
      fc.property(plainData, fc.nat(300), (given, maxSize) => {
        const encoded = encodePlainData([given, new TypeError('boo')], { maxSize });
        const wasRead = !encoded.ok || decodePlainData(encoded.wire, { maxSize }).ok;
        expect(wasRead).toBe(true);
      }),
    );
  });
  it('is read no further than its limit', () => {
    for (const wire of [
      Array(200).fill(1),
      Array.from({ length: 200 }, () => []),
      'x'.repeat(200),
      { $: 'set', v: Array(200).fill(null) },
      { $: 'bigint', v: '9'.repeat(200) },
      { $: 'error', v: { name: 'Error', message: 'x'.repeat(200) } },
      { ['k'.repeat(200)]: 1 },
    ]) {
      expect(decodePlainData(wire, { maxSize: 100 })).toMatchObject({ problem: { kind: 'size' } });
    }
  });
  it('keeps name and message of an error, and nothing else of it', () => {
    const error = Object.assign(new TypeError('boo', { cause: 'secret' }), { secret: 1 });
    const copy = Object(through(error));
    expect(copy).toBeInstanceOf(Error);
    expect(String(copy)).toBe('TypeError: boo');
    expect(copy.cause).toBeUndefined();
    expect(Object.keys(copy)).toEqual([]);
    expect(copy.stack).toBe('TypeError: boo');
  });
  it('takes own properties only', () => {
    expect(
      through(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })),
    ).toEqual({ own: 2 });
  });
  it.each<[string, unknown, PlainDataProblem['kind'], string]>([
    [
      'a cycle',
      (() => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      })(),
      'cycle',
      'value[0]',
    ],
    ['65 levels', nested(65), 'depth', 'value'],
    ['a long string', { a: 'x'.repeat(2_000) }, 'size', 'value.a'],
    ['a billion holes', { a: Array(1e9) }, 'size', 'value.a'],
    ['a huge bigint', 1n << 100_000n, 'size', 'value'],
    ['a function', { 'a b': () => 1 }, 'type', 'value["a b"]'],
    ['a symbol', [Symbol('s')], 'type', 'value[0]'],
    ['a promise', Promise.resolve(1), 'type', 'value'],
    ['bytes', new Uint8Array(2), 'type', 'value'],
    ['a regular expression', /x/, 'type', 'value'],
    ['an iterator', [1].values(), 'type', 'value'],
    ['an own __proto__', JSON.parse('{"__proto__":1}'), 'type', 'value'],
    ['a false date', Object.create(Date.prototype), 'type', 'value'],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no');
        },
      },
      'type',
      'value',
    ],
  ])('refuses %s, and says where', (_what, value, kind, path) => {
    expect(problemOf(value)).toMatchObject({ kind, path: expect.stringContaining(path) });
  });
  it('reads 64 levels', () => {
    expect(through(nested(64))).toEqual(nested(64));
  });
  it.each([
    [{ $: 'no-such-kind' }],
    [{ $: 'number', v: 'process.exit()' }],
    [{ $: 'bigint', v: '1e9' }],
    [{ $: 'map', v: [[1]] }],
    [{ $: 'set' }],
    [{ $: 'error', v: { name: 1 } }],
    [{ $: 'object', v: [['__proto__', 1]] }],
    [JSON.parse('{"a":{"__proto__":{"polluted":true}}}')],
    [nested(65)],
  ])('does not read %j', (wire) => {
    expect(decodePlainData(wire).ok).toBe(false);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
  it('reads or refuses whatever JSON there is, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (wire) => {
        expect(decodePlainData(wire).ok).toBeTypeOf('boolean');
      }),
    );
  });
});
