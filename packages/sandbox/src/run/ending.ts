import { describeFailure, redactText } from '@buddy/core';
import { z } from 'zod';
import type { ConversationReport } from '../host/conversation.ts';
import type { SandboxLimits } from '../options.ts';
import type { ThrownByGuest } from '../protocol/messages.ts';
import { decodePlainData, type PlainDataProblem } from '../protocol/plain-data.ts';
import type { Violation } from '../violations/violation.ts';
import { codeFrame } from './code-frame.ts';
import type { GuestError, LimitKind, RunEnding } from './result.ts';

type Place = Pick<ThrownByGuest, 'line' | 'column'>;

export interface EndingContext {
  code: string;
  limits: SandboxLimits;
  /** The place in the guest's code of a place in the prepared source. */
  position: (place: Place) => Place;
  violations: readonly Violation[];
  output: z.ZodType | undefined;
  tokenOf: () => string;
}

/** How a run ended, for its caller; and what is to be logged of it, beyond what was logged while it ran. */
export interface Ending {
  run: RunEnding;
  violation?: Violation;
}

export async function endingOf(
  { ending, usage }: ConversationReport,
  context: EndingContext,
): Promise<Ending> {
  const { code, limits, violations } = context;
  switch (ending.kind) {
    case 'outcome':
      return { run: await outcomeOf(ending.outcome, context) };
    case 'limit':
      return limitEnding(code, ending.limit, ending.allowed, ending.used);
    case 'paused':
      return { run: { status: 'paused', pending: ending.pending, token: context.tokenOf() } };
    case 'violations': {
      const violation = violations.at(-1) ?? {
        type: 'BUILTIN_VIOLATION',
        details: 'Too many violations',
        line: null,
      };
      const message = `The program was stopped after ${limits.maxViolations} violations; the last: ${violation.details}`;
      return { run: violationEnding(code, violation, message, null) };
    }
    case 'misbehaved': {
      const details = `The process did what no program can do from inside the sandbox. ${ending.reason}.`;
      const violation: Violation = { type: 'BUILTIN_VIOLATION', details, line: null };
      return { run: violationEnding(code, violation, details, null), violation };
    }
    case 'diverged':
      return failed(
        code,
        'unsupported',
        'ReplayError',
        'Resumed, the program asked for something else than before; run it again.',
      );
    case 'crashed':
      return failed(
        code,
        'crash',
        'CrashError',
        `The program brought its process down: ${ending.reason}.`,
      );
    case 'not-started':
      return failed(
        code,
        'crash',
        'CrashError',
        `No process could begin the run (${Math.round(usage.wallMs)} ms).`,
      );
    case 'aborted':
      throw new Error('An aborted run has no result'); // its caller rejects
  }
}

export type PlacedError = Omit<GuestError, 'frame' | 'hint'> & { hint?: string };

export function positionedAt(code: string, { hint = '', ...error }: PlacedError): GuestError {
  return { ...error, frame: codeFrame(code, error.line, error.column), hint };
}

async function outcomeOf(
  outcome: Extract<ConversationReport['ending'], { kind: 'outcome' }>['outcome'],
  context: EndingContext,
): Promise<RunEnding> {
  switch (outcome.status) {
    case 'value': {
      const decoded = decodePlainData(outcome.value, { maxSize: context.limits.maxResultBytes });
      return decoded.ok ? checked(decoded.value, context) : notData(decoded.problem, context);
    }
    case 'not-data':
      return notData(outcome.problem, context);
    case 'thrown': {
      const error = thrownError(outcome.thrown, context);
      if (!outcome.violation) return { status: 'error', error };
      const violation = { ...outcome.violation, line: error.line };
      return { status: 'violation', violation, error: { ...error, kind: 'violation' } };
    }
  }
}

