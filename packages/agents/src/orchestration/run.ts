import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { RunFailedError } from '../errors.ts';
import { claimTask, settleUntouched } from './claim.ts';
import { type Fact, tell } from './facts.ts';
import { SYSTEM_ACTOR, SYSTEM_TOOLS, type TaskPolicy } from './policy.ts';
import { doWave, join, type Slot } from './wave.ts';

export interface RunInput {
  waves: readonly number[];
  policy: TaskPolicy;
  /** Told first, when somebody may have to go on with it. */
  began?: Extract<Fact, { kind: 'runBegan' }>;
}

/** What opening a wave answers: the slots of each agent. */
export interface OpenedWave {
  wave: number;
  /** ms since the Unix epoch. */
  startedAt: number;
  slots: readonly Slot[];
}

/** What closing a wave answers. */
export interface ClosedWave {
  wave: number;
  endedAt: number;
  /** Not so when it was stopped before all of it was done. */
  isWhole: boolean;
}

/** A run: wave after wave, all agents of a wave at once; then it waits for what people have to decide. */
export async function runWorkflow(
  ctx: DurableContext,
  { waves, policy, began }: RunInput,
): Promise<void> {
  if (began) await tell(ctx, 'began', began);
  const parked: ChildHandle[] = [];
  for (const wave of waves) {
    const opened = await waveActivity<OpenedWave>(ctx, SYSTEM_TOOLS.openWave, wave, false);
    if (opened === 'cancelled') break;
    const { slots } = opened;
    parked.push(...(await doWave(ctx, { wave, slots, policy })));
    await settleHeld(ctx, wave);
    await waveActivity(ctx, SYSTEM_TOOLS.closeWave, wave, true);
  }
  if (parked.length === 0) return;
  await tell(ctx, 'only-waiting', { kind: 'onlyWaiting', runId: policy.runId });
  await join<void>(ctx, parked);
}

/** What depends on a task that waits, waits too; told at the end of the wave, when nothing else can free it. */
async function settleHeld(ctx: DurableContext, wave: number): Promise<void> {
  for (let n = 1; ; n++) {
    const claim = await claimTask(ctx, SYSTEM_TOOLS.claimHeld, `wave/${wave}/held/${n}`, { wave });
    if (claim.kind !== 'settled') return;
    await settleUntouched(ctx, claim);
  }
}

async function waveActivity<Value>(
  ctx: DurableContext,
  tool: string,
  wave: number,
  evenIfCancelled: boolean,
): Promise<Value | 'cancelled'> {
  const result = await ctx.activity<Value>({
    key: `${tool}/${wave}`,
    tool,
    input: { wave },
    work: `${ctx.id}/${tool}/${wave}`,
    actor: SYSTEM_ACTOR,
    rationale: `wave ${wave}`,
    attempt: 1,
    evenIfCancelled,
  });
  switch (result.kind) {
    case 'succeeded':
      return result.value;
    case 'cancelled':
      return 'cancelled';
    case 'failed':
    case 'timed_out':
    case 'denied':
    case 'approval_required':
      throw new RunFailedError(result.failure);
  }
}
