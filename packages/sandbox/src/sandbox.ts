import {
  type Actor,
  type Clock,
  type NewId,
  parseOrThrow,
  type Random,
  randomId,
  seededRandom,
  systemClock,
  systemRandom,
  type Tool,
} from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { z } from 'zod';
import { declarationsOf } from './declarations/declarations.ts';
import { SandboxClosedError, NotPlainDataError } from './errors.ts';
import { GUEST_GLOBALS } from './guest-globals.ts';
import { prepareGuestSource } from './guest-source/prepare-guest-source.ts';
import type { ReadySource } from './guest-source/guest-source.ts';
import { findChildProgram } from './host/child-program.ts';
import {
  type ChildSource,
  MAX_SESSION_CPU_SECONDS,
  oncePerRun,
  sharedBySession,
} from './host/child-source.ts';
import { Conversation, type ConversationReport } from './host/conversation.ts';
import { type LaunchPlan, type Spawn, systemSpawn } from './host/launch.ts';
import { decideNamespace } from './host/namespace.ts';
import { ChildPool } from './host/pool.ts';
import { indexTools } from './host/refuse-tools.ts';
import { guardAgainstSigusr1 } from './host/sigusr1-guard.ts';
import { Slots } from './host/slots.ts';
import { type GivenModules, type ModuleInput, readModules } from './modules-given.ts';
import { moduleNames } from './modules/module-library.ts';
import { SandboxOptions, type SandboxOptionsInput } from './options.ts';
import { encodePlainData } from './protocol/plain-data.ts';
import { readResumeToken, writeResumeToken, type PausedRun } from './replay/resume-token.ts';
import { type Diagnosis, diagnose } from './report/doctor.ts';
import { layersOf, type SandboxReport } from './report/report.ts';
import { endingOf, positionedAt } from './run/ending.ts';
import { modelText } from './run/model-text.ts';
import type { CallRecord, LogLine, RunEnding, RunFacts, RunResult } from './run/result.ts';
import type { Violation } from './violations/violation.ts';
import {
  FileViolationLog,
  type ViolationLog,
  violationRecord,
} from './violations/violation-log.ts';

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

export interface RunOptions<Output extends z.ZodType = z.ZodType> {
  /** Plain data, which the code finds as `input`. */
  input?: unknown;
  /** Ends the run; `run` rejects with its reason. */
  signal?: AbortSignal;
  /** Of `Math.random`; a run with the same seed draws the same numbers. Default one that nobody can foresee. */
  seed?: string | number;
  /** What `Date.now()` is at first, in ms since the Unix epoch. Default the clock's time. */
  now?: number;
  /** What the value has to be; another is an error of kind `result`. */
  output?: Output;
  /** Default: JavaScript, and TypeScript where it is not that. */
  language?: 'javascript' | 'typescript';
  /** What tools are told of who calls. Default the agent `sandbox`. */
  actor?: Actor;
  rationale?: string;
  runId?: string;
  taskId?: string;
  /** What the idempotency keys of tool calls begin with: the same for every attempt at the same work. Default the execution id. */
  idempotencyKey?: string;
}

export interface SandboxEvents {
  console: [event: LogLine & { executionId: string; at: number }];
  toolCallStarted: [event: { executionId: string; call: CallRecord; at: number }];
  toolCallEnded: [event: { executionId: string; call: CallRecord; at: number }];
  violated: [event: { executionId: string; violation: Violation; at: number }];
  runEnded: [
    event: { executionId: string; status: RunResult['status']; result: RunResult; at: number },
  ];
}

export interface Sandbox extends AsyncDisposable {
  /** What code may do to the world. */
  readonly tools: readonly Tool[];
  readonly events: EventEmitter<SandboxEvents>;
  /** Runs code. Whatever the code does is in the result; rejects only when the caller is at fault, or the signal aborts. */
  run<Output extends z.ZodType = z.ZodType>(
    code: string,
    options?: RunOptions<Output>,
  ): Promise<RunResult<z.output<Output>>>;
  /**
   * Goes on with a run that was paused, in this process or another: runs it again with the same clock, chance and answers,
   * as far as it had come, and asks the tool again that had to wait, with the same idempotency key.
   * @throws {ResumeTokenError} When the token is damaged.
   */
  resume<Output extends z.ZodType = z.ZodType>(
    token: string,
    options?: Pick<
      RunOptions<Output>,
      'signal' | 'output' | 'actor' | 'rationale' | 'runId' | 'taskId'
    >,
  ): Promise<RunResult<z.output<Output>>>;
  /** TypeScript declarations of all that code finds here, for a prompt. */
  declarations(): string;
  /** Which layers stand between code and this machine. */
  report(): SandboxReport;
  /** Tries each layer on this machine, from inside a child that nothing but the layer holds back. */
  doctor(): Promise<Diagnosis>;
  close(): Promise<void>;
}

