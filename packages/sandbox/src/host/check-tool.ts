import {
  isSelfChecking,
  safeParseEither,
  type Tool,
  ToolInputError,
  ToolOutputError,
} from '@buddy/core';

/**
 * The `execute` of a tool, with its input and output checked by its schemas: whatever has the form of a Tool is accepted,
 * but only those of `defineTool` are known to check by themselves. Those are let be, for a schema that transforms must
 * not be applied twice.
 */
export function checkedExecute(tool: Tool): Tool['execute'] {
  if (isSelfChecking(tool)) return (input, context) => tool.execute(input, context);
  return async (input, context) => {
    const checking = safeParseEither(tool.input, input);
    const given = checking instanceof Promise ? await checking : checking;
    if (!given.success) throw new ToolInputError(tool.name, given.error);
    context.signal.throwIfAborted(); // a check that took its time
    const made = await safeParseEither(tool.output, await tool.execute(given.data, context));
    if (!made.success) throw new ToolOutputError(tool.name, made.error);
    return made.data;
  };
}
