import type { Tool } from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import type { RunEnding, RunResult } from '../run/result.ts';
import { type SandboxEvents, type Tell, tellListeners } from '../run/run-events.ts';
import type { RunOptions } from '../run/run-options.ts';
import { RunStream } from '../run/run-stream.ts';
import type { Sandbox } from '../sandbox.ts';
import { type FakeProgram, playFakeRun } from './fake-run.ts';

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
    tell: Tell = () => undefined,
  ): Promise<RunResult<z.output<Output>>> {
    const signal = options.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    codes.push(code);
    const program = Object.hasOwn(programs, code) ? programs[code] : undefined;
    if (program === undefined)
      throw new Error(`The fake sandbox has no program for: ${code.slice(0, 200)}`);
    const executionId = `fake-${codes.length}`;
    const playing = playFakeRun(program, {
      executionId,
      input: options.input,
      tools,
      context: {
        signal,
        idempotencyKey: options.idempotencyKey ?? executionId,
        actor: options.actor ?? { kind: 'agent', id: 'sandbox' },
        rationale: options.rationale ?? 'called by code in a sandbox',
        attempt: 1,
      },
      tell: (event) => {
        if (signal.aborted) return; // nothing is heard of a run that was ended
        tellListeners(events, event);
        tell(event);
      },
    });
    // What the test put down is what it says it is.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await orAborted(playing, signal)) as RunResult<z.output<Output>>;
  }

  return {
    codes,
    tools,
    events,
    run: (code, options) => run(code, options),
    stream: (code, options = {}) =>
      new RunStream((left, tell) => {
        const signal = options.signal ? AbortSignal.any([options.signal, left]) : left;
        return run(code, { ...options, signal }, tell);
      }),
    resume: () =>
      Promise.reject(new Error('The fake sandbox pauses nothing, so there is nothing to resume')),
    declarations: () => '',
    report: () => ({
      node: process.versions.node,
      platform: 'fake',
      layers: [],
      network: 'capability-only',
      flags: [],
      startupSnapshot: { isActive: false, details: 'a fake has no process' },
      missingFlags: [],
    }),
    doctor: () => Promise.resolve({ isHealthy: false, checks: [] }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function close(): Promise<void> {
  return Promise.resolve();
}