/**
 * Makes a place to run code that a model wrote: a process of its own, with nothing but the tools it is handed.
 * @throws {ToolRefusedError} For a tool of tier 4, or of tier 3 without a gate.
 * @throws {IsolationUnavailableError} When `osIsolation` is `require` and this host has no namespaces.
 * @example
 * await using sandbox = await createSandbox({ tools: [findContact] });
 * const result = await sandbox.run('(await tools.crm.contacts.find({ email: input })).id', { input: 'ada@example.com' });
 */
export async function createSandbox(
  input: SandboxInput = {},
  ports: SandboxPorts = {},
): Promise<Sandbox> {
  const { tools = [], modules = moduleNames, violationLog, ...given } = input;
  const options = parseOrThrow(SandboxOptions, given, 'options of createSandbox');
  const toolIndex = indexTools(tools, options.allowUngoverned);
  const givenModules = readModules(modules, GLOBAL_SET);
  const inNamespace = await decideNamespace(options.osIsolation);
  const { limits, isolation } = options;
  const cpuSeconds = Math.ceil(limits.cpuMs / 1_000) + 3;
  const plan: Omit<LaunchPlan, 'unknownFlags'> = {
    program: await findChildProgram(),
    memoryMb: limits.memoryMb,
    cpuSeconds: isolation === 'session' ? cpuSeconds + 2 * MAX_SESSION_CPU_SECONDS : cpuSeconds,
    hardened: options.hardened,
    inNamespace,
  };
  const pool = new ChildPool({
    spawn: ports.spawn ?? systemSpawn,
    size: isolation === 'session' ? 1 : options.poolSize,
    plan,
    setup: {
      type: 'setup',
      toolNames: [...toolIndex.keys()],
      modules: givenModules.programs,
      limits,
    },
    // The longest text that a value within its limit can become: every character escaped.
    maxFrameBytes:
      6 * Math.max(limits.maxArgumentBytes, limits.maxResultBytes, limits.maxLogBytes) + 65_536,
  });
  pool.fill();
  return new ProcessSandbox({
    options,
    tools: toolIndex,
    modules: givenModules,
    plan,
    pool,
    children:
      isolation === 'session' ? sharedBySession(pool) : oncePerRun(pool, options.concurrency),
    log: typeof violationLog === 'string' ? new FileViolationLog(violationLog) : violationLog,
    clock: ports.clock ?? systemClock,
    random: ports.random ?? systemRandom,
    spawn: ports.spawn ?? systemSpawn,
    newId: ports.newId ?? randomId('exec'),
  });
}

interface SandboxParts {
  options: SandboxOptions;
  tools: ReadonlyMap<string, Tool>;
  modules: GivenModules;
  plan: Omit<LaunchPlan, 'unknownFlags'>;
  pool: ChildPool;
  children: ChildSource;
  log: ViolationLog | undefined;
  clock: Clock;
  random: Random;
  spawn: Spawn;
  newId: NewId;
}

type RunCaller = Pick<RunOptions, 'signal' | 'output' | 'actor' | 'rationale' | 'runId' | 'taskId'>;

