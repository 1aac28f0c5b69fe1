import {
  callThroughGate,
  type ForeignTool,
  type GovernOptions,
  signalIn,
} from '../foreign-call.ts';
import type { Gate } from '../gate.ts';
import { copyWith } from './copy-with.ts';
import {
  isAsyncGeneratorFunction,
  isAsyncIterable,
  streamThroughGate,
} from './stream-through-gate.ts';

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
  const foreign: ForeignTool = { name, description, schema: inputSchema };
  const start = (context: unknown) => (snapshot: unknown) =>
    Reflect.apply(execute, tool, [snapshot, context]);
  const governed = (input: unknown, context: unknown): unknown => {
    // The SDK has held the arguments against the schema: what does not fit never comes here.
    const call = { input, context, signal: signalIn(context, 'abortSignal') };
    // The SDK takes each value of a stream for a preliminary result, and the last for the result.
    return isAsyncGeneratorFunction(execute)
      ? streamThroughGate(gate, foreign, options, call, start(context))
      : callThroughGate(gate, foreign, options, call, async (snapshot) =>
          lastOf(start(context)(snapshot)),
        );
  };
  return copyWith(tool, { execute: governed });
}

/** Of a stream that a function without a star made: one has to answer before it is known that there is one. */
async function lastOf(result: unknown): Promise<unknown> {
  if (!isAsyncIterable(result)) return result;
  let last: unknown;
  for await (const value of result) last = value;
  return last;
}
