import { fileTruncate } from '@buddy/guardian/faults';
import { type ConfigWorld, openConfigWorld } from './config.ts';

/** The environment is that of the program that reads it. */
export function openInvalidConfigWorld(env?: Record<string, string>): Promise<ConfigWorld> {
  return openConfigWorld(
    {
      signal: 'config.invalid',
      fault: (kit, path) => kit.rehearsed(fileTruncate, () => ({ path, keepBytes: 7 })),
    },
    env,
  );
}
