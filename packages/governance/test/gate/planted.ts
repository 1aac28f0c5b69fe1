import { join } from 'node:path';
import {
  BuddyError,
  createJsonLogger,
  defineTool,
  extendContext,
  seededRandom,
  systemClock,
  type Tool,
  toolContext,
} from '@buddy/core';
import { appendCheckpointsTo, createGovernance, type Governance } from '@buddy/governance';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { RunContext, tool as openAiTool } from '@openai/agents-core';
import { tool as aiTool } from 'ai';
import { z } from 'zod';

/** What must be nowhere; what follows it says where it was planted. */
export const PLANTED = 'xyzzy4711planted';
/** What the log is to keep, so that a search that finds nothing is known to find something. */
export const KEPT = 'kept-on-purpose';

export const PLANTED_POLICY = `
version: 1
rules:
  - { id: looks, when: { action: '*.find' }, tier: 1, allow: true }
  - { id: writes, when: { action: ['*.write', '*_write'] }, tier: 2, allow: true }
  - { id: limited, when: { action: core.limited }, tier: 2, allow: true, limit: { calls: 3, per: 1h, by: agent } }
  - { id: sends, when: { action: ['*.send', '*_send'] }, tier: 3, approve: { from: [operator], expires: 30m } }
  - { id: never, when: { action: '*.wipe', args: { text: { exists: true } } }, tier: 3, block: true }
  - { id: looked-at, when: { action: '*.find', args: { text: { equals: nothing } } }, block: true }
`;

export async function openPlanted(
  folder: string,
  writeLine: (line: string) => void,
): Promise<Governance> {
  return createGovernance(
    {
      policy: join(folder, 'policy.yaml'),
      database: join(folder, 'governance.db'),
      agentRationale: 'hash',
      followPolicy: false,
    },
    {
      logger: createJsonLogger({ level: 'debug' }, { write: writeLine }),
      publish: appendCheckpointsTo(join(folder, 'checkpoints.jsonl'), systemClock),
      usageOf: (_action, output) => {
        if (String(output).length % 7 === 0) throw new Error(`${PLANTED} usage`);
        return {};
      },
    },
  );
}

class PlantedError extends BuddyError {
  readonly code: string;

  constructor(at: number) {
    const cause = new Error(`${PLANTED} cause`, { cause: { note: `${PLANTED} cause of cause` } });
    super(`${PLANTED} message`, { cause, effect: at % 2 === 0 ? 'none' : 'unknown' });
    this.code = at % 3 === 0 ? `${PLANTED} code` : 'TEST_PLANTED';
    this.name = `${PLANTED} name`;
    Object.assign(this, { response: { body: `${PLANTED} response` } });
  }
}

const Text = z.looseObject({ text: z.string().max(5_000) });

