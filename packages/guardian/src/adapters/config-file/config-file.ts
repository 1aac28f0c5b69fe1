import { hash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Clock, describeFailure, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { errorCode, unknown } from '../../probes/layers/layer.ts';
import type { ConfigFileAdapter } from '../../resource/adapters/files.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { createConfigCopies } from './config-copies.ts';
import { watchPath } from './watch-path.ts';

export const ConfigFileOptions = z.strictObject({
  path: z.string().min(1),
  /** Folder for the last known good config and for what was replaced; for this file alone. */
  stateFolder: z.string().min(1),
  /** A file that is invalid and was changed within so many ms may be half written: it is looked at again first. */
  settleMs: z.number().nonnegative().default(250),
});
export type ConfigFileInput = z.input<typeof ConfigFileOptions>;

/** The program that reads the config. */
export interface ConfigConsumer {
  /** `configDigest` of the text that it has loaded; undefined when it does not run: it will load what is there when it starts. */
  generation(signal: AbortSignal): Promise<string | undefined>;
  /** Does nothing when it does not run. */
  reload(signal: AbortSignal): Promise<void>;
}

export interface ConfigFilePorts {
  /** Throws when the text is no usable config: `(text) => Schema.parse(JSON.parse(text))`. */
  parse: (text: string) => unknown;
  consumer?: ConfigConsumer;
  clock?: Clock;
}

/** SHA-256 of a config's text, in hexadecimal: its generation. */
export function configDigest(text: string): string {
  return hash('sha256', text);
}

/**
 * A config file. Whenever a look finds it valid and, where there is a consumer, loaded, it is kept as the last known good
 * one, with its mode and owner.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const config = createConfigFile(
 *   { path: '/etc/app.json', stateFolder: '/var/lib/guardian/app-config' },
 *   { parse: (text) => AppConfig.parse(JSON.parse(text)) },
 * );
 */
export function createConfigFile(
  input: ConfigFileInput,
  ports: ConfigFilePorts,
): ConfigFileAdapter {
  const { path, stateFolder, settleMs } = parseOrThrow(ConfigFileOptions, input, 'a config file');
  const { parse, consumer, clock = systemClock } = ports;
  const copies = createConfigCopies(path, stateFolder);
  const digest = async (): Promise<string | undefined> => {
    const text = await readIfThere(path);
    return text === undefined ? undefined : configDigest(text);
  };
  const check = async (): Promise<Reading> => {
    const text = await readIfThere(path);
    if (text === undefined) {
      const note = `${path} is not there`;
      return {
        status: 'FAILED',
        signal: 'config.missing',
        certainty: 'decisive',
        note,
        conditions,
      };
    }
    try {
      parse(text);
      return HEALTHY;
    } catch (error) {
      const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
      const certainty = clock.now() - changedAt < settleMs ? 'ambiguous' : 'decisive';
      const note = `${path}: ${describeFailure(error).message}`.slice(0, 2_000);
      return { status: 'FAILED', signal: 'config.invalid', certainty, note, conditions };
    }
  };
  const probe = async (signal: AbortSignal): Promise<Reading> => {
    const checked = await check().catch(unreadable);
    if (checked.status !== 'HEALTHY') return checked;
    if (consumer) {
      const [loaded, there] = await Promise.all([consumer.generation(signal), digest()]);
      if (loaded === undefined) return { status: 'HEALTHY', note: 'its reader does not run' };
      if (loaded !== there) {
        const note = `${path} is valid, and its reader has loaded ${loaded}`;
        return { status: 'DEGRADED', signal: 'config.not_loaded', note };
      }
    }
    await copies.keepGood(parse);
    return HEALTHY;
  };
  return {
    kind: 'config_file',
    check,
    digest,
    probe,
    lastKnownGood: async () => (await copies.good())?.digest,
    consumerGeneration: async (signal) => (consumer ? consumer.generation(signal) : digest()),
    keepCopy: (name) => copies.keep(name),
    restoreLastKnownGood: () => copies.restoreGood(),
    putBack: (name) => copies.putBack(name),
    reload: async (signal) => consumer?.reload(signal),
    watch: (raise) => {
      const look = async () => {
        const reading = await check().catch(unreadable);
        if (reading.status === 'FAILED') raise(reading);
      };
      return watchPath(path, () => void look());
    },
  };
}

/** While its config is bad, a restart of its reader does not help. */
const conditions = [{ name: 'config_invalid' }];

function unreadable(error: unknown): Reading {
  const { message } = describeFailure(error);
  return unknown(errorCode(error) === 'EACCES' ? 'no_permission' : 'probe_error', message);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';
}
