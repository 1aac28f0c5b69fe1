import type { Clock, FailureDescription, NewId, Tool } from '@buddy/core';
import { type Interruptible, performActivity } from '../durable/activity.ts';
import type { Deadlines } from '../durable/deadlines.ts';
import type { ActivityCall, ActivityResult } from '../durable/durable-context.ts';
import { LOST, NOT_JSON, poisonous } from '../durable/refusals.ts';
import { fromJournal, tryJournal } from '../durable/workflow-store.ts';
import type { Books } from './books.ts';

export interface CallPorts {
  books: Books;
  clock: Clock;
  deadlines: Deadlines;
  tools: ReadonlyMap<string, Tool>;
  poisonAfter: number;
  /** For so long, in milliseconds, nobody takes this process for dead, whatever happens to it. */
  freshMs: number;
  newId: NewId;
  /** What a workflow has in flight in this process. */
  interruptsOf(workflowId: string): InFlight;
}

export interface InFlight {
  readonly interrupts: Set<Interruptible>;
  /** To be called when the call is over. */
  leave(): void;
}

/**
 * Makes a call, or recalls what came of it when another process made it. Whoever keeps what came of it first counts: a
 * process that was taken for dead adopts what the other has kept.
 */
export async function makeCall(
  call: ActivityCall,
  workflowId: string,
  runBy: string,
  ports: CallPorts,
): Promise<ActivityResult<unknown>> {
  const { books } = ports;
  const inFlight = ports.interruptsOf(workflowId);
  try {
    const asked = await ask(call, workflowId, runBy, ports);
    if (asked.recorded !== null) return fromJournal(asked.recorded);
    const { refusal, cancelReason } = asked;
    const came = refusal
      ? refused(refusal, ports.clock)
      : await perform(call, inFlight, cancelReason, ports);
    const result = tryJournal(came) === undefined ? refused(NOT_JSON, ports.clock) : came;
    const { key, tool } = call;
    const kept = await books.keep({ kind: 'recorded', workflowId, key, tool, value: result });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was kept here, or by another execution of the same
    return kept.value as ActivityResult<unknown>;
  } finally {
    inFlight.leave();
  }
}

/**
 * What is known of the call, not long ago: a process that stood still meanwhile may have been taken for dead, and its call
 * made by another.
 */
async function ask(
  call: ActivityCall,
  workflowId: string,
  runBy: string,
  ports: CallPorts,
): Promise<Asked> {
  const { books, clock, freshMs, newId } = ports;
  const tryId = newId();
  for (;;) {
    const askedAt = clock.monotonic();
    const { recorded, isSuspect, ...known } = await books.askBefore(workflowId, call.key, runBy);
    const isCancelled = known.cancelReason !== null && !call.evenIfCancelled;
    const isToBeMade = recorded === null && !isCancelled;
    const refusal = isToBeMade
      ? await prepare(call, workflowId, { isSuspect, tryId }, ports)
      : undefined;
    const cancelReason = isCancelled ? (known.cancelReason ?? undefined) : undefined;
    if (clock.monotonic() - askedAt <= freshMs) return { recorded, refusal, cancelReason };
  }
}

interface Asked {
  recorded: string | null;
  /** Why it is not to be made. */
  refusal: FailureDescription | undefined;
  cancelReason: string | undefined;
}

/** @returns Why it is not to be made. */
async function prepare(
  call: ActivityCall,
  workflowId: string,
  { isSuspect, tryId }: { isSuspect: boolean; tryId: string },
  { books, tools, poisonAfter }: CallPorts,
): Promise<FailureDescription | undefined> {
  const isOnce = tools.get(call.tool)?.effect === 'once';
  if (!isOnce && !isSuspect) return undefined;
  const tries = await books.intend(workflowId, call.key, tryId);
  if (isOnce && tries > 1) return LOST;
  return tries > poisonAfter ? poisonous(tries - 1) : undefined;
}

function perform(
  call: ActivityCall,
  { interrupts }: InFlight,
  cancelReason: string | undefined,
  { clock, deadlines, tools }: CallPorts,
): Promise<ActivityResult<unknown>> {
  const host = {
    clock,
    deadlines,
    interrupts: call.evenIfCancelled ? undefined : interrupts,
    cancelReason,
  };
  return new Promise((resolve) => performActivity(call, tools.get(call.tool), host, resolve));
}

function refused(failure: FailureDescription, clock: Clock): ActivityResult<unknown> {
  const at = clock.now();
  return { kind: 'failed', failure, startedAt: at, endedAt: at };
}