/** Calls of every kind and ending, each with what must not be kept wherever a text can be. */
export async function planters(governance: Governance, seed: number): Promise<() => Promise<void>> {
  const random = seededRandom(seed);
  const pick = <Item>(...items: [Item, ...Item[]]): Item =>
    items[Math.floor(random() * items.length)] ?? items[0];
  let calls = 0;
  const act = async (): Promise<string> => {
    calls += 1;
    if (random() < 0.3) throw new PlantedError(calls);
    return `${PLANTED} result ${'.'.repeat(calls % 9)}`;
  };
  const rationale = `${PLANTED} rationale`;
  const actor = () => ({ kind: 'agent', id: pick('ada', 'bob', 'eve') }) as const;
  const describeCall = () => ({ actor: actor(), rationale });
  const input = () =>
    pick<Record<string, unknown>>(
      { text: `${PLANTED} argument` },
      { text: 'x', deeper: [{ [`${PLANTED} key`]: `${PLANTED} nested` }] },
      { text: `${PLANTED} long `.repeat(300) },
      { text: 4711, note: `${PLANTED} misfit` },
      { text: 'x', constructor: `${PLANTED} hostile` },
      { text: 'x', half: `${PLANTED} half \uD800` },
    );
  const context = () =>
    toolContext({
      actor: actor(),
      rationale: random() < 0.05 ? JSON.parse(`{"text":"${PLANTED} no text"}`) : rationale,
      idempotencyKey: `key-${calls}`,
      runId: pick('run-1', 'run-2'),
      ...(random() < 0.1 && { signal: AbortSignal.abort(new Error(`${PLANTED} aborted`)) }),
    });
  const core = (name: string): Tool =>
    governance.govern(
      defineTool({
        name,
        description: 'Plants.',
        tier: 1,
        input: Text,
        output: z.string().max(60),
        execute: act,
        undo: async () => void (await act()),
      }),
    );
  const tools = ['find', 'write', 'limited', 'send', 'wipe', 'unknown'].map((verb) =>
    core(`core.${verb}`),
  );
  const plain = governance.govern(
    { 'plain.write': (_input: unknown) => act(), 'plain.send': (_input: unknown) => act() },
    { describeCall },
  );
  async function* pieces(_input: unknown) {
    yield `${PLANTED} piece`;
    yield act();
  }
  const streaming = governance.govern(pieces, { name: 'stream.write', describeCall });
  const ai = governance.govern(
    { 'ai.write': aiTool({ inputSchema: Text, execute: act }) },
    { describeCall },
  );
  const openai = governance.govern(
    ['write', 'send'].map((verb) =>
      openAiTool({
        name: `openai_${verb}`,
        description: 'Plants.',
        parameters: z.object({ text: z.string() }),
        errorFunction: null,
        execute: act,
      }),
    ),
    { describeCall },
  );
  const server = governance.govern(new McpServer({ name: 'test', version: '1.0.0' }), {
    describeCall,
  });
  for (const verb of ['write', 'send']) {
    server.registerTool(`mcp.${verb}`, { inputSchema: Text }, async () => {
      const text = await act();
      return { content: [{ type: 'text', text }], isError: random() < 0.3 };
    });
  }
  const client = new Client({ name: 'test', version: '1.0.0' });
  const [one, other] = InMemoryTransport.createLinkedPair();
  await server.connect(one);
  await client.connect(other);

  const ways: [() => Promise<unknown>, ...(() => Promise<unknown>)[]] = [
    async () => {
      const tool = pick(...nonEmpty(tools));
      const given = input();
      const result = await tool.execute(given, context());
      const undone = pick(result, `${PLANTED} output`);
      for (const id of ['ada', 'bob', 'eve']) {
        const by = extendContext(context(), { rationale, actor: { kind: 'agent', id } });
        await tool.undo?.(given, undone, by).catch(() => undefined);
      }
    },
    () => plain[pick('plain.write' as const, 'plain.send' as const)](input()),
    async () => {
      for await (const piece of streaming(input())) if (random() < 0.2) return piece;
      return undefined;
    },
    async () => {
      const options = {
        toolCallId: `${PLANTED} call`,
        messages: [{ role: 'user' as const, content: `${PLANTED} prompt` }],
        context: {},
      };
      return ai['ai.write'].execute?.(Object(input()), options);
    },
    async () => {
      const run = new RunContext({ prompt: `${PLANTED} run context` });
      return pick(...nonEmpty(openai)).invoke(run, JSON.stringify(input()));
    },
    () =>
      client.callTool({
        name: pick('mcp.write', 'mcp.send', `${PLANTED} tool`),
        arguments: input(),
      }),
    async () => {
      const { approvals } = governance.approvals.list({ states: ['pending'], limit: 1 });
      for (const { id } of approvals) {
        const vote = pick('approve', 'approve', 'deny');
        await governance.approvals.vote(id, {
          by: { id: 'olga', role: 'operator' },
          vote,
          via: 'api',
        });
      }
    },
    () =>
      core('core.write').execute(
        { text: 'x' },
        toolContext({ actor: { kind: 'human', id: 'grace' }, rationale: KEPT }),
      ),
  ];
  return async () => {
    await pick(...ways)().catch(() => undefined); // every ending is one to be looked at
  };
}

function nonEmpty<Item>(items: readonly Item[]): [Item, ...Item[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new TypeError('There is nothing to choose from');
  return [first, ...rest];
}
