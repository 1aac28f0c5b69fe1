import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Calls `changed` when a file changes, comes or goes, be it with its folder. The folder is watched and not the file, for a
 * file that is replaced by a rename takes its watcher with it; while the folder is gone, the nearest that is there is.
 */
export function watchPath(path: string, changed: () => void): () => void {
  let watched: { folder: string; watcher: FSWatcher } | undefined;
  let isOver = false;
  const arm = (): void => {
    const folder = nearestFolder(dirname(path));
    if (isOver || watched?.folder === folder) return;
    watched?.watcher.close();
    watched = undefined;
    const watcher = watch(folder, { persistent: false }, () => {
      arm();
      changed();
    });
    // A folder that goes takes its watcher with it on some platforms.
    watcher.on('error', () => {
      watched = undefined;
      arm();
      changed();
    });
    watched = { folder, watcher };
  };
  arm();
  return () => {
    isOver = true;
    watched?.watcher.close();
  };
}

function nearestFolder(folder: string): string {
  if (existsSync(folder) || dirname(folder) === folder) return folder;
  return nearestFolder(dirname(folder));
}
