import { readFile } from 'node:fs/promises';
import { BuddyError, FileAccessError } from '@buddy/core';
import { z } from 'zod';
import { type BotRegistry, createBotRegistry } from '../registry/registry.ts';
import type { Host, OptionDefinition } from './command.ts';

/* What several commands take. */

export const REGISTRY: OptionDefinition = {
  value: 'FILE',
  about: 'the registry (default buddy-bots.json)',
};
export const Registry = z.string().min(1).default('buddy-bots.json');

/** A whole number, from 0. */
export const Count = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number);

class NoRegistryError extends BuddyError {
  readonly code = 'BOTS_NO_REGISTRY';
}

/** @throws {NoRegistryError} Else a path that is misspelt would look like a registry without bots. */
export async function openRegistry(file: string, { clock }: Host): Promise<BotRegistry> {
  const registry = createBotRegistry({ file }, { clock });
  const { generation } = await registry.statistics();
  if (generation > 0) return registry;
  throw new NoRegistryError(
    `There is no registry at ${file}; give its path with --registry, or begin one with buddy-bots import FILE.`,
  );
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FileAccessError('read', path, error);
  }
}
