import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { SandboxInput, SandboxPorts } from './sandbox.ts';

/** What `SandboxOptions` does not read, for it is not data alone. */
const Handed = z.looseObject({
  tools: z.array(z.custom((given) => isObject(given), 'expected a tool')).optional(),
  modules: z.array(z.union([z.string(), z.record(z.string(), z.string())])).optional(),
  violationLog: z
    .union([z.string().min(1), z.custom((log) => hasMethods(log, 'append'))], {
      error: 'expected a path, or an object with a method `append`',
    })
    .optional(),
} satisfies Partial<Record<keyof SandboxInput, z.ZodType>>);

const called = z.custom((given) => typeof given === 'function', 'expected a function').optional();
const Ports = z.strictObject({
  clock: z
    .custom((clock) => hasMethods(clock, 'now', 'monotonic', 'sleep', 'external'), {
      error: 'expected a Clock of @buddy/core',
    })
    .optional(),
  random: called,
  spawn: called,
  newId: called,
} satisfies Record<keyof SandboxPorts, z.ZodType>);

/** @throws {InvalidInputError} Naming the option. */
export function checkSandboxInput(input: unknown, ports: unknown): void {
  parseOrThrow(Handed, input, 'options of createSandbox');
  parseOrThrow(Ports, ports, 'ports of createSandbox');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return names.every((name) => typeof Reflect.get(Object(value), name) === 'function');
}
