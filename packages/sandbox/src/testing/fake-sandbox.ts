import type { Tool, ToolContext } from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import { modelText } from '../run/model-text.ts';
import type { RunEnding, RunResult } from '../run/result.ts';
import type { SandboxEvents } from '../run/run-events.ts';
import type { RunOptions } from '../run/run-options.ts';
import type { Sandbox } from '../sandbox.ts';

/** What stands in for a program: called with what the program would find, returns or throws what it would. */
export type FakeProgram = (world: {
  input: unknown;
  callTool: (name: string, input: unknown) => Promise<unknown>;
}) => unknown;

export interface FakeSandbox extends Sandbox {
  /** The code of every run, in order. */
  readonly codes: readonly string[];
}

/**
 * A sandbox without a process and without protection, for tests of what uses a sandbox: it runs no code, but what was put
 * down for that code.
 * @param programs By the code they stand for: a function, or the ending itself (`{ status: 'limit', … }`).
 * @throws {Error} From `run`, for code that nothing was put down for.
 * @example
 * const sandbox = createFakeSandbox({ '1 + 1': () => 2 });
 * await sandbox.run('1 + 1'); // { status: 'ok', value: 2, … }
 */
export function createFakeSandbox(
  programs: Readonly<Record<string, FakeProgram | RunEnding>>,
  { tools = [] }: { tools?: readonly Tool[] } = {},
): FakeSandbox {
  const codes: string[] = [];
  const events = new EventEmitter<SandboxEvents>();

  async function run<Output extends z.ZodType = z.ZodType>(
    code: string,
    options: RunOptions<Output> = {},
  ): Promise<RunResult<z.output<Output>>> {
    options.signal?.throwIfAborted();
    codes.push(code);
    const program = Object.hasOwn(programs, code) ? programs[code] : undefined;
    if (program === undefined)
      throw new Error(`The fake sandbox has no program for: ${code.slice(0, 200)}`);
    const executionId = `fake-${codes.length}`;
    const ending =
      typeof program === 'function' ? await endingOf(program, options, executionId) : program;
    const result = {
      executionId,
      logs: [],
      calls: [],
      violations: ending.status === 'violation' ? [ending.violation] : [],
      usage: { wallMs: 0, cpuMs: 0, peakMb: 0, toolCalls: 0 },
      toModelText: () => modelText(ending, { logs: [] }),
      ...ending,
    };
    // What the test put down is what it says it is.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return result as RunResult<z.output<Output>>;
  }

  async function endingOf(
    program: FakeProgram,
    options: RunOptions,
    executionId: string,
  ): Promise<RunEnding> {
    const context: ToolContext = {
      signal: options.signal ?? new AbortController().signal,
      idempotencyKey: options.idempotencyKey ?? executionId,
      actor: options.actor ?? { kind: 'agent', id: 'sandbox' },
      rationale: options.rationale ?? 'called by code in a sandbox',
      attempt: 1,
    };
    const callTool = async (name: string, input: unknown): Promise<unknown> => {
      const tool = tools.find((known) => known.name === name);
      if (!tool) throw new Error(`The fake sandbox was handed no tool ${name}`);
      return tool.execute(input, context);
    };
    try {
      return { status: 'ok', value: await program({ input: options.input, callTool }) };
    } catch (thrown) {
      const { name, message } =
        thrown instanceof Error ? thrown : { name: 'Thrown', message: String(thrown) };
      return {
        status: 'error',
        error: { kind: 'runtime', name, message, line: null, column: null, frame: '', hint: '' },
      };
    }
  }

  return {
    codes,
    events,
    run,
    resume: () =>
      Promise.reject(new Error('The fake sandbox pauses nothing, so there is nothing to resume')),
    declarations: () => '',
    report: () => ({
      node: process.versions.node,
      platform: 'fake',
      layers: [],
      network: 'capability-only',
      flags: [],
      missingFlags: [],
    }),
    doctor: () => Promise.resolve({ isHealthy: false, checks: [] }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function close(): Promise<void> {
  return Promise.resolve();
}
