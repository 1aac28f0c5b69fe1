import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { locate } from '../registry/file/locate.ts';
import { SocketFolderError } from './errors.ts';

/**
 * Where the supervisor of a registry listens: the same path for everybody of this user who names the same file, whether by a link
 * or not. In the system's temporary folder, for a socket's path may have 107 bytes only.
 * @throws {SocketFolderError} The folder is somebody else's, or open to others. {FileAccessError} The folder of the registry is not there.
 */
export async function socketPathFor(registryFile: string): Promise<string> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `buddy-bots-${uid}`);
  await mkdir(folder, { mode: 0o700, recursive: true });
  const status = await lstat(folder); // not stat: a link could lead anywhere
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) {
    throw new SocketFolderError(folder);
  }
  const name = createHash('sha256')
    .update(await locate(registryFile, 'read'))
    .digest('hex')
    .slice(0, 16);
  return join(folder, `${name}.sock`);
}
