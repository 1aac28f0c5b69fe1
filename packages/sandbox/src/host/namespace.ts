import { execFile } from 'node:child_process';
import { IsolationUnavailableError } from '../errors.ts';
import { UNSHARE_ARGS } from './launch.ts';

let tried: Promise<boolean> | undefined;

/**
 * Whether children get Linux namespaces of their own: no network, no view of other processes.
 * @throws {IsolationUnavailableError} When they are required and this host does not let us make any.
 */
export async function decideNamespace(wanted: 'auto' | 'off' | 'require'): Promise<boolean> {
  if (wanted === 'off') return false;
  tried ??= canUnshare();
  const isAvailable = await tried;
  if (wanted === 'require' && !isAvailable) {
    throw new IsolationUnavailableError(
      'osIsolation is required, but `unshare` cannot make namespaces here; allow unprivileged user namespaces, or use "auto".',
    );
  }
  return isAvailable;
}

function canUnshare(): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(false);
  return new Promise((resolve) => {
    execFile('unshare', [...UNSHARE_ARGS, '--', 'true'], { timeout: 5_000 }, (error) =>
      resolve(error === null),
    );
  });
}
