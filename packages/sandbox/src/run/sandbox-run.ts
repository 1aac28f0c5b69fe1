import { type Actor, type Clock, seededRandom, type Tool, type ToolContext } from '@buddy/core';
import type { GuestSource, ReadySource } from '../guest-source/guest-source.ts';
import { originalPosition } from '../guest-source/position-map.ts';
import type { SourceGate } from '../guest-source/source-gate.ts';
import { GUEST_GLOBALS } from '../guest-globals.ts';
import type { ChildSource } from '../host/child-source.ts';
import { Conversation, type ConversationReport } from '../host/conversation.ts';
import type { Slots } from '../host/slots.ts';
import type { GivenModules } from '../modules-given.ts';
import type { SandboxLimits } from '../options.ts';
import { type PausedRun, writeResumeToken } from '../replay/resume-token.ts';
import { endingOf, positionedAt } from './ending.ts';
import type { RunResult } from './result.ts';
import type { ResumeOptions } from './run-options.ts';
import type { RunRecord } from './run-record.ts';

/** What all runs of a sandbox share. */
export interface RunWorld {
  tools: ReadonlyMap<string, Tool>;
  modules: GivenModules;
  limits: SandboxLimits;
  children: ChildSource;
  slots: Slots;
  gate: SourceGate;
  clock: Clock;
  /** Tells the runs of one child apart. */
  nextRun: () => number;
}

export interface RunParts {
  paused: PausedRun;
  caller: ResumeOptions;
  signal: AbortSignal;
  record: RunRecord;
}

/** One run from its code to its result. */
export class SandboxRun {
  readonly #world: RunWorld;
  readonly #parts: RunParts;
  #lineCount: number | undefined;

  constructor(world: RunWorld, parts: RunParts) {
    this.#world = world;
    this.#parts = parts;
  }

  async execute(): Promise<RunResult> {
    const { signal, paused, record } = this.#parts;
    const { slots } = this.#world;
    signal.throwIfAborted();
    const prepared = await this.#prepare();
    switch (prepared.kind) {
      case 'rejected':
        return record.result({ status: 'error', error: { hint: '', ...prepared.error } });
      case 'violation': {
        const { type, details, line, column } = prepared.violation;
        const violation = { type, details, line };
        record.violated(violation);
        const error = positionedAt(paused.code, {
          kind: 'violation',
          name: 'SandboxViolationError',
          message: details,
          line,
          column,
        });
        return record.result({ status: 'violation', violation, error });
      }
      case 'ready': {
        await slots.enter(signal);
        try {
          return await this.#converse(prepared);
        } finally {
          slots.leave();
        }
      }
    }
  }

  #prepare(): Promise<GuestSource> {
    const { gate, modules, limits, clock } = this.#world;
    const { signal, paused } = this.#parts;
    const { code, language } = paused;
    const options = {
      ...(language && { language }),
      globals: GLOBAL_SET,
      modules: modules.exports,
      maxSourceBytes: limits.maxSourceBytes,
      maxDepth: limits.maxSourceDepth,
    };
    return clock.external(() => gate.prepare(code, options, signal));
  }

  async #converse(prepared: ReadySource): Promise<RunResult> {
    const { paused, caller, signal, record } = this.#parts;
    const report = await this.#converseWithChild(prepared);
    if (report.ending.kind === 'aborted') {
      await record.written();
      throw signal.reason;
    }
    const ending = await endingOf(report, {
      code: paused.code,
      limits: this.#world.limits,
      position: ({ line, column }) =>
        this.#guestLine(line) === null || line === null
          ? { line: null, column: null }
          : originalPosition(prepared, { line, column: column ?? 1 }),
      violations: record.violations,
      output: caller.output,
      tokenOf: () =>
        writeResumeToken({
          ...paused,
          answers: [...report.answers],
          waiting: [...report.waiting],
          violationsLogged: record.violations.length,
        }),
    });
    if (ending.violation) record.violated(ending.violation);
    return record.result(ending.run, report);
  }

  async #converseWithChild(prepared: ReadySource): Promise<ConversationReport> {
    const { children, tools, limits, clock, nextRun } = this.#world;
    const { signal, record } = this.#parts;
    const { input, seed, now, keyPrefix, answers, waiting } = this.#parts.paused;
    const draw = seededRandom(seed);
    for (let attempt = 1; ; attempt += 1) {
      const child = await clock.external(() => children.borrow(signal));
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
        limits,
        clock,
        context: this.#toolContext(),
        keyPrefix,
        recorded: answers,
        waited: waiting,
        lineOf: (line) => this.#guestLine(line),
        signal,
        beginTimeoutMs: BEGIN_TIMEOUTS_MS[attempt - 1] ?? 0,
        observer: {
          log: (line) => record.logged(line),
          violation: (violation) => record.violated(violation),
          callStarted: (call) => record.callStarted(call),
          callEnded: (call) => record.callEnded(call),
        },
      });
      const report = await conversation.hold();
      const { ending } = report;
      children.giveBack(
        child,
        ending.kind === 'outcome' && ending.isReusable && record.violations.length === 0,
      );
      // A kept child that was still busy with what the run before left behind; nothing of this one has happened.
      if (ending.kind !== 'not-started' || attempt === BEGIN_TIMEOUTS_MS.length) return report;
    }
  }

  /** The gate keeps every line where it was; that the line is one of the program's, only the child says. */
  #guestLine(line: number | null): number | null {
    this.#lineCount ??= this.#parts.paused.code.split(LINE_BREAK).length;
    return line !== null && line <= this.#lineCount ? line : null;
  }

  #toolContext(): Omit<ToolContext, 'signal' | 'idempotencyKey'> {
    const {
      actor = DEFAULT_ACTOR,
      rationale = 'called by code in a sandbox',
      runId,
      taskId,
    } = this.#parts.caller;
    return {
      actor,
      rationale,
      attempt: 1,
      ...(runId !== undefined && { runId }),
      ...(taskId !== undefined && { taskId }),
    };
  }
}

/** What a program can name without declaring it. */
export const GLOBAL_SET: ReadonlySet<string> = new Set(GUEST_GLOBALS);
const LINE_BREAK = /\r\n|[\n\r\u2028\u2029]/;
/** Short at first, for a kept child may be busy with what the last run left behind; long at last, for the host may be. */
const BEGIN_TIMEOUTS_MS = [250, 1_000, 10_000];
const DEFAULT_ACTOR: Actor = { kind: 'agent', id: 'sandbox' };
