import { Client as Client2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as Transport1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as Server1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  InMemoryTransport as Transport2,
  McpServer as Server2,
} from '@modelcontextprotocol/server';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { openWorld, type World } from './adapters/world.ts';

interface Answer {
  isError: boolean;
  text: string;
}

type Act = (to: string) => { text: string; isError?: boolean };

interface Registered {
  update(changes: { name?: string; act?: Act }): void;
}

interface McpWorld extends World {
  readonly calls: string[];
  readonly server: object;
  /** Registers a tool that takes `{ to }`. */
  add(name: string, act?: Act): Registered;
  /** Registers one that takes nothing. */
  addPlain(name: string): void;
  govern(options?: { tier?: 1 | 2 | 3; runId?: string }): void;
  call(name: string, input?: Record<string, unknown>): Promise<Answer>;
}

const Signed = z.object({ authInfo: z.object({ clientId: z.string() }) });
const Named = z.object({ to: z.string() });
const info = { name: 'test', version: '1.0.0' };
const Content = z.object({
  isError: z.boolean().default(false),
  content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]),
});

function answerOf(result: unknown): Answer {
  const { isError, content } = Content.parse(result);
  return { isError, text: content[0].text };
}

const done: Act = (to) => ({ text: `done for ${to}` });

/** The SDK up to 1.x, and its client. */
async function openFirst(): Promise<McpWorld> {
  const world = await openWorld();
  const calls: string[] = [];
  const server = new Server1(info);
  const client = new Client1(info);
  const handlerOf =
    (act: Act = done) =>
    ({ to }: { to: string }) => {
      calls.push(to);
      const { text, isError = false } = act(to);
      return { content: [{ type: 'text' as const, text }], isError };
    };
  return Object.assign(world, {
    calls,
    server,
    add: (name: string, act?: Act): Registered => {
      const shape = { inputSchema: z.looseObject({ to: z.string() }) };
      const tool = server.registerTool(name, shape, handlerOf(act));
      return {
        update: ({ act: next, ...changes }) => {
          const callback = next && handlerOf(next);
          tool.update({
            ...changes,
            ...(callback && { callback: (input: unknown) => callback(Named.parse(input)) }),
          });
        },
      };
    },
    addPlain: (name: string) => void server.tool(name, () => handlerOf()({ to: 'nobody' })),
    govern: (options = {}) => {
      const governed = world.withGate(server, options);
      expectTypeOf(governed).toEqualTypeOf(server);
      expect(governed).toBe(server);
    },
    call: async (name: string, input?: Record<string, unknown>) => {
      if (!client.transport) {
        const [one, other] = Transport1.createLinkedPair();
        await server.connect(one);
        await client.connect(other);
      }
      return answerOf(await client.callTool({ name, ...(input && { arguments: input }) }));
    },
  });
}

/** The SDK from 2.0, and its client. */
async function openSecond(): Promise<McpWorld> {
  const world = await openWorld();
  const calls: string[] = [];
  const server = new Server2(info);
  const client = new Client2(info);
  const handlerOf =
    (act: Act = done) =>
    ({ to }: { to: string }) => {
      calls.push(to);
      const { text, isError = false } = act(to);
      return { content: [{ type: 'text' as const, text }], isError };
    };
  return Object.assign(world, {
    calls,
    server,
    add: (name: string, act?: Act): Registered => {
      const shape = { inputSchema: z.looseObject({ to: z.string() }) };
      const tool = server.registerTool(name, shape, handlerOf(act));
      return {
        update: ({ act: next, ...changes }) => {
          const callback = next && handlerOf(next);
          tool.update({
            ...changes,
            ...(callback && { callback: (input: unknown) => callback(Named.parse(input)) }),
          });
        },
      };
    },
    addPlain: (name: string) =>
      void server.registerTool(name, {}, () => handlerOf()({ to: 'nobody' })),
    govern: (options = {}) => {
      const governed = world.withGate(server, options);
      expectTypeOf(governed).toEqualTypeOf(server);
      expect(governed).toBe(server);
    },
    call: async (name: string, input?: Record<string, unknown>) => {
      if (!client.transport) {
        const [one, other] = Transport2.createLinkedPair();
        await server.connect(one);
        await client.connect(other);
      }
      return answerOf(await client.callTool({ name, ...(input && { arguments: input }) }));
    },
  });
}

