import { isGoverned, type Tool } from '@buddy/core';
import { HarnessMisuseError, ToolRefusedError } from '../errors.ts';

/**
 * Sees to it that nothing dangerous can run unasked: tier 4 never, tier 3 only behind a gate or with leave.
 * @throws {ToolRefusedError} Naming every tool that is refused.
 */
export function refuseDangerousTools(
  tools: readonly Tool[],
  { allowUngoverned }: { allowUngoverned: boolean },
): void {
  const forbidden = tools.filter(({ tier }) => tier === 4).map(({ name }) => name);
  if (forbidden.length > 0) {
    const message = `Tools of tier 4 are never run by agents: ${forbidden.join(', ')}. Take them out.`;
    throw new ToolRefusedError(forbidden, message);
  }
  if (allowUngoverned) return;
  const ungoverned = tools
    .filter((tool) => tool.tier === 3 && !isGoverned(tool))
    .map(({ name }) => name);
  if (ungoverned.length > 0) {
    throw new ToolRefusedError(
      ungoverned,
      `Tools of tier 3 need a gate: ${ungoverned.join(', ')}. Hand in governance.govern(tool), or say allowUngoverned: true where nothing real can happen.`,
    );
  }
}

/** @throws {HarnessMisuseError} When two have the same name: they are called by it. */
export function refuseNamesakes(tools: readonly Tool[]): void {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) throw new HarnessMisuseError(`Two tools are named ${name}; take one out`);
    names.add(name);
  }
}
