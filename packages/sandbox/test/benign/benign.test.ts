import { defineTool } from '@buddy/core';
import { createSandbox, type RunResult, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { forms } from './forms.ts';
import { harmlessText } from './harmless-text.ts';
import { language } from './language.ts';
import { mistakes } from './mistakes.ts';
import { programs } from './programs.ts';
import type { Expected, Snippet } from './snippet.ts';
import { typescript } from './typescript.ts';

const orders = [
  { id: 'o1', customer: 'ada', total: 12.5 },
  { id: 'o2', customer: 'bob', total: 8 },
  { id: 'o3', customer: 'ada', total: 40 },
  { id: 'o4', customer: 'bob', total: 20.5 },
  { id: 'o5', customer: 'ada', total: 20 },
];

/** A small shop; `flaky` fails twice before it answers. */
function shop() {
  const asked = new Map<string, number>();
  return [
    defineTool({
      name: 'shop.orders',
      description: 'Lists orders, a page at a time.',
      tier: 1,
      input: z.strictObject({ cursor: z.int(), limit: z.int() }),
      output: z.unknown(),
      execute: ({ cursor, limit }) => {
        const end = cursor + limit;
        return { items: orders.slice(cursor, end), next: end < orders.length ? end : null };
      },
    }),
    defineTool({
      name: 'shop.order',
      description: 'Reads one order.',
      tier: 1,
      input: z.strictObject({ id: z.string() }),
      output: z.unknown(),
      execute: ({ id }) => {
        const order = orders.find((each) => each.id === id);
        if (!order) throw new Error(`No order ${id}`);
        return order;
      },
    }),
    defineTool({
      name: 'shop.flaky',
      description: 'Fails at first.',
      tier: 1,
      input: z.strictObject({ key: z.string() }),
      output: z.string(),
      execute: ({ key }) => {
        const tries = (asked.get(key) ?? 0) + 1;
        asked.set(key, tries);
        if (tries < 3) throw new Error('busy');
        return 'third time lucky';
      },
    }),
  ];
}

const groups: Record<string, readonly Snippet[]> = {
  'harmless text': harmlessText,
  'the forms of a program': forms,
  TypeScript: typescript,
  'the language': language,
  mistakes,
  'whole programs': programs,
};

describe.each(['process', 'session'] as const)('a benign program, isolation %s', (isolation) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox({ isolation, tools: shop() });
  });
  afterAll(() => sandbox.close());

  describe.each(Object.entries(groups))('%s', (_group, snippets) => {
    it.each(snippets)('$name', async ({ code, input, language: as, expected }) => {
      const result = await sandbox.run(code, { input, ...(as && { language: as }) });
      expect(outcomeOf(result)).toEqual(outcomeHopedFor(expected));
    });
  });

  it('is one of many, each with a name of its own', () => {
    for (const snippets of Object.values(groups))
      expect(new Set(snippets.map(({ name }) => name)).size).toBe(snippets.length);
    expect(Object.values(groups).flat().length).toBeGreaterThanOrEqual(60);
  });
});

/** A result without its facts. */
function outcomeOf(result: RunResult): object {
  const { status } = result;
  if (result.status === 'ok') return { status, value: result.value };
  return { status, ...('error' in result && { error: result.error }) };
}

function outcomeHopedFor(expected: Expected): object {
  if ('value' in expected) return { status: 'ok', value: expected.value };
  const { hint = '', ...error } = expected.error;
  return {
    status: 'error',
    error: expect.objectContaining({ ...error, hint: expect.stringContaining(hint) }),
  };
}
