import type { DurableContext } from '../durable/durable-context.ts';
import { RunFailedError } from '../errors.ts';
import { type Claim, neverStarted, outcomeOf } from '../task/work.ts';
import { tell } from './facts.ts';
import { SYSTEM_ACTOR } from './policy.ts';

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
  if (claimed.kind === 'succeeded') return claimed.value;
  throw new RunFailedError(claimed.failure);
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
