import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { type Claim, neverStarted, outcomeOf } from '../task/work.ts';
import type { ParkedInput } from './parked.ts';
import { SYSTEM_ACTOR, SYSTEM_TOOLS, type TaskPolicy } from './policy.ts';
import { doTask, NO_PROGRESS, tell } from './task.ts';

export interface SlotInput {
  wave: number;
  agentId: string;
  policy: TaskPolicy;
}

export interface SlotResult {
  /** The tasks of this slot that stand aside. */
  parked: readonly ChildHandle[];
}

/** One of an agent's places to work: takes task after task until the wave has none left for it. */
export async function slotWorkflow(ctx: DurableContext, input: SlotInput): Promise<SlotResult> {
  const { wave, agentId, policy } = input;
  const parked: ChildHandle[] = [];
  for (let n = 1; ; n++) {
    const claim = await claimTask(ctx, SYSTEM_TOOLS.claim, `claim/${n}`, { wave, agentId });
    if (claim.kind === 'done') return { parked };
    if (claim.kind === 'settled') {
      await settleUntouched(ctx, claim);
      continue;
    }
    const { work } = claim;
    const end = await doTask(ctx, { work, agentId, policy, progress: NO_PROGRESS });
    if (end.kind === 'settled') continue;
    const id = `${policy.runId}/parked/${work.taskId}`;
    const waiting: ParkedInput = { ...end, work, agentId, policy };
    parked.push(...(await ctx.spawnAll([{ key: id, id, workflow: 'parked', input: waiting }])));
  }
}

/** Asks the wave for something to do. */
export async function claimTask(
  ctx: DurableContext,
  tool: string,
  key: string,
  input: { wave: number; agentId?: string },
): Promise<Claim> {
  const claimed = await ctx.activity<Claim>({
    key,
    tool,
    input,
    work: `${ctx.id}/${key}`,
    actor: SYSTEM_ACTOR,
    rationale: 'ready for the next task',
    attempt: 1,
    evenIfCancelled: true,
  });
  if (claimed.kind !== 'succeeded') {
    throw new Error(`Claiming a task failed: ${claimed.failure.message}`);
  }
  return claimed.value;
}

/** Tells the end of a task that was never tried. */
export async function settleUntouched(
  ctx: DurableContext,
  { work, status, failure }: Extract<Claim, { kind: 'settled' }>,
): Promise<void> {
  const outcome = outcomeOf(work, neverStarted(status, failure));
  const key = `${work.taskId}/untouched/${status}`;
  await tell(ctx, key, { kind: 'taskSettled', outcome, output: null });
}
