import type { Tool } from './tool.ts';

/** Registered, so that two copies of core in one process know each other's marks. */
const MARK = Symbol.for('@buddy/core.governed');

/**
 * Marks a tool as one that decides for itself before it acts. For gates only: `govern` of @buddy/governance calls it.
 *
 * The mark vouches for this very `execute`: a copy (`{ ...tool }`) or a copy with another `execute` does not bear it.
 */
export function markGoverned<T extends Tool>(tool: T): T {
  const marked = { ...tool };
  Object.defineProperty(marked, MARK, { value: Reflect.get(marked, 'execute'), enumerable: false });
  return Object.freeze(marked);
}

/** Whether a gate stands in front of this tool. */
export function isGoverned(tool: Tool): boolean {
  const vouchedFor: unknown = Reflect.get(tool, MARK);
  return vouchedFor !== undefined && vouchedFor === tool.execute;
}
