import { defineTool, describeFailure, type Logger, silentLogger } from '@buddy/core';
import type { Governance } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { context, gatesWith } from './gate/opening.ts';

const gates = gatesWith(`
version: 1
rules:
  - { id: ask, when: { action: llm.ask }, tier: 1, allow: true, limit: { tokens: 100, per: hour, by: all, counted: afterwards } }
  - { id: buy, when: { action: ads.buy }, tier: 2, allow: true, limit: { spend: 10 EUR, per: hour, by: all, counted: afterwards } }
`);

describe('a limit on what only the result of a call tells', () => {
  it.each([
    ['there is no usageOf', {}],
    [
      'usageOf throws',
      {
        usageOf: () => {
          throw new Error('no usage here');
        },
      },
    ],
    ['usageOf tells nothing', { usageOf: () => ({}) }],
    [
      'it is used up at once',
      {
        usageOf: () => ({ tokens: { in: 50, out: 50 }, cost: { amount: 1_000, currency: 'EUR' } }),
      },
    ],
  ])('lets one of many calls through when %s', async (_what, ports) => {
    const governance = await gates.open(ports);
    expect(await passed(governance, 'llm.ask', 20)).toBe(1);
    expect(await passed(governance, 'ads.buy', 20)).toBe(1);
  });

  it('lets as many through, one after the other, as there is room for', async () => {
    const governance = await gates.open({ usageOf: () => ({ tokens: { in: 20, out: 5 } }) });
    const { ask } = toolsOf(governance);
    const done: boolean[] = [];
    for (let n = 0; n < 6; n += 1) done.push(await succeeds(ask.execute({}, context())));
    expect(done).toEqual([true, true, true, true, false, false]);
  });

  it('is warned of when its policy is loaded and nothing reads usage', async () => {
    const warned: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (facts) => warned.push(facts) };
    await gates.open({ logger });
    expect(warned).toEqual([{ rules: ['ask', 'buy'] }]);
    await gates.open({ logger, usageOf: () => ({}) });
    expect(warned).toHaveLength(1);
  });
});

function toolsOf(governance: Governance) {
  const [ask, buy] = (['llm.ask', 'ads.buy'] as const).map((name) =>
    governance.govern(
      defineTool({
        name,
        description: 'Costs something.',
        tier: name === 'llm.ask' ? 1 : 2,
        input: z.object({}),
        output: z.string(),
        execute: async () => 'done',
        ...(name === 'ads.buy' && { undo: async () => undefined }),
      }),
    ),
  );
  if (!ask || !buy) throw new Error('There are two tools');
  return { ask, buy };
}

/** How many of so many calls at once. */
async function passed(governance: Governance, name: 'llm.ask' | 'ads.buy', calls: number) {
  const { ask, buy } = toolsOf(governance);
  const tool = name === 'llm.ask' ? ask : buy;
  const all = await Promise.all(
    Array.from({ length: calls }, () => succeeds(tool.execute({}, context()))),
  );
  return all.filter(Boolean).length;
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (describeFailure(error).code !== 'CORE_TOOL_DENIED') throw error;
    return false;
  }
}
