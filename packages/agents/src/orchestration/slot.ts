import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { claimTask, settleUntouched } from './claim.ts';
import { SYSTEM_TOOLS, type TaskPolicy } from './policy.ts';
import { standAside } from './stand-aside.ts';
import { NO_PROGRESS } from './task-run.ts';
import { doTask } from './task.ts';

export interface SlotInput {
  wave: number;
  agentId: string;
  policy: TaskPolicy;
}

export interface SlotResult {
  /** Workflows of tasks that are tried again later: part of the wave. */
  retrying: readonly ChildHandle[];
  /** Workflows of tasks that wait for a person: the wave does not wait for them. */
  parked: readonly ChildHandle[];
}

/** One of an agent's places to work: takes task after task until the wave has none left for it. */
export async function slotWorkflow(ctx: DurableContext, input: SlotInput): Promise<SlotResult> {
  const { wave, agentId, policy } = input;
  const retrying: ChildHandle[] = [];
  const parked: ChildHandle[] = [];
  for (let n = 1; ; n++) {
    const claim = await claimTask(ctx, SYSTEM_TOOLS.claim, `claim/${n}`, { wave, agentId });
    if (claim.kind === 'done') return { retrying, parked };
    if (claim.kind === 'settled') {
      await settleUntouched(ctx, claim);
      continue;
    }
    const run = { work: claim.work, agentId, policy, progress: NO_PROGRESS };
    const end = await doTask(ctx, run);
    if (end.kind === 'settled') continue;
    const aside = await standAside(ctx, run, end);
    (end.kind === 'backoff' ? retrying : parked).push(aside);
  }
}
