import {
  Agent,
  type FunctionTool,
  invokeFunctionTool,
  RunContext,
  Runner,
  tool,
} from '@openai/agents-core';
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents-core/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { openWorld } from './adapters/world.ts';

/** Runs one call as the SDK does; what the model is told of it. */
async function callOf(
  made: FunctionTool<unknown, never>,
  input: string | Record<string, unknown>,
): Promise<unknown> {
  const model = new ScriptedModel([
    [functionCall(made.name, input, { callId: 'call-1' })],
    [assistantMessage('done')],
  ]);
  const agent = new Agent({ name: 'ada', model, tools: [made] });
  const { finalOutput } = await new Runner({ tracingDisabled: true }).run(agent, 'go');
  expect(finalOutput).toBe('done');
  model.assertComplete();
  const told = model.lastCall?.request.input;
  if (!Array.isArray(told)) throw new TypeError('The model was told nothing');
  const result: unknown = told.find(({ type }) => type === 'function_call_result');
  return Reflect.get(Object(Reflect.get(Object(result), 'output')), 'text');
}

function crmTool(name: string, execute?: (to: string) => string) {
  const calls: unknown[] = [];
  const made = tool({
    name,
    description: 'Does it.',
    parameters: z.object({ to: z.string() }),
    errorFunction: null,
    execute: ({ to }) => {
      calls.push(to);
      return execute ? execute(to) : `done for ${to}`;
    },
  });
  return { made, calls };
}

// The SDK writes names as models know them: dots become underscores.
const POLICY = `
version: 1
rules:
  - { id: writes, when: { action: crm_update }, tier: 2, allow: true }
  - { id: mail, when: { action: mail_send }, tier: 3, approve: { from: [operator], expires: 30m } }
  - { id: never, when: { action: crm_wipe }, tier: 3, block: true }
  - { id: no-tier, when: { action: tierless_do }, allow: true }
`;

describe('a function tool of OpenAI Agents', () => {
  it('does what the policy allows, with intent and outcome in the log', async () => {
    await using world = await openWorld(POLICY);
    const { made, calls } = crmTool('crm_update');
    expect(await callOf(world.withGate(made), { to: 'ada' })).toBe('done for ada');
    expect(calls).toEqual(['ada']);
    expect(world.log()).toEqual(['intent crm_update', 'succeeded crm_update']);
  });

  it('does nothing that is blocked, and the model reads why', async () => {
    await using world = await openWorld(POLICY);
    const { made, calls } = crmTool('crm_wipe');
    expect(await callOf(world.withGate(made), { to: 'ada' })).toMatch(
      /^CORE_TOOL_DENIED: crm_wipe is denied by never: /,
    );
    expect(calls).toEqual([]);
    expect(world.log()).toEqual(['deny crm_wipe POLICY_BLOCKED']);
  });

  it('waits for a person, and then does the same call once', async () => {
    await using world = await openWorld(POLICY);
    const { made, calls } = crmTool('mail_send');
    const [governed] = world.withGate([made], { runId: 'run-1' });
    if (!governed) throw new TypeError('The list came back empty');
    expect(await callOf(governed, { to: 'ada' })).toBe(
      'CORE_APPROVAL_REQUIRED: mail_send needs approval approval-1',
    );
    await world.approve('approval-1');
    expect(await callOf(governed, { to: 'mallory' })).toContain('approval-2');
    expect(calls).toEqual([]);
    expect(await callOf(governed, { to: 'ada' })).toBe('done for ada');
    expect(await callOf(governed, { to: 'ada' })).toContain('approval-3');
    expect(calls).toEqual(['ada']);
  });

  it('is not called with hostile arguments', async () => {
    await using world = await openWorld(POLICY);
    const { made, calls } = crmTool('crm_update');
    const governed = world.withGate(made);
    for (const hostile of [
      '{"to":"ada","__proto__":{"isAdmin":true}}',
      JSON.stringify({ to: 'x'.repeat(1_000_001) }),
      '{"to":"\\ud800"}',
    ]) {
      expect(await callOf(governed, hostile)).toMatch(/^CORE_TOOL_DENIED: .*cannot be trusted/s);
    }
    expect(calls).toEqual([]);
  });

  it('decides also on arguments that are no JSON, which a tool made by hand may take', async () => {
    await using world = await openWorld(POLICY);
    const taken: string[] = [];
    const byHand = (name: string): FunctionTool<unknown, never> => ({
      ...crmTool(name).made,
      strict: false,
      invoke: async (_context, input) => {
        taken.push(input);
        return 'taken';
      },
    });
    const invoke = (name: string, input: string) =>
      invokeFunctionTool({
        tool: world.withGate(byHand(name)),
        runContext: new RunContext(),
        input,
      });
    expect(await invoke('crm_wipe', 'drop it all')).toContain('CORE_TOOL_DENIED');
    expect(taken).toEqual([]);
    expect(await invoke('crm_update', 'two words')).toBe('taken');
    expect(taken).toEqual(['two words']);
    expect(world.log().slice(1)).toEqual(['intent crm_update', 'succeeded crm_update']);
  });

  it('refuses a tool that neither its maker nor a rule gives a tier', async () => {
    await using world = await openWorld(POLICY);
    const { made, calls } = crmTool('tierless_do');
    expect(await callOf(world.withGate(made), { to: 'ada' })).toContain('tier');
    expect(calls).toEqual([]);
    expect(world.log()).toEqual(['deny tierless_do UNKNOWN_ACTION']);
    expect(await callOf(world.withGate(made, { tier: 1 }), { to: 'ada' })).toBe('done for ada');
  });

  it('lets a tool that throws end the run, as the SDK does, and writes that', async () => {
    await using world = await openWorld(POLICY);
    const { made } = crmTool('crm_update', () => {
      throw new Error('lost');
    });
    await expect(callOf(world.withGate(made), { to: 'ada' })).rejects.toThrow('lost');
    expect(world.log()).toEqual(['intent crm_update', 'unknown crm_update UNKNOWN']);
  });

  it('keeps its type, and all that the SDK reads of a tool', async () => {
    await using world = await openWorld(POLICY);
    const { made } = crmTool('crm_update');
    const governed = world.withGate(made);
    expectTypeOf(governed).toEqualTypeOf(made);
    expect(Reflect.ownKeys(governed)).toEqual(Reflect.ownKeys(made));
    expect(world.withGate(governed)).toBe(governed);
  });

  it('names what is not covered, also tools that the provider runs', async () => {
    await using world = await openWorld(POLICY);
    const governed = world.withGate(crmTool('crm_update').made);
    const hosted = { type: 'hosted_tool', name: 'web_search', providerData: {} };
    expect(() => world.governance.assertCovered([governed])).not.toThrow();
    expect(() =>
      world.governance.assertCovered([governed, crmTool('crm_wipe').made, hosted]),
    ).toThrow(expect.objectContaining({ tools: ['crm_wipe', 'web_search'] }));
    expect(() => world.withGate([hosted])).toThrow('web_search is no tool that can be');
  });
});
