import { describeFailure, type Logger } from '@buddy/core';
import type { Harness } from '@buddy/agents';
import type { Approvals } from '@buddy/governance';

/**
 * Lets tasks that wait go on as soon as people have decided, in whatever process they do: on the command line, in the form.
 * What they decided is for the gate to say. Not to be used twice on a harness.
 * @returns What to call when the run is over.
 */
export function followDecisions(
  harness: Harness,
  approvals: Approvals,
  logger: Logger,
): () => void {
  const taskOf = new Map<string, string>();
  const stopped = new AbortController();
  const { signal } = stopped;
  let isWatching = false;

  const decide = (approvalId: string) => {
    const taskId = taskOf.get(approvalId);
    if (taskId === undefined || !taskOf.delete(approvalId) || signal.aborted) return;
    // What fails here and is not ours fails the run, too, which says so.
    harness
      .decide(taskId, { kind: 'proceed' })
      .catch((error: unknown) => logger.debug({ err: error, taskId }, 'A decision was not used'));
  };
  // One that is waited for is enough: then approvals tell of what happens to any of them.
  const watch = async () => {
    isWatching = true;
    for (const [approvalId] of taskOf) {
      await approvals.waitFor(approvalId, { signal });
      decide(approvalId);
    }
    isWatching = false;
  };
  harness.events.on('taskWaiting', ({ taskId, approvalId }) => {
    if (approvalId === null) return;
    taskOf.set(approvalId, taskId);
    // Who was quick has decided before we listened.
    if (approvals.get(approvalId)?.state !== 'pending') return decide(approvalId);
    if (isWatching) return;
    watch().catch((error: unknown) => {
      if (!signal.aborted) logger.error(describeFailure(error), 'Decisions are followed no more');
    });
  });
  for (const event of ['approved', 'denied', 'cancelled', 'expired', 'invalidated'] as const) {
    approvals.events.on(event, ({ approvalId }) => decide(approvalId));
  }
  return () => stopped.abort();
}
