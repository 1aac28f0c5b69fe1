import {
  type Clock,
  type NewId,
  parseOrThrow,
  type Random,
  randomId,
  systemClock,
  systemRandom,
  type Tool,
} from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import { checkSandboxInput } from './check-sandbox-input.ts';
import { declarationsOf } from './declarations/declarations.ts';
import { NotPlainDataError, SandboxClosedError } from './errors.ts';
import { sourceGate } from './guest-source/source-gate.ts';
import { findChildProgram } from './host/child-program.ts';
import { MAX_SESSION_CPU_SECONDS, oncePerRun, sharedBySession } from './host/child-source.ts';
import { type LaunchPlan, type Spawn, systemSpawn } from './host/launch.ts';
import { decideNamespace } from './host/namespace.ts';
import { ChildPool } from './host/pool.ts';
import { indexTools } from './host/refuse-tools.ts';
import { guardAgainstSigusr1 } from './host/sigusr1-guard.ts';
import { Slots } from './host/slots.ts';
import { startupSnapshot } from './host/startup-snapshot.ts';
import { readModules } from './modules-given.ts';
import { moduleNames } from './modules/module-library.ts';
import { SandboxOptions } from './options.ts';
import { encodePlainData } from './protocol/plain-data.ts';
import { type PausedRun, readResumeToken, TOKEN_VERSION } from './replay/resume-token.ts';
import { refuseOtherWorld, type VisibleWorld, visibleWorldOf } from './replay/visible-world.ts';
import { type Diagnosis, diagnose } from './report/doctor.ts';
import { layersOf, type SandboxReport } from './report/report.ts';
import { checkResume, checkRun } from './run/check-run-options.ts';
import type { RunResult } from './run/result.ts';
import { type SandboxEvents, type Tell, tellListeners } from './run/run-events.ts';
import type { ResumeOptions, RunOptions } from './run/run-options.ts';
import { RunRecord } from './run/run-record.ts';
import { RunStream } from './run/run-stream.ts';
import { GLOBAL_SET, type RunWorld, SandboxRun } from './run/sandbox-run.ts';
import type { Sandbox, SandboxInput, SandboxPorts } from './sandbox.ts';
import { FileViolationLog, type ViolationLog } from './violations/violation-log.ts';

/**
 * Makes a place to run code that a model wrote: a process of its own, with nothing but the tools it is handed.
 * @throws {InvalidInputError} When an option is not one, or not what it has to be.
 * @throws {ToolRefusedError} For a tool of tier 4 or of no known tier, of tier 3 without a gate, or one that lacks what a tool has.
 * @throws {IsolationUnavailableError} When `osIsolation` is `require` and this host has no namespaces.
 * @example
 * await using sandbox = await createSandbox({ tools: [findContact] });
 * const result = await sandbox.run('(await tools.crm.contacts.find({ email: input })).id', { input: 'ada@example.com' });
 */
export async function createSandbox(
  input: SandboxInput = {},
  ports: SandboxPorts = {},
): Promise<Sandbox> {
  checkSandboxInput(input, ports);
  return assembleSandbox(input, ports);
}

async function assembleSandbox(
  input: SandboxInput,
  {
    clock = systemClock,
    random = systemRandom,
    spawn = systemSpawn,
    newId = randomId('exec'),
  }: SandboxPorts,
): Promise<ProcessSandbox> {
  const { tools: givenTools = [], modules: allowed = moduleNames, violationLog, ...given } = input;
  const options = parseOrThrow(SandboxOptions, given, 'options of createSandbox');
  const { limits, isolation } = options;
  const tools = indexTools(givenTools, options.allowUngoverned);
  const modules = readModules(allowed, GLOBAL_SET);
  const cpuSeconds = Math.ceil(limits.cpuMs / 1_000) + 3;
  const plan: Omit<LaunchPlan, 'unknownFlags' | 'snapshot'> = {
    inNamespace: await decideNamespace(options.osIsolation),
    program: await findChildProgram(),
    memoryMb: limits.memoryMb,
    cpuSeconds: isolation === 'session' ? cpuSeconds + 2 * MAX_SESSION_CPU_SECONDS : cpuSeconds,
    hardened: options.hardened,
  };
  const pool = new ChildPool({
    spawn,
    size: isolation === 'session' ? 1 : options.poolSize,
    plan,
    snapshot:
      options.startupSnapshot === 'auto'
        ? startupSnapshot({ program: plan.program, hardened: plan.hardened })
        : undefined,
    setup: { type: 'setup', toolNames: [...tools.keys()], modules: modules.programs, limits },
    // The longest text that a value within its limit can become: every character escaped.
    maxFrameBytes:
      6 * Math.max(limits.maxArgumentBytes, limits.maxResultBytes, limits.maxLogBytes) + 65_536,
  });
  pool.fill();
  const children =
    isolation === 'session' ? sharedBySession(pool) : oncePerRun(pool, options.concurrency);
  let runs = 0;
  return new ProcessSandbox({
    options,
    pool,
    world: {
      tools,
      modules,
      limits,
      children,
      slots: new Slots(children.width),
      gate: sourceGate,
      clock,
      nextRun: () => ++runs,
    },
    log: typeof violationLog === 'string' ? new FileViolationLog(violationLog) : violationLog,
    clock,
    random,
    spawn,
    newId,
  });
}

