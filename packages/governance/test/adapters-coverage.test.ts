import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { invokeFunctionTool, RunContext, tool as openAiTool } from '@openai/agents-core';
import { BuddyError, defineTool, toolContext } from '@buddy/core';
import { tool as aiTool } from 'ai';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openWorld, type World } from './adapters/world.ts';

const ADAPTERS = ['core', 'function', 'ai-sdk', 'openai', 'mcp'] as const;
const BEHAVIOURS = ['ok', 'throw', 'abort', 'stream', 'nested'] as const;
const TIERS = [1, 2, 3] as const;
type Adapter = (typeof ADAPTERS)[number];
type Behaviour = (typeof BEHAVIOURS)[number];

const Named = z.object({ to: z.string() });
type Named = z.output<typeof Named>;

const POLICY = `
version: 1
rules:
  - { id: one, when: { action: ["*.one", "*_one"] }, tier: 1, allow: true }
  - { id: two, when: { action: ["*.two", "*_two"] }, tier: 2, allow: true }
  - { id: three, when: { action: ["*.three", "*_three"] }, tier: 3, allow: true }
`;
const NAMES = { 1: 'one', 2: 'two', 3: 'three' } as const;

class AbortedError extends BuddyError {
  readonly code = 'TEST_ABORTED';
}

/** What every tool does, whoever calls it: how often it did is counted where no gate can be wrong about it. */
function worldly(world: World) {
  const ran = { 1: 0, 2: 0, 3: 0 };
  const inside = { ran: 0 };
  const nested = world.withGate(
    async (_input: Named) => {
      ran[2] += 1;
      inside.ran += 1;
      return 'inside';
    },
    { name: 'nested.two' },
  );
  const run = async (
    tier: 1 | 2 | 3,
    behaviour: Behaviour,
    input: Named,
    signal: AbortSignal,
  ): Promise<string> => {
    ran[tier] += 1;
    switch (behaviour) {
      case 'ok':
      case 'stream':
        return input.to;
      case 'throw':
        throw new Error('lost');
      case 'abort':
        return new Promise((_resolve, reject) => {
          const stop = () => reject(new AbortedError('aborted', { effect: 'unknown' }));
          if (signal.aborted) stop();
          else signal.addEventListener('abort', stop, { once: true });
        });
      case 'nested':
        return nested(input);
    }
  };
  return { ran, inside, run };
}

type Call = (tier: 1 | 2 | 3, behaviour: Behaviour, to: string) => Promise<unknown>;

/** A signal that is aborted in a moment. */
function soon(): AbortSignal {
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  return controller.signal;
}

async function drained(stream: AsyncIterable<unknown>): Promise<unknown> {
  let last: unknown;
  for await (const piece of stream) last = piece;
  return last;
}