describe.each([
  ['the SDK 1.x', openFirst],
  ['the SDK 2.x', openSecond],
])('a server of %s', (_name, open) => {
  it('does what the policy allows, with intent and outcome in the log', async () => {
    await using world = await open();
    world.add('crm.update');
    world.govern();
    expect(await world.call('crm.update', { to: 'ada' })).toEqual({
      isError: false,
      text: 'done for ada',
    });
    expect(world.log()).toEqual(['intent crm.update', 'succeeded crm.update']);
  });

  it('does nothing that is blocked, and the client is told', async () => {
    await using world = await open();
    world.add('crm.wipe');
    world.govern();
    expect(await world.call('crm.wipe', { to: 'ada' })).toEqual({
      isError: true,
      text: expect.stringContaining('crm.wipe is denied by never'),
    });
    expect(world.calls).toEqual([]);
    expect(world.log()).toEqual(['deny crm.wipe POLICY_BLOCKED']);
  });

  it('waits for a person, and then does the same call once', async () => {
    await using world = await open();
    world.add('mail.send');
    world.govern({ runId: 'run-1' });
    expect(await world.call('mail.send', { to: 'ada' })).toEqual({
      isError: true,
      text: 'mail.send needs approval approval-1',
    });
    await world.approve('approval-1');
    expect(await world.call('mail.send', { to: 'mallory' })).toMatchObject({ isError: true });
    expect(world.calls).toEqual([]);
    expect(await world.call('mail.send', { to: 'ada' })).toMatchObject({ isError: false });
    expect(await world.call('mail.send', { to: 'ada' })).toMatchObject({ isError: true });
    expect(world.calls).toEqual(['ada']);
  });

  it('is not called with hostile arguments', async () => {
    await using world = await open();
    world.add('crm.update');
    world.govern();
    for (const hostile of [
      { to: 'ada', prototype: { isAdmin: true } },
      { to: 'x'.repeat(1_000_001) },
      { to: '\uD800' },
    ]) {
      expect(await world.call('crm.update', hostile)).toMatchObject({
        isError: true,
        text: expect.stringContaining('cannot be trusted'),
      });
    }
    expect(world.calls).toEqual([]);
  });

  it('governs tools that are registered later, whichever way', async () => {
    await using world = await open();
    world.govern();
    world.add('crm.wipe');
    world.addPlain('tierless.do');
    world.addPlain('crm.find');
    expect(await world.call('crm.wipe', { to: 'ada' })).toMatchObject({ isError: true });
    expect(await world.call('tierless.do')).toMatchObject({ isError: true });
    expect(world.calls).toEqual([]);
    expect(await world.call('crm.find')).toMatchObject({ text: 'done for nobody' });
    expect(world.log()).toEqual([
      'deny crm.wipe POLICY_BLOCKED',
      'deny tierless.do UNKNOWN_ACTION',
      'intent crm.find',
      'succeeded crm.find',
    ]);
  });

  it('governs what a tool is changed to', async () => {
    await using world = await open();
    const tool = world.add('crm.update');
    world.govern();
    tool.update({ act: (to) => ({ text: `otherwise for ${to}` }) });
    expect(await world.call('crm.update', { to: 'ada' })).toMatchObject({
      text: 'otherwise for ada',
    });
    tool.update({ name: 'crm.wipe' });
    expect(await world.call('crm.wipe', { to: 'ada' })).toMatchObject({ isError: true });
    expect(world.calls).toEqual(['ada']);
    expect(world.log()).toEqual([
      'intent crm.update',
      'succeeded crm.update',
      'deny crm.wipe POLICY_BLOCKED',
    ]);
  });

  it('writes that a call failed, whether it throws or says so', async () => {
    await using world = await open();
    world.add('crm.update', () => ({ text: 'no such contact', isError: true }));
    world.add('report.write', () => {
      throw new Error('lost');
    });
    world.govern();
    expect(await world.call('crm.update', { to: 'ada' })).toEqual({
      isError: true,
      text: 'no such contact',
    });
    expect(await world.call('report.write', { to: 'ada' })).toEqual({
      isError: true,
      text: 'lost',
    });
    expect(world.log()).toEqual([
      'intent crm.update',
      'unknown crm.update GOVERNANCE_MCP_ERROR_RESULT',
      'intent report.write',
      'unknown report.write UNKNOWN',
    ]);
  });

  it('decides and writes once, also when it is governed twice', async () => {
    await using world = await open();
    world.add('crm.update');
    world.govern();
    world.govern();
    world.add('report.write');
    await world.call('crm.update', { to: 'ada' });
    await world.call('report.write', { to: 'ada' });
    expect(world.log()).toHaveLength(4);
  });

  it('is covered as a whole, or says which tools are not', async () => {
    await using world = await open();
    world.add('crm.update');
    expect(() => world.governance.assertCovered(world.server)).toThrow(
      expect.objectContaining({ tools: ['crm.update'] }),
    );
    world.govern();
    world.add('crm.find');
    expect(() => world.governance.assertCovered([world.server])).not.toThrow();
  });
});

