import type { Tool } from '@buddy/core';
import { idempotencyKey } from '../durable/activity.ts';
import type { Heal, TaskFailure } from './heal.ts';
import { systemTool } from './system-tool.ts';
import { SYSTEM_TOOLS } from '../orchestration/policy.ts';

/** What doing a task may need besides the task's own tool. */
export function supportTools(tools: ReadonlyMap<string, Tool>, heal: Heal | undefined): Tool[] {
  return [
    systemTool(
      SYSTEM_TOOLS.reconcile,
      'Asks a provider whether a call whose answer was lost has happened',
      async ({ tool, input, work }: { tool: string; input: unknown; work: string }) =>
        (await tools.get(tool)?.reconcile?.(input, idempotencyKey(work))) ?? {
          happened: 'unknown',
        },
    ),
    systemTool(
      SYSTEM_TOOLS.heal,
      'Asks the healer to mend what made a task fail',
      async (failure: TaskFailure, { signal }) =>
        (await heal?.(failure, { signal })) ?? { isHealed: false },
    ),
  ];
}