interface SandboxParts {
  options: SandboxOptions;
  pool: ChildPool;
  world: RunWorld;
  log: ViolationLog | undefined;
  clock: Clock;
  random: Random;
  spawn: Spawn;
  newId: NewId;
}

class ProcessSandbox implements Sandbox {
  readonly tools: readonly Tool[];
  readonly events = new EventEmitter<SandboxEvents>();
  readonly #parts: SandboxParts;
  readonly #guard = guardAgainstSigusr1();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #visibleWorld: VisibleWorld | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.tools = [...parts.world.tools.values()];
  }

  async run<Output extends z.ZodType = z.ZodType>(
    code: string,
    options: RunOptions<Output> = {},
  ): Promise<RunResult<z.output<Output>>> {
    checkRun(code, options);
    return this.#start<Output>(this.#beginning(code, options), options);
  }

  stream<Output extends z.ZodType = z.ZodType>(
    code: string,
    options: RunOptions<Output> = {},
  ): RunStream<z.output<Output>> {
    return new RunStream(async (left, tell) => {
      checkRun(code, options);
      const signal = options.signal ? AbortSignal.any([options.signal, left]) : left;
      return this.#start<Output>(this.#beginning(code, options), { ...options, signal }, tell);
    });
  }

  async resume<Output extends z.ZodType = z.ZodType>(
    token: string,
    options: ResumeOptions<Output> = {},
  ): Promise<RunResult<z.output<Output>>> {
    checkResume(token, options);
    const paused = readResumeToken(token);
    refuseOtherWorld(paused.world, this.#visible());
    return this.#start<Output>(paused, options);
  }

  declarations(): string {
    const { tools, modules } = this.#parts.world;
    return declarationsOf([...tools.values()], modules.declarations);
  }

  report(): SandboxReport {
    const { options, pool } = this.#parts;
    return layersOf(options, pool.plan, pool.snapshotDetails);
  }

  /** In a sandbox of its own: what is tried must neither take the limits, nor fill the log, of this one. */
  async doctor(): Promise<Diagnosis> {
    this.#refuseIfClosed();
    const { options, spawn } = this.#parts;
    await using patient = await assembleSandbox(
      { ...options, limits: DOCTOR_LIMITS, poolSize: 1 },
      { spawn },
    );
    this.#refuseIfClosed(); // meanwhile
    const closePatient = (): void => void patient.close();
    const closing = this.#closing.signal;
    closing.addEventListener('abort', closePatient, { once: true });
    try {
      const { pool } = patient.#parts;
      return await this.#untilDone(diagnose(patient, () => pool.plan, spawn));
    } finally {
      closing.removeEventListener('abort', closePatient);
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(
      new SandboxClosedError('The sandbox was closed while the run was under way.'),
    );
    await Promise.allSettled(this.#running);
    this.#parts.world.children.close();
    this.#guard[Symbol.dispose]();
    if (this.#parts.log instanceof FileViolationLog) await this.#parts.log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Made when it is first asked for, and the same for every run. */
  #visible(): VisibleWorld {
    const { tools, modules } = this.#parts.world;
    return (this.#visibleWorld ??= visibleWorldOf(tools, modules));
  }

  /** A new run, as one that was paused before its first step. */
  #beginning(code: string, options: RunOptions): PausedRun {
    const { input, seed, now, language, idempotencyKey } = options;
    const { clock, random, newId } = this.#parts;
    const encoded = encodePlainData(input, { maxSize: MAX_INPUT_CHARS });
    if (!encoded.ok)
      throw new NotPlainDataError(
        `The input of a run has to be plain data: ${encoded.problem.message}`,
      );
    const executionId = newId();
    return {
      version: TOKEN_VERSION,
      executionId,
      keyPrefix: idempotencyKey ?? executionId,
      code,
      ...(language && { language }),
      input: encoded.wire,
      seed: seed ?? Math.floor(random() * 2 ** 32),
      now: now ?? clock.now(),
      answers: [],
      waiting: [],
      world: this.#visible(),
      violationsLogged: 0,
    };
  }

  async #start<Output extends z.ZodType>(
    paused: PausedRun,
    caller: ResumeOptions<Output>,
    tell: Tell = () => undefined,
  ): Promise<RunResult<z.output<Output>>> {
    this.#refuseIfClosed();
    const closing = this.#closing.signal;
    const { world, log, clock } = this.#parts;
    const run = new SandboxRun(world, {
      paused,
      caller,
      signal: caller.signal ? AbortSignal.any([caller.signal, closing]) : closing,
      record: new RunRecord({
        run: paused,
        log,
        clock,
        tell: (event) => {
          tellListeners(this.events, event);
          tell(event);
        },
      }),
    });
    // The value was checked against `output` by then.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await this.#untilDone(run.execute())) as RunResult<z.output<Output>>;
  }

  #refuseIfClosed(): void {
    if (this.#closing.signal.aborted)
      throw new SandboxClosedError('The sandbox is closed; make a new one.');
  }

  /** What `close` waits for. */
  async #untilDone<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

/** The limits that the doctor's bombs reach. */
const DOCTOR_LIMITS = { wallMs: 2_000, cpuMs: 2_000, memoryMb: 128 };
const MAX_INPUT_CHARS = 8_388_608;
