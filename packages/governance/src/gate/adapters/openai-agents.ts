import { describeFailure } from '@buddy/core';
import type { Misfit } from '../call.ts';
import { callThroughGate, type GovernOptions, signalIn } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';
import { argumentsCheck } from './arguments-check.ts';
import { copyWith } from './copy-with.ts';

/** A function tool of the OpenAI Agents SDK, as far as it matters here. Its arguments come as JSON text. */
export interface OpenAiAgentsTool {
  type: 'function';
  name: string;
  description?: unknown;
  parameters?: unknown;
  strict?: unknown;
  invoke: (runContext: unknown, input: string, details?: unknown) => Promise<unknown>;
}

export function isOpenAiAgentsTool(value: unknown): value is OpenAiAgentsTool {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'type') === 'function' &&
    typeof Reflect.get(value, 'name') === 'string' &&
    typeof Reflect.get(value, 'invoke') === 'function'
  );
}

/**
 * In this framework a tool that throws ends the run; what went wrong with a call is an answer to the model. So a refusal is
 * one too: its code and what to do.
 */
export function governOpenAiAgentsTool<T extends OpenAiAgentsTool>(
  gate: Gate,
  tool: T,
  options: GovernOptions,
): T {
  const { name, description, parameters } = tool;
  const { invoke: run } = tool;
  const foreign = { name, description, schema: parameters };
  const check = tool.strict === true ? argumentsCheck(name, parameters) : undefined;
  const invoke = async (runContext: unknown, text: string, details?: unknown): Promise<unknown> => {
    const given = parsed(text);
    let misfit: Misfit;
    const call = {
      input: given.value,
      context: runContext,
      signal: signalIn(details, 'signal'),
      ...(check && { findMisfit: (snapshot: unknown) => (misfit = check(snapshot)) }),
    };
    const perform = async (snapshot: unknown): Promise<unknown> => {
      const checked = given.isJson ? JSON.stringify(snapshot) : text;
      return Reflect.apply(run, tool, [runContext, checked, details]);
    };
    try {
      return await callThroughGate(gate, foreign, options, call, perform);
    } catch (error) {
      const { code, message } = describeFailure(error);
      if (error !== misfit && !REFUSALS.has(code)) throw error;
      return `${code}: ${message}`;
    }
  };
  return copyWith(tool, { invoke });
}

const REFUSALS: ReadonlySet<string> = new Set([
  'CORE_TOOL_DENIED',
  'CORE_APPROVAL_REQUIRED',
  'GOVERNANCE_UNAVAILABLE',
]);

/** What is no JSON is decided on as the text that it is: a tool made by hand may take it. */
function parsed(text: string): { isJson: boolean; value: unknown } {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    return { isJson: true, value };
  } catch {
    return { isJson: false, value: text };
  }
}
