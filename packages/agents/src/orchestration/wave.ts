import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { RunFailedError } from '../errors.ts';
import type { TaskPolicy } from './policy.ts';
import type { RetryResult } from './retry.ts';
import type { SlotInput, SlotResult } from './slot.ts';

/** An agent's place to work. */
export interface Slot {
  agentId: string;
  /** From 0. */
  slot: number;
}

/**
 * Lets all slots of a wave work until nothing is left for any of them, retries included.
 * @returns The workflows of tasks that wait for a person.
 */
export async function doWave(
  ctx: DurableContext,
  { wave, slots, policy }: { wave: number; slots: readonly Slot[]; policy: TaskPolicy },
): Promise<readonly ChildHandle[]> {
  const working = await ctx.spawnAll(
    slots.map(({ agentId, slot }) => {
      const id = `${policy.runId}/wave/${wave}/${agentId}/${slot}`;
      const input: SlotInput = { wave, agentId, policy };
      return { key: id, id, workflow: 'slot', input };
    }),
  );
  const done = await join<SlotResult>(ctx, working);
  const retried = await join<RetryResult>(
    ctx,
    done.flatMap(({ retrying }) => retrying),
  );
  return [...done, ...retried].flatMap(({ parked }) => parked);
}

/** Waits for workflows below; the first that failed fails this one. */
export async function join<Value>(
  ctx: DurableContext,
  children: readonly ChildHandle[],
): Promise<readonly Value[]> {
  return (await ctx.joinAll<Value>(children)).map((result) => {
    if (result.kind === 'completed') return result.value;
    throw new RunFailedError(result.failure);
  });
}
