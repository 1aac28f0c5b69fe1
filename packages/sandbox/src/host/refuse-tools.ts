import { isGoverned, type Tool } from '@buddy/core';
import { ToolRefusedError } from '../errors.ts';

/** @throws {ToolRefusedError} When a tool must not be handed to code, is none at all, or two have one name. */
export function indexTools(
  tools: readonly Tool[],
  allowUngoverned: boolean,
): ReadonlyMap<string, Tool> {
  for (const [index, given] of tools.entries()) refuseUnlessTool(given, index);
  refuse(
    tools.filter(({ tier }) => tier === 4),
    'of tier 4 are never handed to code',
  );
  refuse(
    tools.filter(({ tier }) => !KNOWN_TIERS.has(tier)),
    'of an unknown tier count as tier 4 and are never handed to code; give them tier 1, 2 or 3 (a number)',
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

const KNOWN_TIERS: ReadonlySet<unknown> = new Set([1, 2, 3, 4]);

/** What has the form of a Tool may come from anywhere, past the compiler: from JavaScript, or out of `JSON.parse`. */
function refuseUnlessTool(given: unknown, index: number): void {
  const field = (name: string): unknown =>
    typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
  const name = field('name');
  const missing = [
    ...(typeof name === 'string' && name !== '' ? [] : ['name']),
    ...(typeof field('description') === 'string' ? [] : ['description']),
    ...['input', 'output'].filter((schema) => !isSchema(field(schema))),
    ...(typeof field('execute') === 'function' ? [] : ['execute']),
  ];
  if (missing.length === 0) return;
  const shown = typeof name === 'string' && name !== '' ? name : `tools[${index}]`;
  throw new ToolRefusedError(
    `${shown} is no tool: it lacks a usable ${missing.join(', ')}; make it with defineTool of @buddy/core`,
    [shown],
  );
}

function isSchema(given: unknown): boolean {
  return (
    typeof given === 'object' &&
    given !== null &&
    typeof Reflect.get(given, 'safeParseAsync') === 'function' &&
    typeof Reflect.get(given, '_zod') === 'object' // of zod 4, which declarations are made of
  );
}

function refuse(tools: readonly Tool[], why: string): void {
  if (tools.length === 0) return;
  const names = tools.map(({ name }) => name);
  throw new ToolRefusedError(`Tools ${why}: ${names.join(', ')}`, names);
}
