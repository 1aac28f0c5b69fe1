import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { lstat } from 'node:fs/promises';
import { SocketFolderError } from './errors.ts';

/**
 * Where the supervisor of a registry listens: the same path for everybody of this user who names the same file, whether by a link
 * or not. In the system's temporary folder, for a socket's path may have 107 bytes only.
 * @throws {SocketFolderError} The folder is somebody else's, or open to others.
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
    .update(await realFile(registryFile))
    .digest('hex')
    .slice(0, 16);
  return join(folder, `${name}.sock`);
}

/** The file itself may not be there yet; its folder has to be. */
async function realFile(file: string): Promise<string> {
  try {
    await stat(file);
    return await realpath(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return join(await realpath(dirname(file)), basename(file));
  }
}
