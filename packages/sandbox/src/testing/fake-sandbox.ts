import type { Tool } from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import { declarationsOf } from '../declarations/declarations.ts';
import { NotPlainDataError, SandboxClosedError } from '../errors.ts';
import { moduleDeclarations, moduleNames } from '../modules/module-library.ts';
import { SandboxOptions } from '../options.ts';
import { encodePlainData } from '../protocol/plain-data.ts';
import { type PausedRun, readResumeToken, TOKEN_VERSION } from '../replay/resume-token.ts';
import { refuseOtherWorld, visibleWorldOf } from '../replay/visible-world.ts';
import { layersOf } from '../report/report.ts';
import type { RunEnding, RunResult } from '../run/result.ts';
import { type SandboxEvents, type Tell, tellListeners } from '../run/run-events.ts';
import type { ResumeOptions, RunOptions } from '../run/run-options.ts';
import { RunStream } from '../run/run-stream.ts';
import type { Sandbox } from '../sandbox.ts';
import { type FakeProgram, playFakeRun } from './fake-run.ts';

export interface FakeSandbox extends Sandbox {
  /** The code of every run, in order. */
  readonly codes: readonly string[];
}

/**
 * A sandbox without a process and without protection, for tests of what uses a sandbox: it runs no code, but what was put
 * down for that code. Approvals, denials, `output`, `resume` and `close` work as in a real one; limits do not.
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
  const closing = new AbortController();
  const world = visibleWorldOf(new Map(tools.map((tool) => [tool.name, tool])), { programs: {} });

  function beginning(code: string, { input, seed, now, idempotencyKey }: RunOptions): PausedRun {
    const encoded = encodePlainData(input, { maxSize: MAX_INPUT_CHARS });
    if (!encoded.ok)
      throw new NotPlainDataError(
        `The input of a run has to be plain data: ${encoded.problem.message}`,
      );
    const executionId = `fake-${codes.length + 1}`;
    return {
      version: TOKEN_VERSION,
      executionId,
      keyPrefix: idempotencyKey ?? executionId,
      code,
      input: encoded.wire,
      seed: seed ?? 0,
      now: now ?? 0,
      answers: [],
      waiting: [],
      world,
      violationsLogged: 0,
    };
  }

  async function play<Output extends z.ZodType>(
    paused: PausedRun,
    options: ResumeOptions<Output>,
    tell: Tell = () => undefined,
  ): Promise<RunResult<z.output<Output>>> {
    refuseIfClosed();
    const { code, keyPrefix } = paused;
    const signal = options.signal
      ? AbortSignal.any([options.signal, closing.signal])
      : closing.signal;
    signal.throwIfAborted();
    codes.push(code);
    const program = Object.hasOwn(programs, code) ? programs[code] : undefined;
    if (program === undefined)
      throw new Error(`The fake sandbox has no program for: ${code.slice(0, 200)}`);
    const playing = playFakeRun(program, {
      paused,
      output: options.output,
      tools,
      context: {
        signal,
        idempotencyKey: keyPrefix,
        actor: options.actor ?? { kind: 'agent', id: 'sandbox' },
        rationale: options.rationale ?? 'called by code in a sandbox',
        attempt: 1,
        ...(options.runId !== undefined && { runId: options.runId }),
        ...(options.taskId !== undefined && { taskId: options.taskId }),
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

  function refuseIfClosed(): void {
    if (closing.signal.aborted)
      throw new SandboxClosedError('The sandbox is closed; make a new one.');
  }

  async function close(): Promise<void> {
    closing.abort(new SandboxClosedError('The sandbox was closed while the run was under way.'));
  }

  return {
    codes,
    tools,
    events,
    run: async (code, options = {}) => play(beginning(code, options), options),
    stream: (code, options = {}) =>
      new RunStream(async (left, tell) => {
        const signal = options.signal ? AbortSignal.any([options.signal, left]) : left;
        return play(beginning(code, options), { ...options, signal }, tell);
      }),
    resume: async (token, options = {}) => {
      const paused = readResumeToken(token);
      refuseOtherWorld(paused.world, world);
      return play(paused, options);
    },
    declarations: () =>
      declarationsOf(
        tools,
        moduleNames.map((name) => moduleDeclarations[name] ?? ''),
      ),
    report: () => ({
      node: process.versions.node,
      platform: 'fake',
      layers: layersOf(SandboxOptions.parse({}), NO_PROCESS, '').layers.map((layer) => ({
        ...layer,
        isActive: false,
        by: 'a fake has no process and protects from nothing',
      })),
      network: 'capability-only',
      flags: [],
      startupSnapshot: { isActive: false, details: 'a fake has no process' },
      missingFlags: [],
    }),
    doctor: async () => {
      refuseIfClosed();
      return { isHealthy: false, checks: [] };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const MAX_INPUT_CHARS = 8_388_608;
const NO_PROCESS = {
  program: '',
  memoryMb: 0,
  cpuSeconds: 0,
  hardened: false,
  inNamespace: false,
  unknownFlags: new Set<string>(),
};

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
