import type { Clock, FailureDescription, NewId, Tool } from '@buddy/core';
import { performActivity } from '../durable/activity.ts';
import type { Deadlines } from '../durable/deadlines.ts';
import type { ActivityCall, ActivityResult } from '../durable/durable-context.ts';
import { LOST, NOT_JSON, poisonous } from '../durable/refusals.ts';
import { fromJournal, tryJournal } from '../durable/workflow-store.ts';
import type { Books } from './books.ts';
import type { CallInFlight } from './in-flight.ts';

export interface CallPorts {
  books: Books;
  clock: Clock;
  deadlines: Deadlines;
  tools: ReadonlyMap<string, Tool>;
  poisonAfter: number;
  /** For so long, in milliseconds, nobody takes this process for dead, whatever happens to it. */
  freshMs: number;
  newId: NewId;
  /** That a call of this workflow is under way in this process. */
  enter(workflowId: string): CallInFlight;
  /** Resolves while others can see that this process is alive. */
  seen(): Promise<void>;
}

/** A call, and where it is made. */
export interface PlacedCall {
  call: ActivityCall;
  workflowId: string;
  /** The workflow of DBOS that makes it; another than `workflowId` when it is made for one that waits. */
  runBy: string;
}

/**
 * Makes a call, or recalls what came of it when another process made it. Whoever keeps what came of it first counts: a
 * process that was taken for dead adopts what the other has kept.
 */
export async function makeCall(
  placed: PlacedCall,
  ports: CallPorts,
): Promise<ActivityResult<unknown>> {
  const { call, workflowId, runBy } = placed;
  const inFlight = ports.enter(workflowId);
  try {
    const asked = await ask(placed, ports);
    if (asked.recorded !== null) return fromJournal(asked.recorded);
    const came = asked.refusal
      ? refused(asked.refusal, ports.clock)
      : await perform(call, inFlight, asked.cancelReason, ports);
    const value = tryJournal(came) === undefined ? refused(NOT_JSON, ports.clock) : came;
    const { key, tool } = call;
    const isAnswer = runBy !== workflowId;
    const kept = await ports.books.keep({
      kind: 'recorded',
      workflowId,
      key,
      tool,
      value,
      isAnswer,
    });
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
async function ask(placed: PlacedCall, ports: CallPorts): Promise<Asked> {
  const { call, workflowId, runBy } = placed;
  const tryId = ports.newId();
  for (;;) {
    await ports.seen();
    const askedAt = ports.clock.monotonic();
    const known = await ports.books.askBefore({ workflowId, key: call.key, runBy });
    const { recorded, isSuspect, isCompacted } = known;
    const cancelReason = call.evenIfCancelled ? undefined : (known.cancelReason ?? undefined);
    const isToBeMade = recorded === null && cancelReason === undefined;
    const refusal = isToBeMade
      ? await prepare(placed, { isSuspect, isCompacted, tryId }, ports)
      : undefined;
    if (ports.clock.monotonic() - askedAt <= ports.freshMs) {
      return { recorded, refusal, cancelReason };
    }
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
  { call, workflowId }: PlacedCall,
  { isSuspect, isCompacted, tryId }: { isSuspect: boolean; isCompacted: boolean; tryId: string },
  { books, tools, poisonAfter }: CallPorts,
): Promise<FailureDescription | undefined> {
  if (isCompacted) return LOST; // long over; a process asks that has slept through it
  const isOnce = tools.get(call.tool)?.effect === 'once';
  if (!isOnce && !isSuspect) return undefined;
  const tries = await books.intend(workflowId, call.key, tryId);
  if (isOnce && tries > 1) return LOST;
  return tries > poisonAfter ? poisonous(tries - 1) : undefined;
}

function perform(
  call: ActivityCall,
  inFlight: CallInFlight,
  cancelReason: string | undefined,
  { clock, deadlines, tools }: CallPorts,
): Promise<ActivityResult<unknown>> {
  const { evenIfCancelled } = call;
  const host = {
    clock,
    deadlines,
    interrupts: evenIfCancelled ? undefined : inFlight.interrupts,
    // It may have been cancelled since it was asked.
    cancelReason: evenIfCancelled ? undefined : (cancelReason ?? inFlight.cancelReason),
  };
  return new Promise((resolve) => performActivity(call, tools.get(call.tool), host, resolve));
}

function refused(failure: FailureDescription, clock: Clock): ActivityResult<unknown> {
  const at = clock.now();
  return { kind: 'failed', failure, startedAt: at, endedAt: at };
}
