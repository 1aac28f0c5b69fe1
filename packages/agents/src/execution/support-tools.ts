import type { Tool } from '@buddy/core';
import { z } from 'zod';
import { idempotencyKey } from '../durable/activity.ts';
import type { Heal, TaskFailure } from './heal.ts';
import { systemTool } from './system-tool.ts';
import { SYSTEM_TOOLS } from '../orchestration/policy.ts';

/** What a tool's `reconcile` must answer; anything else says nothing. */
const Answer = z.union([
  z.object({ happened: z.literal(true), output: z.unknown() }),
  z.object({ happened: z.literal(false) }),
  z.object({ happened: z.literal('unknown') }),
]);
const UNKNOWN = { happened: 'unknown' } as const;

/** What doing a task may need besides the task's own tool. */
export function supportTools(tools: ReadonlyMap<string, Tool>, heal: Heal | undefined): Tool[] {
  return [
    systemTool(
      SYSTEM_TOOLS.reconcile,
      'Asks a provider whether a call whose answer was lost has happened',
      async ({ tool: name, input, work }: { tool: string; input: unknown; work: string }) => {
        const tool = tools.get(name);
        const answer = Answer.safeParse(await tool?.reconcile?.(input, idempotencyKey(work)));
        if (!tool || !answer.success) return UNKNOWN;
        if (answer.data.happened !== true) return answer.data;
        const output = tool.output.safeParse(answer.data.output);
        return output.success ? { happened: true, output: output.data } : UNKNOWN;
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
