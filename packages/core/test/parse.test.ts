import { defineTool, safeParseEither, toolContext } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const context = () => toolContext({ actor: { kind: 'human', id: 'grace' } });

let unhandled: unknown[];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

/** Node says so when a turn of the event loop is over. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const refused = new Error('the directory is down');
const isKnown = (): Promise<boolean> => Promise.reject(refused);
const lookUp = async (): Promise<string> => {
  throw refused;
};

describe('a schema with an asynchronous part that rejects', () => {
  it.each([
    ['a refinement', z.string().refine(isKnown)],
    ['an async refinement', z.string().refine(lookUp)],
    ['a check', z.string().superRefine(async () => void (await lookUp()))],
    ['a transform', z.string().transform(() => isKnown())],
    ['an async transform', z.string().transform(lookUp)],
    ['a codec', z.codec(z.string(), z.string(), { decode: lookUp, encode: lookUp })],
    ['a preprocessing', z.preprocess(lookUp, z.string())],
    ['a field', z.object({ to: z.object({ id: z.string().refine(isKnown) }) })],
    ['one of several', z.union([z.number(), z.string().refine(isKnown)])],
    ['an item', z.array(z.string().transform(lookUp))],
    ['what is lazy', z.lazy(() => z.string().refine(isKnown))],
    ['a promise', z.promise(z.string())],
  ])('rejects for who asked and leaves no rejection to nobody: %s', async (what, schema) => {
    const values: Record<string, () => unknown> = {
      'a field': () => ({ to: { id: 'ada' } }),
      'an item': () => ['ada', 'bob'],
      'a promise': () => Promise.reject(refused),
    };
    const value = values[what]?.() ?? 'ada';
    await expect(safeParseEither(schema, value)).rejects.toBe(refused);
    await turn();
    expect(unhandled).toEqual([]);
  });

  it('is called once for each call of a tool', async () => {
    let asked = 0;
    const tool = defineTool({
      name: 'a.b',
      description: 'Takes what is known.',
      tier: 1,
      input: z.string().refine(() => {
        asked += 1;
        return isKnown();
      }),
      output: z.unknown(),
      execute: () => undefined,
    });
    await expect(tool.execute('ada', context())).rejects.toBe(refused);
    expect(asked).toBe(1);
    await turn();
    expect(unhandled).toEqual([]);
  });
});

describe('parsing that may be asynchronous', () => {
  const Node = z.object({
    name: z.string().min(1),
    get children() {
      return z.array(Node).optional();
    },
  });

  it.each([
    ['what only declares', z.strictObject({ to: z.email(), n: z.int().max(9).optional() })],
    ['a record', z.record(z.string(), z.tuple([z.enum(['a', 'b'])], z.number()))],
    ['one in itself', Node],
    ['defaults', z.object({ times: z.int().default(1) })],
    ['a refinement', z.string().refine((text) => text.length > 2)],
    ['a transform', z.string().transform((text, issues) => issues.addIssue(`no ${text}`))],
    ['a trim', z.string().trim().min(2)],
    ['a pipe', z.string().pipe(z.coerce.number())],
    ['a caught one', z.number().catch(3)],
  ])('makes no promise where there is no need, and says what zod says: %s', (_what, schema) => {
    const values = [
      'ada',
      ' a ',
      '12',
      {},
      { to: 'ada@example.com' },
      { to: 'ada', n: 10, more: 1 },
      { key: ['a', 3] },
      { key: ['c'] },
      { name: 'a', children: [{ name: '' }] },
      null,
    ];
    for (const value of values) {
      const result = safeParseEither(schema, value);
      if (result instanceof Promise) throw new TypeError('It made a promise');
      const expected = schema.safeParse(value);
      expect({ success: result.success, data: result.data }).toEqual({
        success: expected.success,
        data: expected.data,
      });
      expect(result.error?.issues).toEqual(expected.error?.issues);
      expect(result.error?.message).toBe(expected.error?.message);
    }
  });

  it('throws at once what a synchronous part throws', () => {
    const schema = z.string().transform(() => {
      throw refused;
    });
    expect(() => safeParseEither(schema, 'ada')).toThrow(refused);
  });
});
