import { describeFailure, type Tool, type ToolContext } from '@buddy/core';
import { z } from 'zod';
import type { LogLevel } from '../protocol/messages.ts';
import { decodePlainData } from '../protocol/plain-data.ts';
import { type PausedRun, writeResumeToken } from '../replay/resume-token.ts';
import { modelText } from '../run/model-text.ts';
import type { GuestError, LogLine, RunEnding, RunResult } from '../run/result.ts';
import type { Tell } from '../run/run-events.ts';
import type { Violation } from '../violations/violation.ts';
import { FakeCalls } from './fake-calls.ts';

/** What stands in for a program: called with what the program would find, returns or throws what it would. */
export type FakeProgram = (world: {
  input: unknown;
  callTool: (name: string, input: unknown) => Promise<unknown>;
  /** A line on the console. */
  log: (text: string, level?: LogLevel) => void;
}) => unknown;

export interface FakeRunOptions {
  paused: PausedRun;
  output: z.ZodType | undefined;
  tools: readonly Tool[];
  context: ToolContext;
  tell: Tell;
}

/** Plays one program, or ends as it was put down, and tells of it as a sandbox would. */
export async function playFakeRun(
  program: FakeProgram | RunEnding,
  { paused, output, tools, context, tell }: FakeRunOptions,
): Promise<RunResult> {
  const { executionId } = paused;
  const logs: LogLine[] = [];
  const violations: Violation[] = [];
  const now = { executionId, at: 0 };
  const calls = new FakeCalls({
    tools,
    context,
    recorded: paused.answers,
    started: (call) => tell({ type: 'toolCallStarted', call: { ...call }, ...now }),
    ended: (call) => tell({ type: 'toolCallEnded', call: { ...call }, ...now }),
    denied: violated,
  });

  const ending = typeof program === 'function' ? await play(program) : program;
  if (typeof program !== 'function' && program.status === 'violation') violated(program.violation);
  const result: RunResult = {
    executionId,
    logs,
    calls: calls.records,
    violations,
    usage: { wallMs: 0, cpuMs: 0, peakMb: 0, toolCalls: calls.records.length },
    toModelText: () => modelText(ending, { logs, calls: calls.records }),
    ...ending,
  };
  tell({ type: 'runEnded', status: ending.status, result, ...now });
  return result;

  function violated(violation: Violation): void {
    violations.push(violation);
    if (violations.length > paused.violationsLogged) tell({ type: 'violated', violation, ...now });
  }

  function log(text: string, level: LogLevel = 'log'): void {
    logs.push({ level, text });
    tell({ type: 'console', level, text, ...now });
  }

  function play(stand: FakeProgram): Promise<RunEnding> {
    return Promise.race([
      calls.paused().then(() => ({
        status: 'paused' as const,
        pending: calls.pending,
        token: writeResumeToken({
          ...paused,
          answers: calls.answers,
          waiting: calls.waiting,
          violationsLogged: violations.length,
        }),
      })),
      endingOf(stand),
    ]);
  }

  async function endingOf(stand: FakeProgram): Promise<RunEnding> {
    const input = decodePlainData(paused.input, { maxSize: Infinity });
    try {
      const callTool = calls.call.bind(calls);
      return checked(await stand({ input: input.ok ? input.value : undefined, callTool, log }));
    } catch (thrown) {
      const { name, message } = describeFailure(thrown);
      const violation = calls.violationOf(thrown);
      const error = errorOf(violation ? 'violation' : 'runtime', name, message);
      return violation ? { status: 'violation', violation, error } : { status: 'error', error };
    }
  }

  function checked(value: unknown): RunEnding {
    const parsed = output?.safeParse(value) ?? { success: true, data: value };
    if (parsed.success) return { status: 'ok', value: parsed.data };
    const message = `The value does not fit what was asked for:\n${z.prettifyError(parsed.error)}`;
    return { status: 'error', error: errorOf('result', 'ResultError', message) };
  }
}

function errorOf(kind: GuestError['kind'], name: string, message: string): GuestError {
  return { kind, name, message, line: null, column: null, frame: '', hint: '' };
}
