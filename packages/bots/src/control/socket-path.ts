import { localSocketPath } from '@buddy/core';
import { locate } from '../registry/file/locate.ts';

/**
 * Where the supervisor of a registry listens: the same path for everybody of this user who names the same file, whether by a link
 * or not. In the system's temporary folder, for a socket's path may have 107 bytes only.
 * @throws {SocketFolderError} The folder is somebody else's, or open to others. {FileAccessError} The folder of the registry is not there.
 */
export async function socketPathFor(registryFile: string): Promise<string> {
  return localSocketPath('buddy-bots', await locate(registryFile, 'read'));
}