class ProcessSandbox implements Sandbox {
  readonly tools: readonly Tool[];
  readonly events = new EventEmitter<SandboxEvents>();
  readonly #parts: SandboxParts;
  readonly #slots: Slots;
  readonly #guard = guardAgainstSigusr1();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #runs = 0;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.tools = [...parts.tools.values()];
    this.#slots = new Slots(parts.children.width);
  }

  async run<Output extends z.ZodType = z.ZodType>(
    code: string,
    options: RunOptions<Output> = {},
  ): Promise<RunResult<z.output<Output>>> {
    const { input, seed, now, language, idempotencyKey } = options;
    const { clock, random, newId } = this.#parts;
    const encoded = encodePlainData(input, { maxSize: MAX_INPUT_CHARS });
    if (!encoded.ok)
      throw new NotPlainDataError(
        `The input of a run has to be plain data: ${encoded.problem.message}`,
      );
    const executionId = newId();
    return this.#start<Output>(
      {
        version: 1,
        executionId,
        keyPrefix: idempotencyKey ?? executionId,
        code,
        ...(language && { language }),
        input: encoded.wire,
        seed: seed ?? Math.floor(random() * 2 ** 32),
        now: now ?? clock.now(),
        answers: [],
        violationsLogged: 0,
      },
      options,
    );
  }

  async resume<Output extends z.ZodType = z.ZodType>(
    token: string,
    options: RunCaller & { output?: Output } = {},
  ): Promise<RunResult<z.output<Output>>> {
    return this.#start<Output>(readResumeToken(token), options);
  }

  declarations(): string {
    return declarationsOf([...this.#parts.tools.values()], this.#parts.modules.declarations);
  }

  report(): SandboxReport {
    const { options, plan, pool } = this.#parts;
    return layersOf(options, { ...plan, unknownFlags: pool.unknownFlags });
  }

  doctor(): Promise<Diagnosis> {
    const { plan, pool, spawn } = this.#parts;
    return diagnose(this, { ...plan, unknownFlags: pool.unknownFlags }, spawn);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(
      new SandboxClosedError('The sandbox was closed while the run was under way.'),
    );
    await Promise.allSettled(this.#running);
    this.#parts.pool.close();
    this.#guard[Symbol.dispose]();
    if (this.#parts.log instanceof FileViolationLog) await this.#parts.log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start<Output extends z.ZodType>(
    paused: PausedRun,
    caller: RunCaller & { output?: Output },
  ): Promise<RunResult<z.output<Output>>> {
    if (this.#closing.signal.aborted)
      throw new SandboxClosedError('The sandbox is closed; make a new one.');
    const run = new SandboxRun(this.#parts, this.events, paused, caller, this.#closing.signal);
    const running = run.execute(this.#slots, () => ++this.#runs);
    this.#running.add(running);
    try {
      // The value was checked against `output` by then.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return (await running) as RunResult<z.output<Output>>;
    } finally {
      this.#running.delete(running);
    }
  }
}

const MAX_INPUT_CHARS = 8_388_608;

/** One run from its code to its result. */
class SandboxRun {
  readonly #parts: SandboxParts;
  readonly #events: EventEmitter<SandboxEvents>;
  readonly #paused: PausedRun;
  readonly #caller: RunCaller;
  readonly #signal: AbortSignal;
  readonly #logs: LogLine[] = [];
  readonly #violations: Violation[] = [];
  readonly #logging: Promise<void>[] = [];

  constructor(
    parts: SandboxParts,
    events: EventEmitter<SandboxEvents>,
    paused: PausedRun,
    caller: RunCaller,
    closing: AbortSignal,
  ) {
    this.#parts = parts;
    this.#events = events;
    this.#paused = paused;
    this.#caller = caller;
    this.#signal = caller.signal ? AbortSignal.any([caller.signal, closing]) : closing;
  }

  async execute(slots: Slots, nextRun: () => number): Promise<RunResult> {
    this.#signal.throwIfAborted();
    const { options, modules } = this.#parts;
    const { code, language } = this.#paused;
    const prepared = prepareGuestSource(code, {
      ...(language && { language }),
      globals: GLOBAL_SET,
      modules: modules.exports,
      maxSourceBytes: options.limits.maxSourceBytes,
      maxDepth: options.limits.maxSourceDepth,
    });
    switch (prepared.kind) {
      case 'rejected':
        return this.#result({ status: 'error', error: { hint: '', ...prepared.error } });
      case 'violation': {
        const { type, details, line, column } = prepared.violation;
        const violation = { type, details, line };
        this.#violated(violation);
        const error = positionedAt(code, {
          kind: 'violation',
          name: 'SandboxViolationError',
          message: details,
          line,
          column,
        });
        return this.#result({ status: 'violation', violation, error });
      }
      case 'ready': {
        await slots.enter();
        try {
          return await this.#converse(prepared, nextRun);
        } finally {
          slots.leave();
        }
      }
    }
  }

  async #converse(prepared: ReadySource, nextRun: () => number): Promise<RunResult> {
    const report = await this.#converseWithChild(prepared, nextRun);
    if (report.ending.kind === 'aborted') throw this.#signal.reason;
    const { code } = this.#paused;
    const ending = endingOf(report, {
      code,
      limits: this.#parts.options.limits,
      position: (line, column) => prepared.originalPosition(line, column),
      violations: this.#violations,
      output: this.#caller.output,
      tokenOf: () =>
        writeResumeToken({
          ...this.#paused,
          answers: [...report.answers],
          violationsLogged: this.#violations.length,
        }),
    });
    if (ending.violation) this.#violated(ending.violation);
    return this.#result(ending.run, report);
  }

  async #converseWithChild(
    prepared: ReadySource,
    nextRun: () => number,
  ): Promise<ConversationReport> {
    const { children, tools, options, clock } = this.#parts;
    const { input, seed, now, keyPrefix, answers } = this.#paused;
    const {
      actor = DEFAULT_ACTOR,
      rationale = 'called by code in a sandbox',
      runId,
      taskId,
    } = this.#caller;
    const draw = seededRandom(seed);
    for (let attempt = 1; ; attempt += 1) {
      const child = await clock.external(() => children.borrow());
      const conversation = new Conversation({
        child,
        request: {
          type: 'run',
          run: nextRun(),
          source: prepared.source,
          input,
          seed: Array.from({ length: 4 }, () => Math.floor(draw() * 2 ** 32)),
          now,
        },
        tools,
        limits: options.limits,
        clock,
        context: {
          actor,
          rationale,
          attempt: 1,
          ...(runId !== undefined && { runId }),
          ...(taskId !== undefined && { taskId }),
        },
        keyPrefix,
        recorded: answers,
        signal: this.#signal,
        beginTimeoutMs: BEGIN_TIMEOUTS_MS[attempt - 1] ?? 0,
        observer: {
          log: (line) => {
            this.#logs.push(line);
            this.#emit('console', {
              ...line,
              executionId: this.#paused.executionId,
              at: clock.now(),
            });
          },
          violation: (violation) =>
            this.#violated({ ...violation, line: this.#lineOf(prepared, violation.line) }),
          callStarted: (call) =>
            this.#emit('toolCallStarted', {
              executionId: this.#paused.executionId,
              call,
              at: clock.now(),
            }),
          callEnded: (call) =>
            this.#emit('toolCallEnded', {
              executionId: this.#paused.executionId,
              call,
              at: clock.now(),
            }),
        },
      });
      const report = await conversation.hold();
      const { ending } = report;
      children.giveBack(
        child,
        ending.kind === 'outcome' && ending.isReusable && this.#violations.length === 0,
      );
      // A kept child that was still busy with what the run before left behind; nothing of this one has happened.
      if (ending.kind !== 'not-started' || attempt === BEGIN_TIMEOUTS_MS.length) return report;
    }
  }

  #lineOf(prepared: ReadySource, line: number | null): number | null {
    return line === null ? null : prepared.originalPosition(line, 1).line;
  }

  #violated(violation: Violation): void {
    this.#violations.push(violation);
    if (this.#violations.length <= this.#paused.violationsLogged) return; // met again by the replay
    const { clock, log } = this.#parts;
    const { executionId, code } = this.#paused;
    const at = clock.now();
    if (log) this.#keep(async () => log.append(violationRecord(violation, executionId, code, at)));
    this.#emit('violated', { executionId, violation, at });
  }

  /** The run waits for its records before it ends, and rejects when one could not be written. */
  #keep(write: () => Promise<void>): void {
    const written = write();
    written.catch(() => undefined); // heard of at the end; until then it must not count as unhandled
    this.#logging.push(written);
  }

  async #result(ending: RunEnding, report?: ConversationReport): Promise<RunResult> {
    const { clock } = this.#parts;
    if (this.#logging.length > 0) await clock.external(() => Promise.all(this.#logging));
    const facts: RunFacts = {
      executionId: this.#paused.executionId,
      logs: this.#logs,
      calls: report?.calls ?? [],
      violations: this.#violations,
      usage: report?.usage ?? { wallMs: 0, cpuMs: 0, peakMb: 0, toolCalls: 0 },
      toModelText: () => modelText(ending, { logs: this.#logs }),
    };
    const result: RunResult = { ...facts, ...ending };
    this.#emit('runEnded', {
      executionId: facts.executionId,
      status: ending.status,
      result,
      at: clock.now(),
    });
    return result;
  }

  /** A listener that throws must not break the run it listens to; its error goes where uncaught errors go. */
  #emit<Name extends keyof SandboxEvents>(name: Name, event: SandboxEvents[Name][0]): void {
    for (const listener of this.#events.listeners(name)) {
      try {
        Reflect.apply(listener, this.#events, [event]);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

const GLOBAL_SET: ReadonlySet<string> = new Set(GUEST_GLOBALS);
/** Short at first, for a kept child may be busy with what the last run left behind; long at last, for the host may be. */
const BEGIN_TIMEOUTS_MS = [250, 1_000, 10_000];
const DEFAULT_ACTOR: Actor = { kind: 'agent', id: 'sandbox' };
