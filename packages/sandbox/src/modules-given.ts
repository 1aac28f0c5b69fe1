import { InvalidModuleError } from './errors.ts';
import { prepareModuleSource } from './guest-source/prepare-module-source.ts';
import {
  moduleDeclarations,
  moduleExports,
  moduleNames,
  moduleSources,
} from './modules/module-library.ts';
import type { ModuleProgram } from './protocol/messages.ts';

/** A module of the library by its name, or modules of one's own: name to JavaScript source with `export`s. */
export type ModuleInput = string | Readonly<Record<string, string>>;

export interface GivenModules {
  /** For the gate: name to what it exports. */
  exports: ReadonlyMap<string, readonly string[]>;
  /** For the child. */
  programs: Readonly<Record<string, ModuleProgram>>;
  /** For a prompt. */
  declarations: readonly string[];
}

const MODULE_NAME = /^[a-z@][\w@.-]*(?:\/[\w@.-]+)*$/i;

/**
 * Reads the allow-list. A module of one's own may import those that stand before it.
 * @throws {InvalidModuleError} When a name is unknown or taken, or a source does not pass the gate.
 */
export function readModules(
  inputs: readonly ModuleInput[],
  globals: ReadonlySet<string>,
): GivenModules {
  const exports = new Map<string, readonly string[]>();
  const programs: Record<string, ModuleProgram> = Object.create(null);
  const declarations: string[] = [];

  function takeFromLibrary(name: string): void {
    const names = moduleExports.get(name);
    const source = moduleSources[name];
    if (!names || source === undefined) {
      throw new InvalidModuleError(
        `There is no module "${name}" in the library; it has ${moduleNames.join(', ')}.`,
      );
    }
    exports.set(name, names);
    programs[name] = { source, isFunction: false };
    declarations.push(moduleDeclarations[name] ?? '');
  }

  function take(name: string, code: string): void {
    if (!MODULE_NAME.test(name))
      throw new InvalidModuleError(`"${name}" cannot name a module; use names like "acme/util".`);
    if (exports.has(name)) throw new InvalidModuleError(`The module "${name}" is given twice.`);
    const prepared = prepareModuleSource(code, { globals, modules: exports });
    if (prepared.kind === 'rejected') {
      const { message, line, frame } = prepared.error;
      throw new InvalidModuleError(
        `The module "${name}" cannot be used: ${message} (line ${line})\n${frame}`,
      );
    }
    if (prepared.kind === 'violation') {
      throw new InvalidModuleError(
        `The module "${name}" cannot be used: ${prepared.violation.details}`,
      );
    }
    exports.set(name, prepared.exports);
    programs[name] = { source: prepared.source, isFunction: true };
    declarations.push(
      `declare module '${name}' {\n${prepared.exports.map((it) => `  export const ${it}: any;`).join('\n')}\n}`,
    );
  }

  for (const input of inputs) {
    if (typeof input === 'string') takeFromLibrary(input);
    else for (const [name, code] of Object.entries(input)) take(name, code);
  }
  return { exports, programs, declarations };
}
