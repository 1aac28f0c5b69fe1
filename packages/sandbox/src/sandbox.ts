import type { Clock, NewId, Random, Tool } from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import type { Spawn } from './host/launch.ts';
import type { ModuleInput } from './modules-given.ts';
import type { SandboxOptionsInput } from './options.ts';
import type { Diagnosis } from './report/doctor.ts';
import type { SandboxReport } from './report/report.ts';
import type { RunResult } from './run/result.ts';
import type { SandboxEvents } from './run/run-events.ts';
import type { ResumeOptions, RunOptions } from './run/run-options.ts';
import type { RunStream } from './run/run-stream.ts';
import type { ViolationLog } from './violations/violation-log.ts';

export interface SandboxInput extends SandboxOptionsInput {
  /** What the code may do to the world. Default nothing. */
  tools?: readonly Tool[];
  /** What the code may import. Default the whole library. */
  modules?: readonly ModuleInput[];
  /** Where violations are kept: a path of a JSON Lines file, or a log of one's own. Default nowhere; see also `events`. */
  violationLog?: string | ViolationLog;
}

export interface SandboxPorts {
  clock?: Clock;
  /** Seeds of runs that are given none. */
  random?: Random;
  spawn?: Spawn;
  newId?: NewId;
}

export interface Sandbox extends AsyncDisposable {
  /** What code may do to the world. */
  readonly tools: readonly Tool[];
  readonly events: EventEmitter<SandboxEvents>;
  /**
   * Runs code. Whatever the code does is in the result; rejects only when the caller is at fault, or the signal aborts.
   * @throws {InvalidInputError} When the code is no text or an option is not what it has to be; nothing has run.
   */
  run<Output extends z.ZodType = z.ZodType>(
    code: string,
    options?: RunOptions<Output>,
  ): Promise<RunResult<z.output<Output>>>;
  /**
   * Runs code and yields what happens while it happens: lines of the console, tool calls, violations, and at last `runEnded`
   * with the result. The run begins when the first event is asked for; leaving the loop early ends it by abort. Throws
   * where `run` would reject.
   * @example
   * for await (const event of sandbox.stream(code)) {
   *   if (event.type === 'console') process.stdout.write(`${event.text}\n`);
   *   if (event.type === 'runEnded') answer(event.result.toModelText());
   * }
   */
  stream<Output extends z.ZodType = z.ZodType>(
    code: string,
    options?: RunOptions<Output>,
  ): RunStream<z.output<Output>>;
  /**
   * Goes on with a run that was paused, in this process or another: runs it again with the same clock, chance and answers,
   * as far as it had come, and asks the tool again that had to wait, with the same idempotency key.
   * @throws {ResumeTokenError} When the token is damaged or of another version, or the run saw other tools or modules than
   * there are here; nothing has run by then.
   * @throws {InvalidInputError} When the token is no text or an option is not what it has to be.
   */
  resume<Output extends z.ZodType = z.ZodType>(
    token: string,
    options?: ResumeOptions<Output>,
  ): Promise<RunResult<z.output<Output>>>;
  /** TypeScript declarations of all that code finds here, for a prompt. */
  declarations(): string;
  /** Which layers stand between code and this machine. */
  report(): SandboxReport;
  /**
   * Tries each layer on this machine, from inside a child that nothing but the layer holds back. With this sandbox's
   * isolation, but limits of its own (2 s, 128 MB), and without its log and its events. Takes some seconds.
   */
  doctor(): Promise<Diagnosis>;
  close(): Promise<void>;
}
