import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package keeps what it made for itself: beside its sources in development, else the user's cache. */
export function cacheFolder(): string {
  if (import.meta.url.endsWith('.ts')) {
    return fileURLToPath(new URL('../../node_modules/.cache/buddy-sandbox', import.meta.url));
  }
  const { XDG_CACHE_HOME: xdg } = process.env;
  if (xdg !== undefined && xdg.startsWith('/')) return join(xdg, 'buddy-sandbox');
  return process.platform === 'darwin'
    ? join(homedir(), 'Library/Caches/buddy-sandbox')
    : join(homedir(), '.cache/buddy-sandbox');
}

/**
 * Makes a folder that nobody but this user can look into or write to.
 * @throws {Error} When there is one already that is somebody else's, or open to others.
 */
export function makePrivateFolder(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
  if (!isPrivate(path, 'folder')) throw new Error(`${path} is open to other users`);
}

/** Whether it is what it should be, no link, this user's own, and closed to all others. */
export function isPrivate(path: string, kind: 'folder' | 'file'): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) return false;
  const isKind = kind === 'folder' ? status.isDirectory() : status.isFile();
  return isKind && status.uid === process.getuid?.() && (status.mode & 0o077) === 0;
}
