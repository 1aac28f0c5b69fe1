import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileAccessError, followLink } from '@buddy/core';

/**
 * Where the file really is, or will be: who comes by a symbolic link takes the same lock and the same socket as all others,
 * also when the link leads to a file that is not there yet.
 * @param operation What is to be done with it, for the message.
 * @throws {FileAccessError} When its folder does not exist, or links go in circles.
 */
export async function locate(path: string, operation: 'read' | 'write'): Promise<string> {
  try {
    const target = await followLink(path);
    return join(await realpath(dirname(target)), basename(target));
  } catch (error) {
    throw new FileAccessError(operation, path, error);
  }
}
