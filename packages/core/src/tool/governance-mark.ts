import type { Tool } from './tool.ts';

/** Registered, so that two copies of core in one process know each other's marks. */
const MARK = Symbol.for('@buddy/core.governed');

/**
 * Marks a tool as one that decides for itself before it acts. For gates only: `govern` of @buddy/governance calls it.
 *
 * The mark vouches for this very `execute`: a copy (`{ ...tool }`), an heir or a copy with another `execute` does not bear
 * it.
 * @returns A frozen copy with all that the tool has, also what it has from its class.
 */
export function markGoverned<T extends Tool>(tool: T): T {
  const fields = { ...Object.getOwnPropertyDescriptors(tool), [MARK]: markFor(tool) };
  // It has all that T has, which TypeScript does not say of descriptors.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.freeze(Object.create(Object.getPrototypeOf(tool), fields) as T);
}

function markFor(tool: Tool): PropertyDescriptor {
  return { value: Reflect.get(tool, 'execute'), enumerable: false };
}

/** Whether a gate stands in front of this tool. */
export function isGoverned(tool: Tool): boolean {
  if (!Object.hasOwn(tool, MARK)) return false;
  return Reflect.get(tool, MARK) === tool.execute;
}
