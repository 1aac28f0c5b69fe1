import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, describeFailure, oneAtATime, systemClock } from '@buddy/core';
import type { PolicyHolder } from './policy-holder.ts';
import type { PolicyProblem } from './problem.ts';
import { MAX_POLICY_BYTES } from './source-document.ts';

export interface PolicyFilePorts {
  clock?: Clock;
  /** The text of the file. Default: the disk, UTF-8, at most a little more than a policy may be long. */
  readFile?: (path: string) => Promise<string>;
  /** Calls back whenever the file may have changed; returns what ends that. Default: `fs.watch` on its folder. */
  watchFile?: (path: string, onChange: () => void, onError: (error: unknown) => void) => () => void;
}

export interface FollowPolicyOptions {
  /** The file that holds the policy, and is its name in messages. */
  path: string;
  /** How long the file must have been left alone before it is read again, in ms; editors write in several steps. Default 200. */
  quietMs?: number;
  /** The names of all tools there are; see `loadPolicy`. */
  tools?: readonly string[];
}

/** A file that a holder follows. */
export interface FollowedPolicy extends AsyncDisposable {
  /** Reads the file now. Whatever is wrong with it, the holder records and tells. */
  reload(): Promise<void>;
  /** Resolves when nothing is being read any more; nothing will be. */
  stop(): Promise<void>;
}

/**
 * Loads a policy from its file, and again whenever the file changes. A file that cannot be read, or whose policy is not
 * good, leaves the last good policy in force: see the holder's events. After a rollback, the next change of the file counts.
 * @returns When the file was read once.
 */
export async function followPolicyFile(
  holder: PolicyHolder,
  { path, quietMs = 200, tools }: FollowPolicyOptions,
  { clock = systemClock, readFile = readPolicyText, watchFile = watchOnDisk }: PolicyFilePorts = {},
): Promise<FollowedPolicy> {
  const stopping = new AbortController();
  let waiting: AbortController | undefined;
  const inTurn = oneAtATime();

  async function tellUnreadable(error: unknown): Promise<void> {
    try {
      await holder.reject(unreadable(path, error));
    } catch {
      // A change that could not be recorded: the holder has told, and goes on with the policy it has.
    }
  }

  async function reload(): Promise<void> {
    let text: string;
    try {
      text = await clock.external(() => readFile(path));
    } catch (error) {
      await holder.reject(unreadable(path, error));
      return;
    }
    await holder.load(text, { source: path, ...(tools && { tools }) });
  }

  async function reloadWhenQuiet(quiet: AbortSignal): Promise<void> {
    try {
      await clock.sleep(quietMs, AbortSignal.any([quiet, stopping.signal]));
    } catch {
      return; // a later change waits in its stead, or nobody does
    }
    try {
      await inTurn(reload);
    } catch {
      // As above: told by the holder.
    }
  }

  const endWatch = watchFile(
    path,
    () => {
      waiting?.abort();
      waiting = new AbortController();
      void reloadWhenQuiet(waiting.signal);
    },
    (error) => void tellUnreadable(error),
  );
  const stop = async () => {
    stopping.abort();
    endWatch();
    await inTurn(async () => undefined); // what was under way
  };
  try {
    await inTurn(reload);
  } catch (error) {
    await stop();
    throw error;
  }
  return { reload: () => inTurn(reload), stop, [Symbol.asyncDispose]: stop };
}

function unreadable(path: string, error: unknown): PolicyProblem {
  return {
    code: 'FILE_UNREADABLE',
    source: path,
    line: 1,
    column: 1,
    path: '',
    message: `The file cannot be read: ${describeFailure(error).message}`,
    hint: 'Put the file back, or check its permissions; the last good policy stays until then.',
  };
}

/** Reads no more than is needed to see that a file is too long. */
async function readPolicyText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(MAX_POLICY_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0) break;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } finally {
    await file.close();
  }
}

/** The folder, not the file: editors replace a file by another one of its name. */
function watchOnDisk(path: string, onChange: () => void, onError: (error: unknown) => void) {
  const name = basename(path);
  const watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
    if (changed === null || changed === name) onChange();
  });
  watcher.on('error', onError);
  return () => watcher.close();
}
