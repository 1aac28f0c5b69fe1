import { describeFailure, extendContext, type Tool, type ToolContext } from '@buddy/core';
import type { LogLevel } from '../protocol/messages.ts';
import { modelText } from '../run/model-text.ts';
import type { CallRecord, LogLine, RunEnding, RunResult } from '../run/result.ts';
import type { Tell } from '../run/run-events.ts';

/** What stands in for a program: called with what the program would find, returns or throws what it would. */
export type FakeProgram = (world: {
  input: unknown;
  callTool: (name: string, input: unknown) => Promise<unknown>;
  /** A line on the console. */
  log: (text: string, level?: LogLevel) => void;
}) => unknown;

export interface FakeRunOptions {
  executionId: string;
  input: unknown;
  tools: readonly Tool[];
  context: ToolContext;
  tell: Tell;
}

/** Plays one program, or ends as it was put down, and tells of it as a sandbox would. */
export async function playFakeRun(
  program: FakeProgram | RunEnding,
  { executionId, input, tools, context, tell }: FakeRunOptions,
): Promise<RunResult> {
  const logs: LogLine[] = [];
  const calls: CallRecord[] = [];
  const now = { executionId, at: 0 };

  const log = (text: string, level: LogLevel = 'log'): void => {
    logs.push({ level, text });
    tell({ type: 'console', level, text, ...now });
  };
  async function callTool(name: string, given: unknown): Promise<unknown> {
    const tool = tools.find((known) => known.name === name);
    if (!tool) throw new Error(`The fake sandbox was handed no tool ${name}`);
    const call: CallRecord = {
      id: calls.length + 1,
      tool: name,
      input: given,
      line: null,
      status: 'unanswered',
      error: null,
      durationMs: 0,
      isReplayed: false,
    };
    calls.push(call);
    tell({ type: 'toolCallStarted', call: { ...call }, ...now });
    try {
      const idempotencyKey = `${context.idempotencyKey}:${call.id}`;
      const output = await tool.execute(given, extendContext(context, { idempotencyKey }));
      call.status = 'ok';
      return output;
    } catch (error) {
      call.status = 'error';
      call.error = describeFailure(error).message;
      throw error;
    } finally {
      tell({ type: 'toolCallEnded', call: { ...call }, ...now });
    }
  }

  const ending = typeof program === 'function' ? await endingOf(program, input) : program;
  const violations = ending.status === 'violation' ? [ending.violation] : [];
  for (const violation of violations) tell({ type: 'violated', violation, ...now });
  const result: RunResult = {
    executionId,
    logs,
    calls,
    violations,
    usage: { wallMs: 0, cpuMs: 0, peakMb: 0, toolCalls: calls.length },
    toModelText: () => modelText(ending, { logs, calls }),
    ...ending,
  };
  tell({ type: 'runEnded', status: ending.status, result, ...now });
  return result;

  async function endingOf(play: FakeProgram, given: unknown): Promise<RunEnding> {
    try {
      return { status: 'ok', value: await play({ input: given, callTool, log }) };
    } catch (thrown) {
      const { name, message } = describeFailure(thrown);
      return {
        status: 'error',
        error: { kind: 'runtime', name, message, line: null, column: null, frame: '', hint: '' },
      };
    }
  }
}
