import { callThroughGate, type ForeignTool, type GovernOptions } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

/** A tool of the Vercel AI SDK, as far as it matters here. Its name is its key in the tool set. */
export interface AiSdkTool {
  description?: unknown;
  inputSchema?: unknown;
  execute?: (input: unknown, options: unknown) => unknown;
}

export function isAiSdkTool(value: unknown): value is AiSdkTool {
  if (typeof value !== 'object' || value === null || !('inputSchema' in value)) return false;
  const execute: unknown = Reflect.get(value, 'execute');
  return execute === undefined || typeof execute === 'function';
}

/** A tool without `execute` is run by somebody else (the client, the provider), where no gate of ours stands. */
export function governAiSdkTool<T extends AiSdkTool>(
  gate: Gate,
  name: string,
  tool: T,
  options: GovernOptions,
): T {
  const { execute, description, inputSchema } = tool;
  if (!execute) return tool;
  const foreign: ForeignTool = {
    name,
    framework: 'the AI SDK',
    description,
    schema: inputSchema,
  };
  const governed = (input: unknown, call: unknown): unknown =>
    isGenerator(execute)
      ? streamThroughGate(gate, foreign, options, input, (snapshot) =>
          Reflect.apply(execute, tool, [snapshot, call]),
        )
      : callThroughGate(gate, foreign, options, input, async (snapshot) =>
          lastOf(Reflect.apply(execute, tool, [snapshot, call])),
        );
  return { ...tool, execute: governed };
}

function isGenerator(run: object): boolean {
  return Object.prototype.toString.call(run) === '[object AsyncGeneratorFunction]';
}

/** The SDK takes each value of a stream for a preliminary result, and the last for the result. */
async function* streamThroughGate(
  gate: Gate,
  tool: ForeignTool,
  options: GovernOptions,
  input: unknown,
  start: (snapshot: unknown) => unknown,
): AsyncGenerator {
  const values: unknown[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const work = callThroughGate(gate, tool, options, input, async (snapshot) => {
    let last: unknown;
    for await (const value of valuesOf(start(snapshot))) {
      last = value;
      values.push(value);
      wake.resolve();
    }
    return last;
  }).finally(() => {
    isOver = true;
    wake.resolve();
  });
  work.catch(() => undefined); // heard of below, once what came before it was handed on
  for (;;) {
    while (values.length > 0) yield values.shift();
    if (isOver) break;
    await wake.promise;
    wake = Promise.withResolvers<void>();
  }
  await work;
}

async function* valuesOf(result: unknown): AsyncGenerator {
  if (isAsyncIterable(result)) yield* result;
  else yield await result;
}

async function lastOf(result: unknown): Promise<unknown> {
  let last: unknown;
  for await (const value of valuesOf(result)) last = value;
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
