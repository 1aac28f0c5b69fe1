import type { Tool, ToolContext } from '@buddy/core';
import { z } from 'zod';

/** A tool of Buddy's own machinery: what goes in and out is ours, so nothing is checked at the door. */
export function systemTool<Input>(
  name: string,
  description: string,
  execute: (input: Input, context: ToolContext) => Promise<unknown>,
): Tool {
  return {
    name,
    description,
    tier: 1,
    effect: 'keyed',
    input: z.unknown(),
    output: z.unknown(),
    execute: (input, context) => execute(input as Input, context),
  };
}
