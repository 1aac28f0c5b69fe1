import { hash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { SocketFolderError } from './errors.ts';

/**
 * Where this user's programs of one name listen: the same path for the same key. In the system's temporary folder, for a
 * socket's path may have 107 bytes only, in a folder that nobody else may enter, made when it is not there.
 * @throws {SocketFolderError} When the folder is somebody else's, a link, or open to others.
 * @example
 * const path = await localSocketPath('buddy-agents', '/srv/out/run-1'); // '/tmp/buddy-agents-1000/5f1c….sock'
 */
export async function localSocketPath(program: string, key: string): Promise<string> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `${program}-${uid}`);
  await mkdir(folder, { mode: 0o700, recursive: true });
  const status = await lstat(folder); // not stat: a link could lead anywhere
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) {
    throw new SocketFolderError(folder);
  }
  return join(folder, `${hash('sha256', key).slice(0, 16)}.sock`);
}