async function checked(
  value: unknown,
  { code, limits, output }: EndingContext,
): Promise<RunEnding> {
  if (!output) return { status: 'ok', value };
  try {
    // Not tried synchronously first: the promise that such a try leaves behind may reject, with nobody to hear it.
    const parsed = await output.safeParseAsync(value);
    if (parsed.success) return { status: 'ok', value: parsed.data };
    const message = `The value does not fit what was asked for:\n${z.prettifyError(parsed.error)}`;
    return failed(code, 'result', 'ResultError', message).run;
  } catch (thrown) {
    // A transform or a refinement threw. What the program did, it did: its caller needs the result that says so.
    const said = redactText(describeFailure(thrown).message).slice(0, limits.maxErrorChars);
    const message = `The value could not be checked, for \`output\` threw: ${said}`;
    return failed(code, 'result', 'ResultError', message).run;
  }
}

function notData({ message, size }: PlainDataProblem, { code, limits }: EndingContext): RunEnding {
  if (size !== undefined) return limitEnding(code, 'result', limits.maxResultBytes, size).run;
  const hint = 'Return plain data: objects, arrays, strings, numbers, Map, Set, Date, bigint.';
  const error = positionedAt(code, {
    kind: 'result',
    name: 'ResultError',
    message: `The ${message}`,
    line: null,
    column: null,
    hint,
  });
  return { status: 'error', error };
}

function thrownError(thrown: ThrownByGuest, { code, position }: EndingContext): GuestError {
  const { name, message } = thrown;
  const place = position(thrown);
  return positionedAt(code, {
    kind: kindOf(name),
    name,
    message,
    ...place,
    hint: HINTS[name] ?? '',
  });
}

const HINTS: Readonly<Record<string, string>> = {
  StalledError:
    'Every promise that is awaited must be settled by the program itself, a timer or a tool.',
};

function kindOf(name: string): GuestError['kind'] {
  if (name === 'SyntaxError') return 'syntax';
  return name === 'ReferenceError' ? 'reference' : 'runtime';
}

const LIMIT_TEXT: Readonly<Record<LimitKind, { unit: string; hint: string }>> = {
  wall: { unit: 'ms of time', hint: 'Do less in one run, or wait for less.' },
  cpu: {
    unit: 'ms of processor time',
    hint: 'Look for a loop that does not end, or work on less data.',
  },
  memory: { unit: 'MB of memory', hint: 'Work on less data at a time.' },
  toolCalls: { unit: 'tool calls', hint: 'Ask for more with each call, or make fewer.' },
  callBytes: {
    unit: 'bytes in tool calls',
    hint: 'Ask for less at a time, or leave large data where it is.',
  },
  timers: { unit: 'timers', hint: 'Start fewer timers.' },
  output: { unit: 'bytes of log', hint: 'Log less.' },
  result: { unit: 'bytes of result', hint: 'Return a summary, not the whole.' },
};

function limitEnding(code: string, kind: LimitKind, allowed: number, used: number): Ending {
  const { unit, hint } = LIMIT_TEXT[kind];
  const message = `The program reached its limit of ${allowed} ${unit}.`;
  const error = positionedAt(code, {
    kind: 'limit',
    name: 'LimitError',
    message,
    line: null,
    column: null,
    hint,
  });
  const run: RunEnding = {
    status: 'limit',
    // A timer may fire a little early, and a child may say anything.
    limit: { kind, allowed, used: Math.max(allowed, Math.round(used)) },
    error,
  };
  if (kind === 'wall' || kind === 'cpu')
    return { run, violation: { type: 'TIMEOUT', details: message, line: null } };
  if (kind === 'memory')
    return { run, violation: { type: 'MEMORY_LIMIT', details: message, line: null } };
  return { run };
}

function violationEnding(
  code: string,
  violation: Violation,
  message: string,
  line: number | null,
): RunEnding {
  const name = 'SandboxViolationError';
  const error = positionedAt(code, { kind: 'violation', name, message, line, column: null });
  return { status: 'violation', violation, error };
}

function failed(
  code: string,
  kind: GuestError['kind'],
  name: string,
  message: string,
): Ending & { run: RunEnding } {
  return {
    run: {
      status: 'error',
      error: positionedAt(code, { kind, name, message, line: null, column: null }),
    },
  };
}