describe('a server for several clients', () => {
  it('knows from each call who acts', async () => {
    await using world = await openWorld();
    const server = world.withGate(new Server1(info), {
      rationale: 'asked by a client',
      describeCall: (context) => ({
        actor: { kind: 'agent', id: Signed.parse(context).authInfo.clientId },
      }),
    });
    server.registerTool('crm.find', {}, () => ({ content: [{ type: 'text', text: 'found' }] }));
    const client = new Client1(info);
    const [one, other] = Transport1.createLinkedPair();
    await server.connect(one);
    await client.connect(other);
    const send = other.send.bind(other);
    let clientId: string | undefined;
    other.send = (message) =>
      send(
        message,
        clientId === undefined ? {} : { authInfo: { clientId, token: 't', scopes: [] } },
      );
    const call = async () => answerOf(await client.callTool({ name: 'crm.find' }));
    for (const id of ['ada', 'bob']) {
      clientId = id;
      expect(await call()).toMatchObject({ isError: false });
    }
    clientId = undefined;
    expect(await call()).toMatchObject({ isError: true });
    const { entries } = world.governance.audit.query({ kind: 'intent' });
    expect(
      entries.map((entry) => entry.kind === 'intent' && [entry.actor.id, entry.rationale]),
    ).toEqual([
      ['bob', 'asked by a client'],
      ['ada', 'asked by a client'],
    ]);
  });
});

describe('a server that cannot be governed', () => {
  it('is refused when its tools cannot be found', async () => {
    await using world = await openWorld();
    const unknown = { registerTool: () => undefined, server: {} };
    expect(() => world.withGate(unknown)).toThrow('a version that is not known here');
  });

  it('does not keep a task of MCP, of which no gate sees when it acts', async () => {
    await using world = await openWorld();
    const server = world.withGate(new Server1(info));
    const register = () =>
      server.experimental.tasks.registerToolTask(
        'crm.export',
        { description: 'Exports all.' },
        {
          createTask: () => Promise.reject(new Error('not in this test')),
          getTask: () => Promise.reject(new Error('not in this test')),
          getTaskResult: () => Promise.reject(new Error('not in this test')),
        },
      );
    expect(register).toThrow('crm.export is a task');
    // Nor was it kept: else its name would be taken.
    expect(register).toThrow('crm.export is a task');
    expect(() => world.governance.assertCovered(server)).not.toThrow();
  });
});
