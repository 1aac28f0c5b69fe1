import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuddyError, describeFailure, parseOrThrow } from '@buddy/core';
import { type GuardianConfig, GuardianConfigFields } from '../config/guardian-config.ts';

/** The module of a user's resources and playbooks is missing, or cannot be used. */
class ConfigModuleError extends BuddyError {
  readonly code = 'GUARDIAN_CONFIG_MODULE';
}

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((ending) => `guardian.config.${ending}`);
const FIELDS = Object.keys(GuardianConfigFields.shape);

/**
 * Reads the module that is named, else the `guardian.config.*` of the folder.
 * @returns Undefined when none is named and none is there.
 * @throws {ConfigModuleError} When it cannot be loaded, or exports nothing of use.
 * @throws {InvalidInputError} When what it exports does not fit.
 */
export async function readConfig(
  named: unknown,
  folder: string,
): Promise<GuardianConfig | undefined> {
  const file =
    typeof named === 'string'
      ? resolve(folder, named)
      : NAMES.map((name) => resolve(folder, name)).find((path) => existsSync(path));
  if (file === undefined) return undefined;
  if (!existsSync(file)) throw new ConfigModuleError(`There is no config module at ${file}.`);
  const exported = await load(file);
  return parseOrThrow(GuardianConfigFields, exported, `config module ${file}`);
}

/** @throws {ConfigModuleError} Also when there is none: the command cannot do without. */
export async function needConfig(named: unknown, folder: string): Promise<GuardianConfig> {
  const config = await readConfig(named, folder);
  if (config) return config;
  throw new ConfigModuleError(
    `This needs your resources: name their module with --config, or put a guardian.config.ts into ${folder}. It exports ${FIELDS.join(', ')}.`,
  );
}

async function load(file: string): Promise<unknown> {
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(pathToFileURL(file).href);
  } catch (error) {
    // Node keeps the place of an error of syntax to itself, unless nobody catches it.
    const hint = error instanceof SyntaxError ? `; \`node --check ${file}\` shows where` : '';
    throw new ConfigModuleError(
      `The config module ${file} cannot be loaded: ${describeFailure(error).message}${hint}`,
      { cause: error },
    );
  }
  const { default: whole, ...named } = exports;
  if (whole !== undefined) return typeof whole === 'function' ? make(file, whole) : whole;
  const names = Object.keys(named);
  if (names.some((name) => FIELDS.includes(name))) return named;
  throw new ConfigModuleError(
    `The config module ${file} exports ${names.length === 0 ? 'nothing' : names.join(', ')}; it has to export ${FIELDS.join(', ')}, or a default that has them.`,
  );
}

async function make(file: string, factory: CallableFunction): Promise<unknown> {
  try {
    const made: unknown = await Reflect.apply(factory, undefined, []);
    return made;
  } catch (error) {
    throw new ConfigModuleError(
      `The default export of ${file} failed: ${describeFailure(error).message}`,
      { cause: error },
    );
  }
}
