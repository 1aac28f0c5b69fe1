import { type Clock, describeFailure } from '@buddy/core';
import type { DBOSClient, WorkflowStatus } from '@dbos-inc/dbos-sdk';
import type { WorkflowResult, WorkflowView } from '../durable/engine.ts';
import { EngineMisuseError } from '../errors.ts';
import { isLarge, type Large, type LargeValues, type Packed } from './large-values.ts';

/** Of what DBOS keeps of a workflow, neither what went in nor what came out. */
export const BARE = { loadInput: false, loadOutput: false };
export const RUNNING: ('PENDING' | 'ENQUEUED' | 'DELAYED')[] = ['PENDING', 'ENQUEUED', 'DELAYED'];
/** As many as are asked for at once. */
export const PAGE = 500;

export function isRunning({ status }: WorkflowStatus): boolean {
  return (RUNNING as readonly string[]).includes(status);
}

/** Those right below these. */
export async function childrenOf(
  client: DBOSClient,
  ids: readonly string[],
): Promise<WorkflowStatus[]> {
  const children: WorkflowStatus[] = [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const parentWorkflowID = ids.slice(at, at + PAGE);
    children.push(...(await client.listWorkflows({ ...BARE, parentWorkflowID })));
  }
  return children;
}

/** @param cancelReason Null when nobody has cancelled it. */
export function viewOf(status: WorkflowStatus, cancelReason: string | null): WorkflowView {
  const { workflowID: id, workflowName: workflow } = status;
  const common = { id, workflow, cancelReason };
  if (isRunning(status)) return { ...common, status: 'running' };
  if (cancelReason !== null) return { ...common, status: 'cancelled' };
  return { ...common, status: endOf(status).kind };
}

/** What workflows have come to, in the order asked for, when all have ended. */
export async function resultsOf(
  { client, large }: { client: DBOSClient; large: LargeValues },
  ids: readonly string[],
  { clock, signal, pollMs }: { clock: Clock; signal: AbortSignal; pollMs: number },
): Promise<WorkflowResult[]> {
  const results = new Map<string, KeptResult>();
  const remaining = new Set(ids);
  const since = clock.monotonic();
  while (remaining.size > 0) {
    const some = [...remaining].slice(0, LOOKED_AT);
    const found = await client.listWorkflows({ workflowIDs: some, loadInput: false });
    for (const status of found) {
      if (isRunning(status)) continue;
      results.set(status.workflowID, endOf(status));
      remaining.delete(status.workflowID);
    }
    const there = new Set(found.map(({ workflowID }) => workflowID));
    for (const id of some) {
      if (there.has(id)) continue;
      const failure = describeFailure(new EngineMisuseError(`No workflow has the id ${id}`));
      results.set(id, { kind: 'failed', failure });
      remaining.delete(id);
    }
    if (some.every((id) => !remaining.has(id))) continue;
    // What has taken minutes may be noticed a second late; days of waiting are not to cost ten questions a second.
    const waited = clock.monotonic() - since;
    await clock.sleep(Math.max(pollMs, Math.min(waited / 20, SELDOM_MS)), signal);
  }
  const whole: WorkflowResult[] = [];
  for (const id of ids) {
    const result = results.get(id);
    if (result) whole.push(isLarge(result) ? await large.unpack<WorkflowResult>(result) : result);
  }
  return whole;
}

const LOOKED_AT = 100;
const SELDOM_MS = 1_000;

/** What DBOS is handed of a result: how it ended is there to be listed, also when what it came to is elsewhere. */
export type KeptResult = WorkflowResult | (Large & Pick<WorkflowResult, 'kind'>);

export function toKept({ kind }: WorkflowResult, packed: Packed<WorkflowResult>): KeptResult {
  return isLarge(packed) ? { kind, large: packed.large } : packed;
}

function endOf({ status, output, error }: WorkflowStatus): KeptResult {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what our workflows return, see Worker.runWorkflow
  if (status === 'SUCCESS') return output as KeptResult;
  // Somebody ended it by the tools of DBOS, or it failed beneath the workflow.
  const failure = describeFailure(error ?? new Error(`DBOS says that it is ${status}`));
  return { kind: 'failed', failure };
}