/** One way to call through each framework; a signal that is about to be aborted goes with each. */
async function callers(world: World): Promise<{
  ran: Record<1 | 2 | 3, number>;
  inside: { ran: number };
  call: Record<Adapter, Call>;
}> {
  const { ran, inside, run } = worldly(world);
  const governance = { govern: world.withGate };
  async function* pieces(tier: 1 | 2 | 3, behaviour: Behaviour, input: Named, signal: AbortSignal) {
    yield 'a piece';
    yield run(tier, behaviour, input, signal);
  }
  const server = governance.govern(new McpServer({ name: 'test', version: '1.0.0' }));
  const client = new Client({ name: 'test', version: '1.0.0' });
  for (const tier of TIERS) {
    for (const behaviour of BEHAVIOURS) {
      server.registerTool(
        `mcp-${behaviour}.${NAMES[tier]}`,
        { inputSchema: Named },
        async (input) => ({
          content: [{ type: 'text', text: await run(tier, behaviour, input, soon()) }],
        }),
      );
    }
  }
  const [one, other] = InMemoryTransport.createLinkedPair();
  await server.connect(one);
  await client.connect(other);
  const call: Record<Adapter, Call> = {
    core: (tier, behaviour, to) => {
      const governed = governance.govern(
        defineTool({
          name: `core.${NAMES[tier]}`,
          description: 'Does it.',
          tier,
          input: Named,
          output: z.string(),
          execute: (input, { signal }) => run(tier, behaviour, input, signal),
        }),
      );
      const actor = { kind: 'agent', id: 'ada' } as const;
      return governed.execute(
        { to },
        toolContext({ actor, signal: soon(), rationale: 'asked by the test' }),
      );
    },
    function: (tier, behaviour, to) => {
      const name = `function.${NAMES[tier]}`;
      if (behaviour !== 'stream') {
        const plain = (input: Named) => run(tier, behaviour, input, soon());
        return governance.govern(plain, { name })({ to });
      }
      async function* stream(input: Named) {
        yield* pieces(tier, 'stream', input, soon());
      }
      return drained(governance.govern(stream, { name })({ to }));
    },
    'ai-sdk': async (tier, behaviour, to) => {
      const name = `ai.${NAMES[tier]}`;
      const made =
        behaviour === 'stream'
          ? aiTool({
              inputSchema: Named,
              async *execute(input: Named, { abortSignal = soon() }) {
                yield* pieces(tier, 'stream', input, abortSignal);
              },
            })
          : aiTool({
              inputSchema: Named,
              execute: (input: Named, { abortSignal = soon() }) =>
                run(tier, behaviour, input, abortSignal),
            });
      const governed = governance.govern({ [name]: made })[name];
      const options = { toolCallId: 'call-1', messages: [], abortSignal: soon() };
      const result: unknown = Reflect.apply(Object(governed).execute, governed, [{ to }, options]);
      return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
        ? drained({
            [Symbol.asyncIterator]: () =>
              Reflect.apply(Object(result)[Symbol.asyncIterator], result, []),
          })
        : result;
    },
    openai: (tier, behaviour, to) =>
      invokeFunctionTool({
        tool: governance.govern(
          openAiTool({
            name: `openai_${NAMES[tier]}`,
            description: 'Does it.',
            parameters: Named,
            execute: (input, _context, details) =>
              run(tier, behaviour, input, details?.signal ?? soon()),
          }),
        ),
        runContext: new RunContext(),
        input: JSON.stringify({ to }),
        details: { signal: soon() },
      }),
    mcp: (tier, behaviour, to) =>
      client.callTool({ name: `mcp-${behaviour}.${NAMES[tier]}`, arguments: { to } }),
  };
  return { ran, inside, call };
}

const CALLS = Number(process.env['BUDDY_COVERAGE_CALLS'] ?? 2_000);

it(`writes an intent for each of ${CALLS} calls that is made, through every framework and however they end`, async () => {
  await using world = await openWorld(POLICY);
  const { ran, inside, call } = await callers(world);
  const calls = fc.sample(
    fc.tuple(
      fc.constantFrom(...ADAPTERS),
      fc.constantFrom(...TIERS),
      fc.constantFrom(...BEHAVIOURS),
      fc.string({ maxLength: 10 }),
    ),
    { numRuns: CALLS, seed: 7 },
  );
  // Sixty-four agents at a time.
  const waiting = calls.entries();
  const worker = async () => {
    for (const [, [adapter, tier, behaviour, to]] of waiting) {
      await Promise.allSettled([call[adapter](tier, behaviour, to)]);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  const { executed, intents } = world.governance.coverage();
  expect(executed).toEqual(ran);
  expect(intents).toEqual(ran);
  const total = ran[1] + ran[2] + ran[3];
  // Each was made, or nobody waited for it any more when its turn came, and the log says so.
  const aborted = countOf(world, 'refusal');
  expect(total - inside.ran + aborted[1] + aborted[2] + aborted[3]).toBe(CALLS);
  expect(countOf(world, 'intent')).toEqual({ ...ran, 4: 0 });
  expect(countOf(world, 'outcome')).toEqual({ ...ran, 4: 0 });
}, 120_000);

/** What the log itself holds, read page by page. */
function countOf({ governance }: World, kind: 'intent' | 'outcome' | 'refusal') {
  const counts = { 1: 0, 2: 0, 3: 0, 4: 0 };
  let after: string | undefined;
  do {
    const page = governance.audit.query({
      kind,
      limit: 1_000,
      ...(after !== undefined && { after }),
    });
    for (const entry of page.entries) {
      if (entry.kind !== kind) continue;
      if (entry.kind !== 'refusal' || entry.reasonCode === 'CALL_ABORTED') counts[entry.tier] += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return counts;
}
