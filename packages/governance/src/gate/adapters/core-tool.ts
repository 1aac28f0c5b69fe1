import {
  isSelfChecking,
  markGoverned,
  markSelfChecking,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import { z } from 'zod';
import { digestOf } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

/**
 * The same tool, that decides for itself before it acts. `undo` and `reconcile` stay as they are: taking back and asking
 * what happened serve a call that the gate let through.
 */
export function governTool<T extends Tool>(gate: Gate, tool: T): T {
  const toolDigest = digestOfTool(tool);
  const execute = (input: unknown, context: ToolContext): Promise<unknown> => {
    const { actor, rationale, idempotencyKey, runId, taskId } = context;
    return gate.run({
      action: tool.name,
      declaredTier: tool.tier,
      toolDigest,
      input,
      actor,
      rationale,
      idempotencyKey,
      ...(runId !== undefined && { runId }),
      ...(taskId !== undefined && { taskId }),
      perform: (snapshot) => tool.execute(snapshot, context),
    });
  };
  // Input and output are handed through: a tool that checks them goes on to, and its schema is applied once.
  return markGoverned({
    ...tool,
    execute: isSelfChecking(tool) ? markSelfChecking(execute, tool) : execute,
  });
}

/** Of what a person who approves is told of a tool, and of what it takes: a tool that changed is another. */
function digestOfTool({ name, description, tier, input }: Tool): string {
  const schema: unknown = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  return digestOf({ name, description, tier, schema });
}
