import type { DBOSClient } from '@dbos-inc/dbos-sdk';
import { childrenOf, isRunning } from './views.ts';

/**
 * What is below an ended workflow that is compacted: what has ended, and is forgotten with it, unless something that runs is
 * reached by it; and of those right below it the ones that are left.
 */
export async function lookBelow(
  client: DBOSClient,
  id: string,
): Promise<{ forgotten: string[]; left: string[] }> {
  /** Of those that have ended. */
  const parents = new Map<string, string>();
  const needed = new Set<string>();
  const running: string[] = [];
  for (let level = [id]; level.length > 0;) {
    const children = await childrenOf(client, level);
    level = [];
    for (const child of children) {
      const { workflowID, parentWorkflowID = id } = child;
      if (isRunning(child)) {
        if (parentWorkflowID === id) running.push(workflowID);
        for (let above = parentWorkflowID; above !== id; above = parents.get(above) ?? id) {
          needed.add(above);
        }
      } else {
        parents.set(workflowID, parentWorkflowID);
        level.push(workflowID);
      }
    }
  }
  const ended = [...parents];
  return {
    forgotten: ended.flatMap(([one]) => (needed.has(one) ? [] : [one])),
    left: [
      ...running,
      ...ended.flatMap(([one, parent]) => (parent === id && needed.has(one) ? [one] : [])),
    ],
  };
}
