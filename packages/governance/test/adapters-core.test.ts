import { defineTool, isGoverned, isSelfChecking, type Tool, toolContext } from '@buddy/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { openWorld } from './adapters/world.ts';

const context = () =>
  toolContext({ actor: { kind: 'agent', id: 'ada' }, rationale: 'asked by the plan' });

/** As the sandbox does it: a tool that does not check itself is checked by its caller. */
async function callAsRunner(tool: Tool, input: unknown): Promise<unknown> {
  if (isSelfChecking(tool)) return tool.execute(input, context());
  const given = await tool.input.parseAsync(input);
  return tool.output.parseAsync(await tool.execute(given, context()));
}

describe('a tool of core', () => {
  const schemas = {
    input: z.string().transform((text) => text.length),
    output: z.number().transform((n) => `${n}!`),
  };

  it('has its schemas applied once, by itself or by who calls it', async () => {
    await using world = await openWorld();
    const defined: Tool = defineTool({
      name: 'crm.find',
      description: 'Doubles a length.',
      tier: 1,
      ...schemas,
      execute: (length) => length * 2,
    });
    const trusting: Tool = {
      ...defined,
      name: 'crm.update',
      tier: 2,
      execute: async (length) => Number(length) * 2,
    };
    const [one, other] = world.withGate([defined, trusting]);
    if (!one || !other) throw new TypeError('The list came back shorter');
    expect([isSelfChecking(one), isSelfChecking(other)]).toEqual([true, false]);
    expect(await callAsRunner(one, 'abc')).toBe('6!');
    expect(await callAsRunner(other, 'abc')).toBe('6!');
    expect(isGoverned(one) && isGoverned(other)).toBe(true);
  });

  it('keeps its type, and is governed once however often it is asked for', async () => {
    await using world = await openWorld();
    const tool = defineTool({
      name: 'crm.update',
      description: 'Does it.',
      tier: 2,
      input: z.object({ to: z.string() }),
      output: z.string(),
      execute: ({ to }) => to,
    });
    const governed = world.withGate(tool);
    expectTypeOf(governed).toEqualTypeOf(tool);
    const again = world.withGate({ again: governed }).again;
    expect(again).toBe(governed);
    expect(await again.execute({ to: 'ada' }, context())).toBe('ada');
    expect(world.log()).toEqual(['intent crm.update', 'succeeded crm.update']);
  });
});

const sum = (one: number, other: number) => one + other;
const find = async (name: string) => name;

async function* count(to: number) {
  for (let at = 1; at <= to; at += 1) yield at;
  return 'counted';
}

describe('a plain function', () => {
  it('is decided on by its arguments, and answers with a promise', async () => {
    await using world = await openWorld();
    const governed = world.withGate(sum, { name: 'crm.update' });
    expectTypeOf(governed).toEqualTypeOf<(one: number, other: number) => Promise<number>>();
    expect(await governed(1, 2)).toBe(3);
    const { 'crm.find': one, 'crm.wipe': other } = world.withGate({
      'crm.find': find,
      'crm.wipe': (): string => 'gone',
    });
    expectTypeOf(one).toEqualTypeOf(find);
    expectTypeOf(other).toEqualTypeOf<() => Promise<string>>();
    expect(await one('ada')).toBe('ada');
    await expect(other()).rejects.toMatchObject({ code: 'CORE_TOOL_DENIED' });
    expect(world.log()).toEqual([
      'intent crm.update',
      'succeeded crm.update',
      'intent crm.find',
      'succeeded crm.find',
      'deny crm.wipe POLICY_BLOCKED',
    ]);
  });

  it('may stream, and is written when it has ended', async () => {
    await using world = await openWorld();
    const governed = world.withGate(count, { name: 'report.write' });
    expectTypeOf(governed).toEqualTypeOf(count);
    const stream = governed(2);
    expect(world.log()).toEqual([]);
    expect([await stream.next(), await stream.next()]).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
    ]);
    expect(world.log()).toEqual(['intent report.write']);
    expect(await stream.next()).toEqual({ done: true, value: 'counted' });
    expect(world.log()).toEqual(['intent report.write', 'succeeded report.write']);
  });

  it('waits for a person, and then is called once', async () => {
    await using world = await openWorld();
    const sent: string[] = [];
    const send = world.withGate((to: string) => sent.push(to), { name: 'mail.send' });
    await expect(send('ada')).rejects.toMatchObject({ approvalId: 'approval-1' });
    await world.approve('approval-1');
    expect(await send('ada')).toBe(1);
    await expect(send('ada')).rejects.toMatchObject({ approvalId: 'approval-2' });
    expect(sent).toEqual(['ada']);
  });

  it('needs a name, and time to decide', async () => {
    await using world = await openWorld();
    expect(() => world.withGate(() => 1)).toThrow('needs one');
    expect(() => world.withGate(function* each() {})).toThrow('async function*');
    expect(() => world.governance.assertCovered({ 'crm.find': () => 1 })).toThrow('crm.find');
  });
});
