import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import type { JsonValue } from '../../playbook/context.ts';
import { failed } from '../../probes/layers/layer.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { AgentAdapter } from '../../resource/adapters/work.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';

export const SupervisedAgentOptions = z.strictObject({
  /** An agent that makes no progress for so many ms is stuck. */
  silentMs: z.number().positive().default(120_000),
  /** So many calls of one tool with the same arguments, in a row and without progress, are a loop. */
  repeats: z.int().min(2).default(5),
  /** A turn that was cancelled has so many ms to end. */
  obeyWithinMs: z.number().nonnegative().default(5_000),
});
export type SupervisedAgentInput = z.input<typeof SupervisedAgentOptions>;

/** What an agent tells of its work. After its turn was ended, it is not heard any more. */
export interface AgentReport {
  /** It came further. `checkpoint` is all that it takes to go on from here. */
  progressed(token: string, checkpoint: JsonValue): void;
  /** It calls a tool. */
  called(tool: string, args: unknown): void;
}

export interface AgentTurn {
  /** Settles when the turn is over; `true` when the agent has done all that it was to do. */
  done: Promise<boolean>;
  /** Ends it by force: kills its process. Without it, a turn that does not obey is only not heard any more. */
  kill?(): Promise<void>;
}

/** An agent that works in turns: a harness, a process, a loop around a model. */
export interface AgentProgram {
  begin(turn: {
    /** Where the last checkpoint was; null at the very beginning. */
    checkpoint: JsonValue;
    /** What to do differently; empty: nothing. */
    hint: string;
    signal: AbortSignal;
    report: AgentReport;
  }): AgentTurn;
}

/** Where checkpoints outlive the process. */
export interface CheckpointStore {
  read(): Promise<JsonValue>;
  write(checkpoint: JsonValue): Promise<void>;
}

export interface SupervisedAgentPorts {
  program: AgentProgram;
  /** Default: in memory. */
  checkpoints?: CheckpointStore;
  clock?: Clock;
}

export interface SupervisedAgent {
  /** Begins the first turn, at the last checkpoint. */
  start(): Promise<void>;
  readonly adapter: AgentAdapter;
}

interface LiveTurn extends AgentTurn {
  cancel: AbortController;
  isOver: boolean;
  /** The progress that it began with. */
  tokenAtStart: string;
}

const NOTHING_YET = 'nothing yet';

/**
 * An agent whose progress is followed: tokens that it reports, and calls that repeat. A turn ends when it is asked to, else
 * by force; the next begins where the last checkpoint was.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const agent = createSupervisedAgent({ silentMs: 60_000 }, { program });
 * await agent.start();
 */
export function createSupervisedAgent(
  input: SupervisedAgentInput,
  ports: SupervisedAgentPorts,
): SupervisedAgent {
  const options = parseOrThrow(SupervisedAgentOptions, input, 'a supervised agent');
  const { program, checkpoints = memoryCheckpoints(), clock = systemClock } = ports;
  let turn: LiveTurn | undefined;
  let isFinished = false;
  let token = NOTHING_YET;
  let reported: JsonValue | undefined;
  let changedAt = clock.monotonic();
  let lastCall = '';
  let repeatedCalls = 0;
  let raise: ((sign: Sign) => void) | undefined;

  const looping = (): Sign => ({
    status: 'FAILED',
    signal: 'agent.looping',
    certainty: 'decisive',
    note: `the same call, ${repeatedCalls} times in a row: ${lastCall.slice(0, 200)}`,
  });
  const begin = async (hint: string): Promise<void> => {
    const cancel = new AbortController();
    let own: LiveTurn | undefined;
    const isHeard = () => own !== undefined && own === turn;
    repeatedCalls = 0;
    lastCall = '';
    changedAt = clock.monotonic();
    const begun = program.begin({
      checkpoint: reported ?? (await checkpoints.read()),
      hint,
      signal: cancel.signal,
      report: {
        progressed: (next, checkpoint) => {
          if (!isHeard()) return;
          reported = checkpoint;
          repeatedCalls = 0;
          if (next !== token) changedAt = clock.monotonic();
          token = next;
        },
        called: (tool, args) => {
          if (!isHeard()) return;
          const call = `${tool} ${JSON.stringify(args)}`;
          repeatedCalls = call === lastCall ? repeatedCalls + 1 : 1;
          lastCall = call;
          if (repeatedCalls === options.repeats) raise?.(looping());
        },
      },
    });
    const live: LiveTurn = { ...begun, cancel, isOver: false, tokenAtStart: token };
    if (begun.kill) live.kill = () => begun.kill?.() ?? Promise.resolve();
    own = turn = live;
    const end = (hasFinished: boolean) => {
      live.isOver = true;
      if (turn === live && hasFinished) isFinished = true;
    };
    live.done.then(end, () => end(false)).catch(() => undefined);
  };
  const isTurning = () => turn !== undefined && !turn.isOver;
  const silentMs = () => clock.monotonic() - changedAt;
  const waitUntilOver = async (live: LiveTurn, signal: AbortSignal): Promise<void> => {
    const ended = new AbortController();
    const over = live.done.then(
      () => undefined,
      () => undefined,
    );
    const late = clock.sleep(options.obeyWithinMs, AbortSignal.any([signal, ended.signal]));
    late.catch(() => undefined); // it was not needed
    await Promise.race([over, late]);
    ended.abort('over');
  };
  const probe = async (): Promise<Reading> => {
    if (isFinished) return { status: 'HEALTHY', note: 'it has done what it was to do' };
    if (!isTurning()) return failed('agent.silent', 'decisive', 'no turn is under way');
    if (repeatedCalls >= options.repeats) return looping();
    if (silentMs() < options.silentMs) return HEALTHY;
    const note = `no progress since ${Math.round(silentMs())} ms`;
    return failed('agent.silent', 'decisive', note);
  };
  return {
    start: async () => {
      if (!isTurning()) await begin('');
    },
    adapter: {
      kind: 'agent',
      probe,
      watch: (tell) => {
        raise = tell;
        return () => {
          raise = undefined;
        };
      },
      progress: async () => ({
        token,
        repeatedCalls,
        silentMs: silentMs(),
        isTurning: isTurning(),
      }),
      advances: async () => {
        if (isFinished || (turn && token !== turn.tokenAtStart)) return HEALTHY;
        return failed('agent.silent', 'ambiguous', 'no progress since its turn began');
      },
      checkpoint: async () => {
        if (reported !== undefined) await checkpoints.write(reported);
      },
      cancelTurn: async (signal) => {
        if (!turn || turn.isOver) return;
        turn.cancel.abort('the guardian ended this turn');
        await waitUntilOver(turn, signal);
      },
      end: async (signal) => {
        const live = turn;
        turn = undefined; // from now on it is not heard
        if (!live || live.isOver) return;
        live.cancel.abort('the guardian ended this turn');
        await live.kill?.();
        if (live.kill) await waitUntilOver(live, signal);
      },
      resume: async (hint) => {
        if (isFinished) return;
        if (isTurning()) {
          throw new GuardianMisuseError('A turn is under way: end it before another begins.');
        }
        await begin(hint);
      },
    },
  };
}

function memoryCheckpoints(): CheckpointStore {
  let kept: JsonValue = null;
  return {
    read: async () => kept,
    write: async (checkpoint) => {
      kept = checkpoint;
    },
  };
}
