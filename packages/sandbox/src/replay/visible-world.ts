import { createHash } from 'node:crypto';
import type { Tool } from '@buddy/core';
import { z } from 'zod';
import { ResumeTokenError } from '../errors.ts';
import type { GivenModules } from '../modules-given.ts';

/** What a program can see of its sandbox, as digests by name: a replay elsewhere is one only where it sees the same. */
export const VisibleWorld = z.strictObject({
  /** Of the schemas of a tool's input and output. */
  tools: z.record(z.string(), z.string()),
  /** Of a module's source. */
  modules: z.record(z.string(), z.string()),
});
export type VisibleWorld = z.output<typeof VisibleWorld>;

export function visibleWorldOf(
  tools: ReadonlyMap<string, Pick<Tool, 'input' | 'output'>>,
  { programs }: Pick<GivenModules, 'programs'>,
): VisibleWorld {
  return {
    tools: Object.fromEntries(
      [...tools].map(([name, { input, output }]) => [
        name,
        digestOf(`${shapeOf(input, 'input')} ${shapeOf(output, 'output')}`),
      ]),
    ),
    modules: Object.fromEntries(
      Object.entries(programs).map(([name, { source }]) => [name, digestOf(source)]),
    ),
  };
}

/** @throws {ResumeTokenError} Naming what differs, when a program paused in `before` would not find the same `here`. */
export function refuseOtherWorld(before: VisibleWorld, here: VisibleWorld): void {
  const differences = [
    ...differencesOf('tool', 'has other schemas', before.tools, here.tools),
    ...differencesOf('module', 'has another source', before.modules, here.modules),
  ];
  if (differences.length === 0) return;
  throw new ResumeTokenError(
    `The run was paused where it saw something else than here: ${differences.join('; ')}. Resume it in a sandbox with the same tools and modules, or run it again.`,
  );
}

function differencesOf(
  kind: 'tool' | 'module',
  changed: string,
  before: Readonly<Record<string, string>>,
  here: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(here)])].toSorted();
  return names.flatMap((name) => {
    if (!Object.hasOwn(here, name)) return [`${kind} ${name} is missing`];
    if (!Object.hasOwn(before, name)) return [`${kind} ${name} was not there`];
    return before[name] === here[name] ? [] : [`${kind} ${name} ${changed}`];
  });
}

function shapeOf(schema: z.ZodType, io: 'input' | 'output'): string {
  try {
    const shape = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        // A default may be made anew each time; words for people change nothing that a program sees.
        for (const keyword of ['default', 'description', 'title', 'examples'] as const)
          delete jsonSchema[keyword];
      },
    });
    return JSON.stringify(shape);
  } catch {
    return 'no JSON schema'; // a schema that has none is no reason not to run: it is then known by its tool's name only
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
