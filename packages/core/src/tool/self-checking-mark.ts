import type { Tool } from './tool.ts';

/** Registered, so that two copies of core in one process know each other's marks. */
const MARK = Symbol.for('@buddy/core.selfChecking');

/**
 * Marks an `execute` as one that checks its input and output against these schemas. `defineTool` marks its own; a wrapper
 * that hands both through to such a tool marks itself, so that a runner does not apply a transforming schema twice.
 * @example
 * const execute = markSelfChecking((input, context) => tool.execute(input, context), tool);
 */
export function markSelfChecking<Execute extends Tool['execute']>(
  execute: Execute,
  { input, output }: Pick<Tool, 'input' | 'output'>,
): Execute {
  Object.defineProperty(execute, MARK, { value: Object.freeze({ input, output }) });
  return execute;
}

/** Whether a tool's `execute` checks by the tool's own schemas, so that its caller need not. */
export function isSelfChecking(tool: Tool): boolean {
  const execute: unknown = Reflect.get(tool, 'execute');
  const schemas: unknown = Reflect.get(Object(execute), MARK);
  if (typeof schemas !== 'object' || schemas === null) return false;
  return (
    Reflect.get(schemas, 'input') === tool.input && Reflect.get(schemas, 'output') === tool.output
  );
}
