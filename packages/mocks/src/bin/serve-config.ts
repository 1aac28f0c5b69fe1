import { readFile } from 'node:fs/promises';
import { BuddyError, describeFailure } from '@buddy/core';
import { z } from 'zod';

/** The config file cannot be used. A program that supervises knows it by the exit code: 78, EX_CONFIG of sysexits.h. */
export class ServeConfigError extends BuddyError {
  readonly code = 'MOCKS_CONFIG_INVALID';
}

const Config = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/**
 * What a config file says: options by their names, as on the command line.
 * @throws {ServeConfigError} Without quoting it, for it may hold a token.
 */
export async function readServeConfig(
  file: string,
): Promise<Record<string, string | boolean | undefined>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ServeConfigError(`--config ${describeFailure(cause).message}`, { cause });
  }
  const parsed = Config.safeParse(asJson(text));
  if (!parsed.success) {
    throw new ServeConfigError(
      `--config ${file} is no JSON object of options, such as {"seed": 1, "faults": "none"}`,
    );
  }
  const { config, ...options } = parsed.data;
  if (config !== undefined) throw new ServeConfigError(`--config ${file} names another config`);
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === 'number' ? String(value) : value,
    ]),
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // its message would quote the text
  }
}
