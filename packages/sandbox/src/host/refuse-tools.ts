import { isGoverned, type Tool } from '@buddy/core';
import { ToolRefusedError } from '../errors.ts';

/** @throws {ToolRefusedError} When a tool must not be handed to code, or two have one name. */
export function indexTools(
  tools: readonly Tool[],
  allowUngoverned: boolean,
): ReadonlyMap<string, Tool> {
  refuse(
    tools.filter(({ tier }) => tier === 4),
    'of tier 4 are never handed to code',
  );
  if (!allowUngoverned) {
    const ungoverned = tools.filter((tool) => tool.tier === 3 && !isGoverned(tool));
    refuse(
      ungoverned,
      'of tier 3 need a gate in front of them; govern them, or set allowUngoverned',
    );
  }
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (byName.has(tool.name)) refuse([tool], 'with one name are given twice');
    byName.set(tool.name, tool);
  }
  return byName;
}

function refuse(tools: readonly Tool[], why: string): void {
  if (tools.length === 0) return;
  const names = tools.map(({ name }) => name);
  throw new ToolRefusedError(`Tools ${why}: ${names.join(', ')}`, names);
}
